// Whether a request with these params is taken in at all, before a byte of its body: whose it is, and how large it may be.
import { Role } from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';
import type { RouterContext } from './context.js';
import { mayHaveBody } from './methods.js';
import { contentLength, dataLength } from './params-filter.js';
import { STATUS_PARAM } from './front-tokens.js';
import type { FrontBounds, Refusal } from './request-types.js';
import { STATUS_PLACE } from './status-page/index.js';
import { resolveApplication, type Params, type Resolution, type Resolved } from './resolve.js';
import { resolvedAs } from './roles.js';
import { STRANGERS } from './spool-budget.js';

export type Admission =
  | {
      readonly ok: true;
      readonly resolution: Resolved;
      /** Whose share of the spool its body takes. */
      readonly spoolsFor: string;
      /** 0: no limit, or not known yet. */
      readonly maxBodyBytes: number;
      readonly announcedBytes: number | undefined;
      /** Of the file that a Filter gets. */
      readonly announcedDataBytes: number | undefined;
      /** The body is passed on as it comes. One of unknown length is not: most workers read nothing without. */
      readonly isStreamed: boolean;
    }
  | {
      readonly ok: false;
      readonly refusal: Refusal;
      /** Absent where it is not proved whose the request is. */
      readonly resolution?: Resolved;
    };

const refuse = (refusal: Refusal): Admission => ({ ok: false, refusal });

interface Asked {
  readonly role: number;
  readonly params: Params;
}

/**
 * @param bounds what the administrator says of the front socket
 * @throws UsherdError E_PARAMS_MALFORMED for a CONTENT_LENGTH that is none.
 */
export function admit(asked: Asked, bounds: FrontBounds, context: RouterContext): Admission {
  const { role, params } = asked;
  const isPage = role === Role.RESPONDER && bounds.authorizer === undefined;
  if (isPage && params.has(STATUS_PARAM)) return admitToStatusPage(params, bounds.user, context);
  const resolution = identify(params, bounds, context);
  return resolution.ok ? admitTo(resolution, asked, context) : refuse(resolution);
}

function admitTo(resolution: Resolved, { role, params }: Asked, context: RouterContext): Admission {
  const { app } = resolution;
  const limitBytes = context.dispatcher.bodyLimitOf(app);
  const maxBodyBytes = limitBytes ?? 0;
  // An Authorizer gets no body, whatever the request that it judges has.
  const announcedBytes = role === Role.AUTHORIZER ? undefined : contentLength(params);
  const announcedDataBytes = role === Role.FILTER ? dataLength(params) : undefined;
  if (maxBodyBytes > 0 && Math.max(announcedBytes ?? 0, announcedDataBytes ?? 0) > maxBodyBytes) {
    const detail = `more than ${maxBodyBytes} bytes, which is max_body`;
    return { ok: false, refusal: { code: 'E_BODY_TOO_LARGE', detail }, resolution };
  }
  const hasLength = announcedBytes !== undefined;
  const method = params.get('REQUEST_METHOD') ?? '';
  const hasBody = hasLength ? announcedBytes > 0 : mayHaveBody(method);
  const isStreamed =
    role === Role.RESPONDER && hasBody && context.dispatcher.streams(resolution, hasLength);
  const lengths = { maxBodyBytes, announcedBytes, announcedDataBytes };
  const spoolsFor = spoolShare(resolution, limitBytes);
  return { ok: true, resolution, spoolsFor, ...lengths, isStreamed };
}

/** The user's own, if somebody has seen that there is such an application. */
const spoolShare = ({ user }: Resolved, limitBytes: number | undefined): string =>
  limitBytes === undefined ? STRANGERS : user;

/** Whose it is. Where the administrator says so, nothing in the request does, and there is nothing for a token to prove. */
function identify(
  params: Params,
  bounds: FrontBounds,
  context: RouterContext,
): Resolved | (Refusal & { readonly ok: false }) {
  if (bounds.authorizer !== undefined) return resolvedAs(bounds.authorizer);
  const resolution: Resolution = resolveApplication(params, context.roots());
  if (!resolution.ok) return resolution;
  const { user, app } = resolution;
  if (bounds.user !== undefined && bounds.user !== user) {
    return { ok: false, code: 'E_ACCESS_REFUSED', rule: 'front-user', detail: app };
  }
  const why = context.frontTokens()?.refusal(params, user);
  if (why !== undefined) return { ok: false, code: 'E_TOKEN_REFUSED', detail: `${app}: ${why}` };
  return resolution;
}

/** A param alone proves nothing: whoever may write a .htaccess can send it. */
function admitToStatusPage(
  params: Params,
  boundUser: string | undefined,
  context: RouterContext,
): Admission {
  if (!context.statusTokens.isForStatusPage(params) || boundUser !== undefined) {
    return refuse({ code: 'E_TOKEN_REFUSED', detail: 'not the token of the status page' });
  }
  const announcedBytes = contentLength(params);
  const maxBodyBytes = LIMITS.statusBodyMaxBytes;
  if ((announcedBytes ?? 0) > maxBodyBytes) {
    return refuse({ code: 'E_BODY_TOO_LARGE', detail: `more than ${maxBodyBytes} bytes` });
  }
  const rest = { announcedBytes, announcedDataBytes: undefined, isStreamed: false };
  const place = { resolution: STATUS_PLACE, spoolsFor: STRANGERS };
  return { ok: true, ...place, maxBodyBytes, ...rest };
}
