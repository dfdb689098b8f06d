// One directory as an application of usherd: the names and the root pattern under which it is found. Pure.
import { APP_ID } from '../config/index.js';
import { UsherdError } from '../errors.js';

export interface DevPlace {
  /** `user/app`; the user is a name and no account: everything runs as whoever started it. */
  readonly app: string;
  readonly root: string;
  /** Where the gateway serves it. */
  readonly path: string;
}

const USER_COMPONENT = /^[a-z_][a-z0-9_-]{0,31}$/;

/** The last component is the application, one before it stands for the user. @throws UsherdError E_USAGE */
export function devPlace(directory: string): DevPlace {
  const components = directory.split('/').slice(1);
  const name = components.at(-1) ?? '';
  // A pattern may not begin with {user}: "/{user}/…" would make an account of "etc".
  for (let at = components.length - 2; at > 0; at -= 1) {
    const user = components[at] ?? '';
    const app = `${user}/${name}`;
    if (!USER_COMPONENT.test(user) || !APP_ID.test(app)) continue;
    const pattern = components.with(at, '{user}').with(-1, '{app}');
    return { app, root: `/${pattern.join('/')}`, path: `/~${user}/apps/${name}/` };
  }
  const expected = 'a name of small letters, digits, ".", "-" and "_", in a directory like that';
  throw new UsherdError('E_USAGE', `${directory} cannot be an application: it needs ${expected}`);
}
