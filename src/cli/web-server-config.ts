// The shipped files of conf.example/ with this machine's socket and roots in the place of the defaults; text in, text out.
import type { Config } from '../config/index.js';
import { longestSilenceMs, patienceS } from './front-patience.js';

/** What the shipped files say where nobody changed anything. */
const SHIPPED = {
  socket: '/run/usherd/front/front.sock',
  root: '/srv/{user}/apps/{app}',
  vhosts: '/srv/vhosts',
  nginxTimeout: '330s;',
  statusToken: '/var/lib/usherd/tokens/',
} as const;

/** The page is usherd's own: no root of applications has a part in it. */
const fitStatus = (config: Config, shipped: string): string =>
  shipped
    .replaceAll(SHIPPED.socket, sharedSocket(config))
    .replaceAll(SHIPPED.statusToken, `${config.paths.state}/tokens/`);

/** A root as a web server's configuration needs it: what stands before {user}, and between {user} and {app}. */
interface Shape {
  readonly before: string;
  readonly between: string;
}

/** Parts become regular expressions and paths at once. */
const PLAIN = /^(?:\/[A-Za-z0-9_-]+)*$/;

/** Undefined for a root that these files cannot say. */
function shapeOf(root: string): Shape | undefined {
  const [, before, between] = /^(.+)\/\{user\}(.*)\/\{app\}$/.exec(root) ?? [];
  if (before === undefined || between === undefined) return undefined;
  return PLAIN.test(before) && PLAIN.test(between) ? { before, between } : undefined;
}

/** The one that is not bound to a user, if there is one. */
const sharedSocket = ({ front: { sockets } }: Config): string =>
  (sockets.find(({ user }) => user === undefined) ?? sockets[0])?.path ?? SHIPPED.socket;

export interface Fitted {
  readonly text: string;
  /** What the text could not be made to say, for a person. */
  readonly complaints: readonly string[];
}

function fit(config: Config, adapt: (shape: Shape) => string): Fitted {
  const { roots } = config.apps;
  const shapes = roots.map((root) => ({ root, shape: shapeOf(root) }));
  const first = shapes.find(({ shape }) => shape !== undefined);
  const complaints = shapes
    .filter((one) => one !== first)
    .map(({ root }) => `the root ${root} is not in this text: give its applications virtual hosts`);
  if (first?.shape === undefined) return { text: '', complaints };
  return { text: adapt(first.shape), complaints };
}

/** Definitions before the file win over its own. */
export const fitApache = (config: Config, shipped: string): Fitted =>
  shipped.includes('<IfDefine !USHERD_AUTHORIZER>')
    ? fitAuthorizer(config, shipped)
    : fitApplications(config, shipped);

function fitAuthorizer({ front: { authorizers } }: Config, shipped: string): Fitted {
  const [first] = authorizers;
  if (first === undefined) {
    return { text: '', complaints: ['[front] authorizers in usherd.toml names no address'] };
  }
  const host = first.host.includes(':') ? `[${first.host}]` : first.host;
  const text = `Define USHERD_AUTHORIZER "${host}:${first.port}"\n\n${shipped}`;
  return { text, complaints: [] };
}

const fitApplications = (config: Config, shipped: string): Fitted =>
  fit(config, ({ before, between }) => {
    const names = {
      USHERD_SOCKET: sharedSocket(config),
      USHERD_ROOT: before,
      USHERD_APPS: between,
      USHERD_TOKENS: `${config.paths.state}/tokens/apache`,
      USHERD_VHOSTS: config.apps.vhosts === '' ? SHIPPED.vhosts : config.apps.vhosts,
      USHERD_TIMEOUT: String(patienceS(longestSilenceMs(config))),
    };
    const lines = Object.entries(names).map(([name, value]) => `Define ${name} "${value}"\n`);
    const takesDefinitions = shipped.includes('<IfDefine !USHERD_ROOT>');
    return takesDefinitions ? `${lines.join('')}\n${shipped}` : fitStatus(config, shipped);
  });

/** nginx has no definitions: the values are replaced where they stand. */
export const fitNginx = (config: Config, shipped: string): Fitted =>
  fit(config, ({ before, between }) =>
    fitStatus(config, shipped)
      .replaceAll('$usherd_user/apps/$usherd_app', `$usherd_user${between}/$usherd_app`)
      .replaceAll('[a-z0-9_-]*)/apps/(?<usherd_app>', `[a-z0-9_-]*)${between}/(?<usherd_app>`)
      .replaceAll(SHIPPED.vhosts, config.apps.vhosts === '' ? SHIPPED.vhosts : config.apps.vhosts)
      .replaceAll(SHIPPED.nginxTimeout, `${patienceS(longestSilenceMs(config))}s;`)
      .replaceAll('/srv/$usherd_user', `${before}/$usherd_user`),
  );
