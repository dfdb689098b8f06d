// A real Apache with the shipped configuration, a tree of files, and a responder that says what it was asked: who serves what.
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { Apache } from './apache.js';
import { startParamsEcho, type FakeResponder } from './fake-responder.js';
import { scratchDirectory } from './scratch.js';

export interface Served {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
  /** What the responder was asked for, below the tree; undefined if Apache answered itself. */
  readonly script: string | undefined;
}

export class ApacheStage {
  readonly #directory: string;
  readonly #responder: FakeResponder;
  readonly #apache: Apache;
  readonly #cleanUps: (() => unknown)[];

  private constructor(parts: {
    directory: string;
    responder: FakeResponder;
    apache: Apache;
    cleanUps: (() => unknown)[];
  }) {
    this.#directory = parts.directory;
    this.#responder = parts.responder;
    this.#apache = parts.apache;
    this.#cleanUps = parts.cleanUps;
  }

  static async start(hosts: string): Promise<ApacheStage> {
    const cleanUps: (() => unknown)[] = [];
    const directory = scratchDirectory({ after: (it) => void cleanUps.push(it as () => unknown) });
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, 'srv/vhosts'), { recursive: true });
    const socketPath = join(directory, 'front.sock');
    const responder = await startParamsEcho(socketPath);
    chmodSync(socketPath, 0o666);
    const apache = await Apache.start({
      directory: join(directory, 'apache'),
      socketPath,
      root: join(directory, 'srv'),
      more: hosts,
    });
    return new ApacheStage({ directory, responder, apache, cleanUps });
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = this.path(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  }

  link(host: string, target: string): void {
    symlinkSync(this.path(target), this.path(`vhosts/${host}`));
  }

  path(below: string): string {
    return join(this.#directory, 'srv', below);
  }

  async fetch(path: string, host = 'localhost'): Promise<Served> {
    const count = this.#responder.requests.length;
    const options = { host: '127.0.0.1', port: this.#apache.port, path, agent: false } as const;
    const request = get({ ...options, headers: { Host: host } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const params = this.#responder.requests[count]?.params;
    const file = params && (params.get('SCRIPT_FILENAME') ?? '') + (params.get('PATH_INFO') ?? '');
    return {
      status: response.statusCode ?? 0,
      location: response.headers.location,
      text: Buffer.concat(chunks).toString(),
      script: file?.replace(`${this.path('')}/`, ''),
    };
  }

  async stop(): Promise<void> {
    await this.#apache.stop();
    await this.#responder.close();
    for (const cleanUp of this.#cleanUps) await cleanUp();
  }
}
