// The name of a request in every log: the one that the web server or the client gave it, where that is fit to be written.
import type { Params } from './front-forms.js';

/** No quotation mark, no space, nothing to escape; UNIQUE_ID of mod_unique_id has `@`. */
const NAME = /^[A-Za-z0-9@][A-Za-z0-9@._-]{7,127}$/;

/** X-Request-Id first: a chain of proxies shares it. UNIQUE_ID is what Apache's own log can show. */
const SOURCES = ['HTTP_X_REQUEST_ID', 'UNIQUE_ID'] as const;

/** The param by which workers are told, whatever came in it. */
export const REQUEST_NAME_PARAM = 'HTTP_X_REQUEST_ID';

/** Undefined where there is none that may be taken over. */
export function givenName(params: Params): string | undefined {
  for (const source of SOURCES) {
    const value = params.get(source);
    if (value !== undefined && NAME.test(value)) return value;
  }
  return undefined;
}
