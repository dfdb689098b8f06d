// Real workers of every kind for random orders of requests: all of them do what test/fixtures/orders is asked for.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionReuse } from '../../src/config/index.js';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';
import { compile } from './compile.js';
import { TEST_RUNTIME } from './config.js';
import type { FakeApp } from './fake-supervisor.js';

const FIXTURES = join(import.meta.dirname, '../../../test/fixtures/orders');
const PHP = '/usr/bin/php-cgi';
const GO = '/usr/bin/go';

export interface OrderWorker {
  readonly name: string;
  readonly protocol: NonNullable<FakeApp['protocol']>;
  /** Requests that one takes at once. */
  readonly concurrency: number;
  readonly reuse: ConnectionReuse;
  /** It answers over several processes, and the first of them knows nothing of the death of another. */
  readonly isTree: boolean;
  readonly needs: readonly string[];
  /** Of Perl. */
  readonly module?: string;
  /** @param exitsAfter requests, then it ends by itself; 0: never */
  readonly argv: (exitsAfter: number) => readonly string[];
}

/** Programs that are compiled once for all rounds. */
export class OrderPrograms {
  readonly #directory = mkdtempSync(join(tmpdir(), 'usherd-orders-'));

  c(): string {
    return this.#once('c', (target) => compile('orders/orders.c', target, ['-lfcgi']));
  }

  go(): string {
    return this.#once('go', (target) => {
      const cache = { HOME: this.#directory, GOCACHE: join(this.#directory, 'cache') };
      const env = { ...process.env, ...cache, GO111MODULE: 'off' };
      execFileSync(GO, ['build', '-o', target, join(FIXTURES, 'orders.go')], { env });
    });
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #once(name: string, make: (target: string) => void): string {
    const target = join(this.#directory, name);
    if (!existsSync(target)) make(target);
    return target;
  }
}

const fastcgi = { protocol: 'fastcgi', concurrency: 1, isTree: false } as const;

function php(children: number): (exitsAfter: number) => readonly string[] {
  const builtin = BUILTIN_RUNTIMES.find(({ name }) => name === 'php') ?? TEST_RUNTIME;
  return (exitsAfter) => {
    const wanted = {
      ...builtin.environment,
      ...(exitsAfter > 0 ? { PHP_FCGI_MAX_REQUESTS: String(exitsAfter) } : {}),
      ...(children > 0 ? { PHP_FCGI_CHILDREN: String(children) } : {}),
    };
    const environment = Object.entries(wanted).map(([name, value]) => `${name}=${value}`);
    return ['/usr/bin/env', ...environment, ...builtin.command];
  };
}

export const ORDER_SCRIPT = join(FIXTURES, 'orders.php');

const perl =
  (protocol: string) =>
  (exitsAfter: number): readonly string[] => [
    ...['/usr/bin/perl', join(FIXTURES, 'orders.pl'), protocol, String(exitsAfter)],
  ];

export const orderWorkers = (programs: OrderPrograms): readonly OrderWorker[] => [
  { ...fastcgi, name: 'php', reuse: 'always', needs: [PHP], argv: php(0) },
  {
    ...fastcgi,
    ...{ name: 'php-tree', reuse: 'always', needs: [PHP] },
    ...{ concurrency: 4, isTree: true, argv: php(4) },
  },
  {
    ...fastcgi,
    ...{ name: 'libfcgi', reuse: 'after-bodiless' },
    needs: ['/usr/bin/gcc', '/usr/include/fcgiapp.h'],
    argv: (exitsAfter) => [programs.c(), String(exitsAfter)],
  },
  {
    ...fastcgi,
    ...{ name: 'perl', reuse: 'after-bodiless' },
    needs: ['/usr/bin/perl'],
    module: 'FCGI',
    argv: perl('fcgi'),
  },
  {
    ...fastcgi,
    ...{ name: 'go', reuse: 'after-bodiless', concurrency: 4 },
    needs: [GO],
    argv: () => [programs.go()],
  },
  {
    ...{ name: 'node', protocol: 'http', concurrency: 4, reuse: 'never', isTree: false },
    needs: [process.execPath],
    argv: (exitsAfter) => [process.execPath, join(FIXTURES, 'orders.cjs'), String(exitsAfter)],
  },
  {
    ...{ name: 'scgi', protocol: 'scgi', concurrency: 1, reuse: 'never', isTree: false },
    needs: ['/usr/bin/perl'],
    argv: perl('scgi'),
  },
];

/** For `skip`: false where it can be tried. */
export function noOrderWorker({ needs, module }: OrderWorker): string | false {
  const missing = needs.find((path) => !existsSync(path));
  if (missing !== undefined) return `${missing} is not installed`;
  if (module === undefined) return false;
  const { status } = spawnSync('/usr/bin/perl', [`-M${module}`, '-e1'], { stdio: 'ignore' });
  return status === 0 ? false : `${module}.pm is not installed`;
}
