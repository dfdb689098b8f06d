// What a web server may ask an application for (FastCGI 1.0 §6), and what each role changes on the way to the worker.
import type { RoleName } from '../config/index.js';
import { PairList, Role } from '../fcgi-protocol/index.js';
import type { AppFacts } from '../ipc/index.js';
import { cleanParams, dataLength } from './params-filter.js';
import type { Refusal, FrontBounds } from './request-types.js';
import type { Params, Resolved } from './resolve.js';
import { routeRequest, type Route } from './route.js';
import type { RuntimeTable } from './script.js';

const NAMES: ReadonlyMap<number, RoleName> = new Map([
  [Role.RESPONDER, 'responder'],
  [Role.AUTHORIZER, 'authorizer'],
  [Role.FILTER, 'filter'],
]);

/** Whether such a request is taken in at all on this front socket; whether its application takes it is known later. */
export const isServed = (role: number, { authorizer }: FrontBounds): boolean =>
  authorizer === undefined ? NAMES.has(role) : role === Role.AUTHORIZER;

/** An application that did not ask for a role is not given it: its program would take it for an ordinary request. */
export function roleRefusal(role: number, { app, roles }: AppFacts): Refusal | undefined {
  const name = NAMES.get(role);
  if (name !== undefined && roles.includes(name)) return undefined;
  return { code: 'E_FCGI_ROLE', detail: `${app} does not offer the role ${name ?? role}` };
}

const NO_SCRIPTS: ReadonlyMap<string, string> = new Map();

/** Only a Responder runs the script that a URL names: of the others, the URL is what they judge or change. */
export const runtimesFor = (role: number, runtimes: RuntimeTable): RuntimeTable =>
  role === Role.RESPONDER ? runtimes : { ...runtimes, scripts: NO_SCRIPTS };

/** The application that the administrator has named for a front socket, whatever the request says. */
export function resolvedAs(app: string): Resolved {
  const user = app.slice(0, app.indexOf('/'));
  const url = { scriptName: '', path: '' };
  return { ok: true, user, app, directory: '', rest: '', publicRest: '', url };
}

interface RoleRequest {
  readonly role: number;
  readonly params: Params;
  readonly resolution: Resolved;
}

/** @throws UsherdError E_PARAMS_MALFORMED as cleanParams does. */
export function routeByRole(
  { role, params, resolution }: RoleRequest,
  facts: AppFacts,
  runtimes: RuntimeTable,
): Route {
  if (role === Role.AUTHORIZER) return { ok: true, runtime: '', params: authorizerParams(params) };
  const route = routeRequest(params, resolution, facts, runtimesFor(role, runtimes));
  if (route.ok && role === Role.FILTER) tellFile(route.params, params);
  return route;
}

/** In which of its phases mod_authnz_fcgi asks: in the later one there is no password. */
const APACHE_ROLE = 'FCGI_APACHE_ROLE';
const APACHE_ROLES: ReadonlySet<string> = new Set(['AUTHENTICATOR', 'AUTHORIZER']);

/** The request as it is, SCRIPT_FILENAME the file that is asked for, without what an Authorizer never gets (§6.3). */
function authorizerParams(params: Params): Params {
  const asked = PairList.of(params).copy();
  for (const name of ['CONTENT_LENGTH', 'PATH_INFO', 'PATH_TRANSLATED', 'SCRIPT_NAME']) {
    asked.delete(name);
  }
  const clean = cleanParams(asked);
  const phase = params.get(APACHE_ROLE) ?? '';
  if (APACHE_ROLES.has(phase)) clean.set(APACHE_ROLE, phase);
  return clean;
}

/** §6.4: how old the file is; its length is told when it is here. */
function tellFile(told: Params, params: Params): void {
  const modified = params.get('FCGI_DATA_LAST_MOD') ?? '';
  if (/^[0-9]{1,15}$/.test(modified)) told.set('FCGI_DATA_LAST_MOD', modified);
  const length = dataLength(params);
  if (length !== undefined) told.set('FCGI_DATA_LENGTH', String(length));
}
