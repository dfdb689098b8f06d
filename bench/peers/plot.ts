// Grouped bars as SVG, for the README: light or dark as the reader's screen is.
import { scaleBand, scaleLinear, scaleLog } from 'd3-scale';

export interface Bars {
  readonly title: string;
  /** Under each group. */
  readonly groups: readonly string[];
  /** One colour each. */
  readonly series: readonly string[];
  /** NaN where there is none. */
  readonly value: (group: string, series: string) => number;
  readonly isLogarithmic: boolean;
}

const WIDTH = 860;
const HEIGHT = 340;
const EDGE = { top: 46, right: 16, bottom: 56, left: 70 } as const;
const COLOURS = ['#7a869a', '#b58900', '#2a7de1', '#8250df', '#1a7f37'];
const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.axis{stroke:#d0d7de}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.axis{stroke:#444c56}}`;

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

const short = (value: number): string =>
  value >= 1000
    ? `${Number((value / 1000).toPrecision(3))}k`
    : String(Number(value.toPrecision(3)));

interface At {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly className?: string;
}

const textAt = (text: string, { x, y, anchor, className = '' }: At): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" class="${className}">${escaped(text)}</text>`;

function valueScale(bars: Bars): {
  readonly scale: (value: number) => number;
  readonly ticks: readonly number[];
} {
  const values = bars.groups
    .flatMap((group) => bars.series.map((series) => bars.value(group, series)))
    .filter((value) => value > 0);
  const range = [HEIGHT - EDGE.bottom, EDGE.top] as const;
  if (!bars.isLogarithmic) {
    const linear = scaleLinear([0, Math.max(...values)], range).nice();
    return { scale: linear, ticks: linear.ticks(5) };
  }
  const log = scaleLog([Math.min(...values) / 1.5, Math.max(...values) * 1.2], range);
  return {
    scale: log,
    ticks: log.ticks(4).filter((tick) => tick.toExponential().startsWith('1e')),
  };
}

function legend(series: readonly string[]): string {
  return series
    .map((name, index) => {
      const x = EDGE.left + (index * (WIDTH - EDGE.left - EDGE.right)) / series.length;
      const box = `<rect x="${x}" y="${HEIGHT - 22}" width="12" height="12" fill="${COLOURS[index] ?? '#888'}"/>`;
      return box + textAt(name, { x: x + 18, y: HEIGHT - 11, anchor: 'start' });
    })
    .join('');
}

/** A whole SVG document. */
export function barChart(bars: Bars): string {
  const across = scaleBand(bars.groups, [EDGE.left, WIDTH - EDGE.right]).paddingInner(0.2);
  const within = scaleBand(bars.series, [0, across.bandwidth()]).padding(0.08);
  const { scale, ticks } = valueScale(bars);
  const floor = HEIGHT - EDGE.bottom;
  const axis = ticks.map((tick) => {
    const y = scale(tick);
    const line = `<line class="axis" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`;
    return line + textAt(short(tick), { x: EDGE.left - 8, y: y + 4, anchor: 'end' });
  });
  const marks = bars.groups.flatMap((group) => {
    const left = across(group) ?? 0;
    const label = textAt(group, {
      x: left + across.bandwidth() / 2,
      y: floor + 18,
      anchor: 'middle',
    });
    const columns = bars.series.map((series, index) => {
      const value = bars.value(group, series);
      if (!(value > 0)) return '';
      const x = left + (within(series) ?? 0);
      const y = scale(value);
      const rect = `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${within.bandwidth().toFixed(1)}" height="${Math.max(1, floor - y).toFixed(1)}" fill="${COLOURS[index] ?? '#888'}"/>`;
      return (
        rect + textAt(short(value), { x: x + within.bandwidth() / 2, y: y - 5, anchor: 'middle' })
      );
    });
    return [label, ...columns];
  });
  const title = textAt(bars.title, { x: EDGE.left, y: 22, anchor: 'start', className: 'title' });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img"><style>${STYLE}</style>${title}${axis.join('')}${marks.join('')}${legend(bars.series)}</svg>\n`;
}
