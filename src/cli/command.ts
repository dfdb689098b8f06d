// What a command is, for main.ts to hang into the argument parser: data and one function.
import { UsherdError } from '../errors.js';

export interface Option {
  readonly type: 'string' | 'boolean' | 'number' | 'array';
  readonly summary: string;
  /** One letter. */
  readonly alias?: string;
  readonly default?: string | boolean | number;
}

export type Arguments = Readonly<Record<string, unknown>>;

export interface Command {
  /** Name and positional arguments, as in `restart <app>`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** What a shell may offer for a positional argument, by its name. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
  /** Resolves to the exit code. */
  readonly run: (args: Arguments) => Promise<number>;
}

export const nameOf = ({ usage }: Pick<Command, 'usage'>): string => usage.split(' ')[0] ?? '';

export const CONFIG_OPTION = {
  config: { type: 'string', summary: 'configuration file (default: /etc/usherd/usherd.toml)' },
} as const satisfies Record<string, Option>;

/** The text of an option or a positional argument; undefined if it was not given. */
export function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new UsherdError('E_USAGE', `--${name} needs one value`);
}
