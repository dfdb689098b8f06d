// The programs of the launch chain: looked at before each launch, proved anew when an upgrade has replaced them.
import { isUsherdError } from '../errors.js';
import {
  findTools,
  recheckTools,
  runCanary,
  type DropPlan,
  type Tools,
} from '../privdrop/index.js';

export class PinnedTools {
  readonly #canary: DropPlan;
  #tools: Tools;
  #renewal: Promise<Tools> | undefined;

  /** @param canary whom the trial drop makes of itself: nobody's files are at stake */
  constructor(tools: Tools, canary: DropPlan) {
    this.#tools = tools;
    this.#canary = canary;
  }

  /** @throws E_STARTUP_TOOL | E_STARTUP_CANARY: then nothing is started, and the next launch asks again. */
  async current(): Promise<Tools> {
    try {
      recheckTools(this.#tools);
      return this.#tools;
    } catch (err) {
      if (!isUsherdError(err)) throw err;
    }
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    return await this.#renewal;
  }

  async #renew(): Promise<Tools> {
    const tools = findTools();
    await runCanary(this.#canary, tools);
    this.#tools = tools;
    return tools;
  }
}
