// Whether a request with these params is taken in at all, before a byte of its body: whose it is, and how large it may be.
import type { RouterContext } from './context.js';
import { contentLength } from './params-filter.js';
import type { Refusal } from './request-types.js';
import { resolveApplication, type Params, type Resolved } from './resolve.js';

export type Admission =
  | {
      readonly ok: true;
      readonly resolution: Resolved;
      /** 0: no limit, or not known yet. */
      readonly maxBodyBytes: number;
      readonly announcedBytes: number | undefined;
      /** The body is passed on as it comes. One of unknown length is not: most workers read nothing without. */
      readonly isStreamed: boolean;
    }
  | { readonly ok: false; readonly refusal: Refusal };

const refuse = (refusal: Refusal): Admission => ({ ok: false, refusal });

/**
 * @param boundUser the only user whose requests this front connection may bring; undefined: all.
 * @throws UsherdError E_PARAMS_MALFORMED for a CONTENT_LENGTH that is none.
 */
export function admit(
  params: Params,
  boundUser: string | undefined,
  context: RouterContext,
): Admission {
  const resolution = resolveApplication(params, context.roots());
  if (!resolution.ok) return refuse({ code: resolution.code, detail: resolution.detail });
  if (boundUser !== undefined && boundUser !== resolution.user) {
    return refuse({ code: 'E_ACCESS_REFUSED', rule: 'front-user', detail: resolution.app });
  }
  const why = context.frontTokens()?.refusal(params, resolution.user);
  if (why !== undefined) {
    return refuse({ code: 'E_TOKEN_REFUSED', detail: `${resolution.app}: ${why}` });
  }
  const maxBodyBytes = context.dispatcher.bodyLimitOf(resolution.app);
  const announcedBytes = contentLength(params);
  if (maxBodyBytes > 0 && (announcedBytes ?? 0) > maxBodyBytes) {
    return refuse({ code: 'E_BODY_TOO_LARGE', detail: `more than ${maxBodyBytes} bytes` });
  }
  const isStreamed =
    announcedBytes !== undefined &&
    announcedBytes > 0 &&
    context.dispatcher.streams(resolution, true);
  return { ok: true, resolution, maxBodyBytes, announcedBytes, isStreamed };
}
