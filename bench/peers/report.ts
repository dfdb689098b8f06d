// The figures as a table for people: one row a scenario, one column a peer, and what usherd's is of the others'.
import type { Figures, Scenario } from './scenarios.js';

export interface Measured {
  readonly scenario: string;
  readonly title: string;
  readonly main: string;
  readonly moreIsBetter: boolean;
  /** By peer. */
  readonly figures: Readonly<Record<string, Figures>>;
}

export interface Report {
  readonly versions: Readonly<Record<string, string>>;
  readonly peers: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly results: readonly Measured[];
}

export const measuredOf = (
  { name, title, main, moreIsBetter }: Scenario,
  figures: Readonly<Record<string, Figures>>,
): Measured => ({ scenario: name, title, main, moreIsBetter, figures });

const digits = (value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value >= 1000) return String(Math.round(value));
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
};

const COLUMN = 11;

function row(label: string, cells: readonly string[]): string {
  return `${label.padEnd(24)}${cells.map((cell) => cell.padStart(COLUMN)).join('')}`;
}

/** The main figure of each scenario, then the tail, the errors and the cost where there are any. */
export function tableOf({ peers, results }: Report): string {
  const names = Object.keys(peers);
  const others = names.filter((name) => name !== 'usherd');
  const lines = [row('', [...names, ...others.map((it) => `/${it}`)])];
  for (const { scenario, main, figures } of results) {
    const value = (peer: string, key: string): number | undefined => figures[peer]?.[key];
    const ratios = others.map((peer) =>
      digits((value('usherd', main) ?? NaN) / (value(peer, main) ?? NaN)),
    );
    lines.push(
      row(`${scenario} ${main}`, [...names.map((it) => digits(value(it, main))), ...ratios]),
    );
    for (const key of [
      'p99Ms',
      'errors',
      'costUs',
      'costUs.router',
      'overPhpMs',
      'maxMs',
      'withoutApacheMib',
    ]) {
      if (key === main || !names.some((it) => value(it, key) !== undefined)) continue;
      lines.push(
        row(
          `  ${key}`,
          names.map((it) => digits(value(it, key))),
        ),
      );
    }
  }
  const titles = results.map(({ scenario, title }) => `${scenario}: ${title}`);
  const feet = Object.entries(peers).map(([name, title]) => `${name}: ${title}`);
  return [...lines, '', ...titles, '', ...feet, ''].join('\n');
}
