// The supervisor that runs, found without judging the configuration: it goes on with what it has read, mistakes or not.
import { existsSync } from 'node:fs';
import { mayHaveChanged, readPlaces, type Places } from '../config/lean.js';
import { isUsherdError } from '../errors.js';
import { askInWhole, controlSocketIn, type Answer, type ControlRequest } from './control-client.js';
import { currentMode } from './mode.js';
import { complain } from './terminal.js';

export interface Running {
  /** Of the front sockets; none where the file has a mistake about them. */
  readonly fronts: readonly string[];
  /**
   * Says, once, if the files have mistakes that it does not know of.
   * @throws UsherdError as askSupervisor() does
   */
  readonly ask: (request: ControlRequest) => Promise<Answer>;
}

export const placesIn = (file: string | undefined): Promise<Places> =>
  readPlaces(file, { requireRootOwned: currentMode() === 'root' });

/** @throws UsherdError E_CONFIG_*, E_CONFIG_INVALID for a mistake about these places only */
export async function soundPlacesIn(file: string | undefined): Promise<Places> {
  const places = await placesIn(file);
  if (!places.isSound) await judge(file);
  return places;
}

/** @throws UsherdError E_CONFIG_* where somebody else could have written the file, or where it is why nothing runs */
export async function findRunning(file: string | undefined): Promise<Running> {
  const { run, fronts } = await placesIn(file);
  const socket = controlSocketIn(run);
  if (!existsSync(socket)) await judge(file, 'sparing others');
  let isJudged = false;
  return {
    fronts,
    async ask(request) {
      const { result, configReadAtMs } = await askInWhole(socket, request);
      if (!isJudged && mayHaveChanged(file, configReadAtMs)) await judge(file).catch(tolerate);
      isJudged = true;
      return result;
    },
  };
}

/** Loaded when there is a reason to: the schema costs more than all the rest of a command. @throws UsherdError E_CONFIG_* */
async function judge(file: string | undefined, how?: 'sparing others'): Promise<void> {
  const { loadConfiguration, loadSparingOthers } = await import('./configuration.js');
  await (how === undefined ? loadConfiguration : loadSparingOthers)(file);
}

function tolerate(err: unknown): void {
  if (!isUsherdError(err)) throw err;
  complainOfMistakes();
}

export const complainOfMistakes = (): void =>
  complain('usherd: the configuration has mistakes (`usherd check`); what runs has the old one');
