// From a recipe (files to write, a command to run) to a Front: the part that all five web servers have in common.
import fs from 'node:fs';
import path from 'node:path';
import type { Front, FrontName, FrontOptions } from './front.js';
import { exchange } from './http-client.js';
import { IS_ROOT, ServerProcess, WEB_USER } from './server-process.js';

export interface Recipe {
  readonly name: FrontName;
  /** File name below the front's directory to its text. */
  readonly files: ReadonlyMap<string, string>;
  /** Below the front's directory; made before the start, writable for the web server's account. */
  readonly directories: readonly string[];
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly runAsWebUser?: boolean;
  /** Logs below the front's directory, besides what it says on stdout and stderr. */
  readonly logs: readonly string[];
}

export function frontOf(recipe: Recipe, options: FrontOptions): Front {
  const { directory, port } = options;
  const { name, command, environment = {}, runAsWebUser = false } = recipe;
  const server = new ServerProcess({ directory, port, command, environment, runAsWebUser });
  return {
    name,
    port,
    start: async () => {
      writeFiles(recipe, directory);
      await server.start();
    },
    stop: () => server.stop(),
    request: (request) => exchange(port, request),
    get isAlive() {
      return server.isAlive;
    },
    log: () => [server.output(), ...recipe.logs.map((file) => readLog(directory, file))].join(''),
  };
}

function writeFiles(recipe: Recipe, directory: string): void {
  for (const name of recipe.directories) {
    const full = path.join(directory, name);
    fs.mkdirSync(full, { recursive: true });
    fs.chmodSync(full, IS_ROOT ? 0o1777 : 0o755);
  }
  for (const [name, text] of recipe.files) {
    const full = path.join(directory, name);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, text);
  }
}

function readLog(directory: string, file: string): string {
  const full = path.join(directory, file);
  return fs.existsSync(full) ? fs.readFileSync(full, 'utf8') : '';
}

/** A line of a server's configuration that only root can use. */
export const ifRoot = (line: (account: string) => string): string =>
  IS_ROOT ? line(WEB_USER) : '';
