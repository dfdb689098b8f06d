// What a shell offers after a command that takes an application or a user: those that the running supervisor knows.
import { isUsherdError } from '../errors.js';
import { tablesIn, textOf } from './answer-fields.js';
import { loadConfiguration } from './configuration.js';
import { askSupervisor, controlSocketOf } from './control-client.js';

/** A person waits with a finger on the key. */
const DEADLINE_MS = 500;

/** None where nobody answers, or whoever asks is not root: a shell has no place for complaints. */
export async function completeNames(words: readonly string[], command: string): Promise<string[]> {
  const kind = /[<[](app|user|whose)[\]>]/.exec(command)?.[1];
  if (kind === undefined) return [];
  try {
    const at = words.indexOf('--config');
    const config = await loadConfiguration(at < 0 ? undefined : words[at + 1]);
    const request = { command: 'status' } as const;
    const status = await askSupervisor(controlSocketOf(config), request, DEADLINE_MS);
    const apps = [...new Set(tablesIn(status['apps']).map(({ app }) => textOf(app)))];
    const users = [...new Set(apps.map((app) => app.split('/')[0] ?? ''))];
    return kind === 'app' ? apps : kind === 'user' ? users : [...users, ...apps];
  } catch (err) {
    if (isUsherdError(err)) return [];
    throw err;
  }
}
