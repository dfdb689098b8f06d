// As much of a browser as an application's first pages need: cookies, redirects, forms. One host, one visitor.
import { fetchHttp } from '../http.js';

export interface Page {
  readonly status: number;
  /** Where redirects led, with the query. */
  readonly path: string;
  readonly type: string;
  readonly text: string;
  /** Whether usherd answered, and not the web server from a file. */
  readonly header: (name: string) => string | undefined;
}

const REDIRECTS_MAX_COUNT = 5;

export class Browser {
  readonly #port: number;
  readonly #host: string;
  readonly #cookies = new Map<string, string>();

  constructor(port: number, host: string) {
    this.#port = port;
    this.#host = host;
  }

  get(path: string): Promise<Page> {
    return this.#follow(path, undefined);
  }

  post(path: string, form: Readonly<Record<string, string>>): Promise<Page> {
    return this.#follow(path, new URLSearchParams(form).toString());
  }

  async #follow(path: string, body: string | undefined): Promise<Page> {
    let page = await this.#ask(path, body);
    for (let count = 0; count < REDIRECTS_MAX_COUNT; count += 1) {
      const location = page.header('location');
      if (page.status < 300 || page.status > 399 || location === undefined) return page;
      const url = new URL(location, `http://${this.#host}${page.path}`);
      if (url.hostname !== this.#host) throw new Error(`redirected to ${url.href}`);
      page = await this.#ask(url.pathname + url.search, undefined);
    }
    throw new Error(`${path} is redirected for ever`);
  }

  async #ask(path: string, body: string | undefined): Promise<Page> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetchHttp({
      port: this.#port,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        Host: this.#host,
        ...(cookie !== '' && { Cookie: cookie }),
        ...(body !== undefined && {
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': Buffer.byteLength(body),
        }),
      },
      ...(body !== undefined && { body: [Buffer.from(body)] }),
    });
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line);
    return {
      status: answer.status,
      path,
      type: answer.headers['content-type'] ?? '',
      text: answer.body.toString(),
      header: (name) => {
        const value = answer.headers[name];
        return typeof value === 'string' ? value : undefined;
      },
    };
  }

  #keep(line: string): void {
    const [, name, value = ''] = /^([^=;\s]+)=([^;]*)/.exec(line) ?? [];
    if (name !== undefined) this.#cookies.set(name, value);
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** What the page's markup says, its entities undone. */
export function attributes(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, value = '']) =>
    value.replace(/&(amp|lt|gt|quot);/g, (_all, name: string) => ENTITIES[name] ?? ''),
  );
}

/** Names and values of the hidden fields. */
export function hiddenFields(text: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const [tag] of text.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1];
    if (name !== undefined) fields[name] = /\bvalue="([^"]*)"/.exec(tag)?.[1] ?? '';
  }
  return fields;
}
