// Which requests may be sent twice.

/** RFC 9110 §9.2.1, of those that carry no body. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export const isSafeMethod = (method: string): boolean => SAFE_METHODS.has(method);
