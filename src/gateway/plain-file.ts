// A file that the gateway sends as it is, where whoever started it has named one: what a web server does beside usherd.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sendText } from './plain-answer.js';

/** What is to be sent for a path of an application instead of asking usherd. */
export type PlainFile =
  | { readonly kind: 'file'; readonly path: Buffer }
  /** A directory whose name needs a slash, for relative links. */
  | { readonly kind: 'directory' };

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.gif', 'image/gif'],
  ['.htm', 'text/html; charset=utf-8'],
  ['.html', 'text/html; charset=utf-8'],
  ['.ico', 'image/vnd.microsoft.icon'],
  ['.jpeg', 'image/jpeg'],
  ['.jpg', 'image/jpeg'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.mp4', 'video/mp4'],
  ['.pdf', 'application/pdf'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.wasm', 'application/wasm'],
  ['.webp', 'image/webp'],
  ['.woff', 'font/woff'],
  ['.woff2', 'font/woff2'],
  ['.xml', 'application/xml'],
]);

const typeOf = (path: Buffer): string =>
  TYPES.get(extname(path.toString('latin1')).toLowerCase()) ?? 'application/octet-stream';

/** The whole file; nobody keeps it, because it is about to be changed. */
export async function sendFile(
  response: ServerResponse,
  path: Buffer,
  { isHead }: { readonly isHead: boolean },
): Promise<void> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) {
    sendText(response, 403, 'The file cannot be read.');
    return;
  }
  const { size } = await handle.stat();
  response.writeHead(200, {
    'Content-Type': typeOf(path),
    'Content-Length': size,
    'Cache-Control': 'no-cache',
  });
  if (isHead || size === 0) {
    response.end();
    await handle.close();
    return;
  }
  // No more than was announced, should it grow meanwhile.
  try {
    await pipeline(createReadStream('', { fd: handle, end: size - 1 }), response);
  } catch (err) {
    if (!hasClientLeft(err)) throw err;
  }
}

const hasClientLeft = (err: unknown): boolean =>
  err instanceof Error && 'code' in err && err.code === 'ERR_STREAM_PREMATURE_CLOSE';

const UNRESERVED = /[^A-Za-z0-9/._~-]/g;

/** To the same path with a slash; `path` is decoded, latin1 stands for bytes. */
export function sendSlash(response: ServerResponse, path: string, query: string): void {
  const escape = (char: string): string =>
    `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  const target = `${path.replace(UNRESERVED, escape)}/${query === '' ? '' : `?${query}`}`;
  response.writeHead(301, { Location: target, 'Content-Length': 0 });
  response.end();
}
