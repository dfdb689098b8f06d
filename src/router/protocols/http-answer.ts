// The head of an HTTP worker's answer as a CGI header block, so that every answer meets the same checks; pure.

export interface HttpAnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Name, value, name, value, … as they came. */
  readonly headers: readonly string[];
}

/** Framing is undone by now; `Status` is a header that some frameworks repeat, and CGI has only one. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...['status', 'connection', 'keep-alive', 'transfer-encoding', 'trailer', 'upgrade'],
  'proxy-connection',
]);

/** A redirect to a path is meant below the mount by a program that was not told of it, or did not listen. */
function located(location: string, prefix: string): string {
  const isPath = location.startsWith('/') && !location.startsWith('//');
  const isInside = location === prefix || location.startsWith(`${prefix}/`);
  return prefix !== '' && isPath && !isInside ? prefix + location : location;
}

/** With its blank line; owned by the caller. `prefix` is what was cut off the request's path, escaped. */
export function cgiHead({ status, reason, headers }: HttpAnswerHead, prefix: string): Buffer {
  const lines = [reason === '' ? `Status: ${status}` : `Status: ${status} ${reason}`];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    const value = headers[at + 1] ?? '';
    const lowerName = name.toLowerCase();
    if (LEFT_OUT.has(lowerName)) continue;
    lines.push(`${name}: ${lowerName === 'location' ? located(value, prefix) : value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
