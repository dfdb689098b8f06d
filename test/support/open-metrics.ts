// A small reader of OpenMetrics text for tests: strict where Prometheus is.
import http from 'node:http';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

/** @throws Error on a line that is none, and without the end mark */
export function parseOpenMetrics(text: string): readonly Sample[] {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.pop() !== '# EOF') throw new Error('no end mark');
  const families = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of lines) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      if (families.has(name)) throw new Error(`${name} twice`);
      families.set(name, type);
    }
    if (line.startsWith('#')) continue;
    samples.push(parseSample(line));
  }
  for (const { name } of samples) assertFamily(name, families);
  return samples;
}

function parseSample(line: string): Sample {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`not a sample: ${line}`);
  const pairs = [...labels.matchAll(LABEL)].map(([, key = '', text = '']) => [key, text] as const);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}

/** What the name of a sample may add to that of its family. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

function assertFamily(name: string, families: ReadonlyMap<string, string>): void {
  for (const [family, type] of families) {
    if ((SUFFIXES[type] ?? []).some((suffix) => name === family + suffix)) return;
  }
  throw new Error(`${name} belongs to no family`);
}

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** GET over a unix socket. */
export function get(socketPath: string, path: string, method = 'GET'): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path, method, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => (body += piece));
      answer.on('end', () => {
        const type = answer.headers['content-type'] ?? '';
        resolve({ status: answer.statusCode ?? 0, type, body });
      });
    });
    request.on('error', reject);
    request.end();
  });
}
