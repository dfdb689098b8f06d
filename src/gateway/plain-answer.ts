// What the gateway says in its own name: short texts, and the page that lists what there is to try.
import { STATUS_CODES, type ServerResponse } from 'node:http';

export interface Link {
  /** Path below the gateway, starting with '/'. */
  readonly href: string;
  readonly text: string;
}

/** A whole answer of plain text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  const reason = STATUS_CODES[status] ?? '';
  const body = `${status} ${reason}\n\n${text}\n`;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...(status === 503 ? { 'Retry-After': '2' } : {}),
  });
  response.end(body);
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
const escape = (text: string): string => text.replace(/[&<>"]/g, (it) => ENTITIES.get(it) ?? it);

/** The page at `/`. */
export function sendListing(response: ServerResponse, links: readonly Link[]): void {
  const items = links.map(
    ({ href, text }) => `<li><a href="${escape(href)}">${escape(href)}</a> ${escape(text)}</li>`,
  );
  const body = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>usherd</title>
<style>body { font-family: sans-serif; margin: 2em auto; max-width: 40em; line-height: 1.6 }</style>
<h1>usherd</h1>
<p>Each of these applications runs as the user whose directory it lies in.</p>
<ul>
${items.join('\n')}
</ul>
</html>
`;
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
