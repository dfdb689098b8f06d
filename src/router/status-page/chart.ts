// A small chart of the last hour: a line with gaps where there was no sample, its largest value and the newest one; drawn by the
// browser alone.
import { html, type Html } from './html.js';

const WIDTH = 240;
const HEIGHT = 48;

export interface ChartInput {
  readonly title: string;
  /** Oldest first; NaN where there was no sample. */
  readonly values: readonly number[];
  readonly samplesMaxCount: number;
  readonly format: (value: number) => string;
}

/** The newest value is at the right edge, whatever time there is before it. */
export function chart({ title, values, samplesMaxCount, format }: ChartInput): Html {
  const known = values.filter((value) => !Number.isNaN(value));
  const max = Math.max(...known, 0);
  const newest = known.at(-1) ?? 0;
  const scale = max === 0 ? 0 : (HEIGHT - 4) / max;
  const step = WIDTH / Math.max(1, samplesMaxCount - 1);
  const left = WIDTH - step * (values.length - 1);
  const lines = withoutGaps(values).map(({ at, part }) => {
    // One alone is a line from itself to itself: a dot.
    const drawn = part.length === 1 ? [...part, ...part] : part;
    const points = drawn.map((value, index) => {
      const x = left + (at + Math.min(index, part.length - 1)) * step;
      return `${x.toFixed(1)},${(HEIGHT - 2 - value * scale).toFixed(1)}`;
    });
    return html`<polyline points="${points.join(' ')}" />`;
  });
  const missing = values.length - known.length;
  const gaps = missing === 0 ? '' : `; ${missing} of ${values.length} samples are missing`;
  return html`<figure class="chart">
    <figcaption>${title} <b>${format(newest)}</b> <small>at most ${format(max)}</small></figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${title}: now ${format(newest)}, in the last hour at most ${format(max)}${gaps}"
    >
      ${lines}
    </svg>
  </figure>`;
}

interface Part {
  /** The place of the first one. */
  readonly at: number;
  readonly part: readonly number[];
}

/** The pieces between two gaps. */
function withoutGaps(values: readonly number[]): readonly Part[] {
  const parts: { at: number; part: number[] }[] = [];
  let isOpen = false;
  for (const [at, value] of values.entries()) {
    if (Number.isNaN(value)) {
      isOpen = false;
      continue;
    }
    if (!isOpen) parts.push({ at, part: [] });
    parts.at(-1)?.part.push(value);
    isOpen = true;
  }
  return parts;
}
