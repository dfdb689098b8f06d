// Which requests may be sent twice, and which may have a body.

/** RFC 9110 §9.2.1, of those that carry no body. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export const isSafeMethod = (method: string): boolean => SAFE_METHODS.has(method);

/** Of these a server waits for a length (RFC 9110 §8.6). */
export const mayHaveBody = (method: string): boolean => /^(?:POST|PUT|PATCH)$/.test(method);
