// `usherd check USER/APP`: what a start of this application would refuse, rule by rule, without starting it.
import { join } from 'node:path';
import type { Config } from '../config/index.js';
import { UsherdError } from '../errors.js';
import { appPlace, foreignNote, visitApp } from './app-visit.js';
import { webServerNote } from './web-server-view.js';

/**
 * One line that says as whom and as what the application runs, and more if the web server does not get there.
 * @throws UsherdError with every rule that refuses it
 */
export async function checkApplication(config: Config, argument: string): Promise<string> {
  const place = appPlace(config, argument, process.cwd());
  const { account, directory, outcome } = await visitApp(config, place);
  if (!outcome.ok) {
    const detail = [directory, foreignNote(place)].filter((text) => text !== undefined).join('; ');
    throw new UsherdError(outcome.code, detail, { findings: outcome.findings });
  }
  const { runtime, facts } = outcome.blueprint;
  const sound = `${place.app} (${directory}) runs as uid ${account.uid}, runtime ${runtime}: no rule refuses it`;
  const note = await webServerNote(config, place.user, join(directory, facts.webRoot));
  return [sound, ...note].join('\n');
}
