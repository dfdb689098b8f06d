// For tests: a configuration directory of the current user, and what loading it says.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadConfig, type Config } from '../../src/config/index.js';
import { isUsherdError, type UsherdError } from '../../src/errors.js';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';

const OPTIONS = { builtinRuntimes: BUILTIN_RUNTIMES, requireRootOwned: false } as const;

export class ConfigDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(t: TestContext): Promise<ConfigDirectory> {
    const path = await mkdtemp(join(tmpdir(), 'usherd-config-'));
    t.after(() => rm(path, { recursive: true, force: true }));
    await mkdir(join(path, 'users.d'));
    await chmod(join(path, 'users.d'), 0o755);
    return new ConfigDirectory(path);
  }

  get file(): string {
    return join(this.path, 'usherd.toml');
  }

  async write(text: string, name = 'usherd.toml'): Promise<string> {
    const file = join(this.path, name);
    await writeFile(file, text, { mode: 0o644 });
    await chmod(file, 0o644);
    return file;
  }

  load(): Promise<Config> {
    return load(this.file);
  }

  loadSparingOthers(): Promise<Config> {
    return loadConfig(this.file, { ...OPTIONS, sparesOthers: true });
  }

  /** The error that loading ends with. */
  async refusal(): Promise<UsherdError> {
    return refusalOf(this.load());
  }
}

export const load = (file: string | undefined): Promise<Config> => loadConfig(file, OPTIONS);

export async function refusalOf(loading: Promise<Config>): Promise<UsherdError> {
  try {
    await loading;
  } catch (err) {
    if (isUsherdError(err)) return err;
    throw err;
  }
  throw new Error('the configuration was accepted');
}
