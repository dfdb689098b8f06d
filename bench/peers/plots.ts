// The two drawings of a report: throughput, and the latency that people feel.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart } from './plot.js';
import type { Report } from './report.js';

const LOADS = ['hello 8', 'hello 64', '50 users'];
const SHARES = ['p50Ms', 'p90Ms', 'p99Ms'];

export function writePlots(report: Report, directory: string): void {
  // The floor is no choice that anybody has.
  const series = Object.keys(report.peers).filter((name) => name !== 'floor');
  const figure = (scenario: string, peer: string, key: string): number =>
    report.results.find((it) => it.scenario === scenario)?.figures[peer]?.[key] ?? NaN;
  const throughput = barChart({
    title: 'PHP hello page: requests a second (more is better)',
    groups: LOADS,
    series,
    value: (group, peer) => figure(group, peer, 'perSecond'),
    isLogarithmic: false,
  });
  const latency = barChart({
    title: 'The same at 8 connections: latency in ms, logarithmic (less is better)',
    groups: SHARES,
    series,
    value: (key, peer) => figure('hello 8', peer, key),
    isLogarithmic: true,
  });
  writeFileSync(join(directory, 'throughput.svg'), throughput);
  writeFileSync(join(directory, 'latency.svg'), latency);
}
