// The text of a scrape in OpenMetrics, a piece at a time: only importer of prom-client, which writes each piece.
import { setImmediate as turn } from 'node:timers/promises';
import {
  Counter,
  Gauge,
  Histogram,
  Registry,
  type Metric,
  type OpenMetricsContentType,
} from 'prom-client';
import type { Scene } from '../scene.js';
import {
  GROUP_FAMILIES,
  MACHINE_FAMILIES,
  type Family,
  type MachineFamily,
  type Value,
} from './families.js';
import type { Group } from './groups.js';

export const CONTENT_TYPE = Registry.OPENMETRICS_CONTENT_TYPE;

/** Lines that are written in one turn of the event loop: about a millisecond, in which no request is served. */
const PIECE_VALUES = 400;

const CLASSES = { counter: Counter, gauge: Gauge, histogram: Histogram } as const;

export interface TextInput {
  readonly scene: Scene;
  readonly groups: readonly Group[];
  readonly version: string;
}

/** One family: the values are ours, prom-client gives them their form. */
class Writer {
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly #name: string;
  #values: readonly Value[] = [];
  #isBegun = false;

  constructor({ name, help, type }: Family) {
    this.#name = name;
    const metric: Metric = new CLASSES[type]({ name, help, registers: [] });
    const empty = metric.get();
    const get = async () => ({ ...(await empty), values: [...this.#values] });
    this.#registry.setContentType(CONTENT_TYPE);
    this.#registry.registerMetric(Object.assign(metric, { get, getForPromString: get }));
  }

  /** Only the first piece has the lines about the family. */
  async piece(values: readonly Value[]): Promise<string> {
    this.#values = values;
    const text = await this.#registry.getSingleMetricAsString(this.#name);
    const from = this.#isBegun ? endOfHead(text) : 0;
    this.#isBegun = true;
    return from < text.length ? `${text.slice(from)}\n` : '';
  }
}

/** After `# HELP` and `# TYPE`. */
function endOfHead(text: string): number {
  const second = text.indexOf('\n', text.indexOf('\n') + 1);
  return second < 0 ? text.length : second + 1;
}

/** The whole text; between two pieces others have their turn. */
export async function* metricsText({ scene, groups, version }: TextInput): AsyncGenerator<string> {
  const build: Family = { name: 'usherd_build', type: 'gauge', help: 'Always 1.' };
  yield await new Writer(build).piece([{ labels: { version }, value: 1 }]);
  for (const family of MACHINE_FAMILIES) {
    yield await new Writer(family).piece(machineValues(family, scene));
  }
  for (const family of GROUP_FAMILIES) {
    const writer = new Writer(family);
    let values: Value[] = [];
    for (const group of groups) {
      values.push(...family.values(group));
      if (values.length < PIECE_VALUES) continue;
      yield await writer.piece(values);
      values = [];
      await turn();
    }
    yield await writer.piece(values);
  }
  yield '# EOF\n';
}

function machineValues({ value: read }: MachineFamily, scene: Scene): readonly Value[] {
  const value = read(scene);
  return value === undefined ? [] : [{ labels: {}, value }];
}
