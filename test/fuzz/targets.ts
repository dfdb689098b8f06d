// What is fuzzed: everything that takes bytes of somebody who is not trusted. Each says in a word what became of them.
import assert from 'node:assert/strict';
import { parseManifest } from '../../src/config/index.js';
import { isUsherdError, type ErrorCode } from '../../src/errors.js';
import { ParamsDecoder, RecordDecoder } from '../../src/fcgi-protocol/index.js';
import { controlRequest, FrameDecoder, routerMessage } from '../../src/ipc/index.js';
import { LIMITS } from '../../src/limits.js';
import { cleanParams } from '../../src/router/params-filter.js';
import { resolveApplication, Roots } from '../../src/router/resolve.js';
import { headBlock, ResponseHeadParser } from '../../src/router/response-head.js';
import { TEST_LIMITS } from '../support/config.js';
import { DESCRIPTORS_LINE, END_LINE, Recorder } from '../support/launcher-lines.js';

export interface Target {
  readonly name: string;
  /** Takes the bytes in these pieces; what it may throw is in `expected`, and everything else is a finding. */
  readonly take: (chunks: readonly Buffer[]) => string;
  readonly expected: readonly ErrorCode[];
  readonly dictionary: readonly string[];
}

const ROOTS = new Roots(['/srv/{user}/apps/{app}']);

function takeFrames(chunks: readonly Buffer[]): string {
  const seen: string[] = [];
  const decoder = new FrameDecoder((json) => {
    const parsed = routerMessage.safeParse(json);
    seen.push(parsed.success ? parsed.data.type : `refused ${parsed.error.issues[0]?.code ?? ''}`);
    if (!parsed.success) decoder.stop(); // as the channel does
  });
  for (const chunk of chunks) decoder.push(chunk);
  return seen.join(' ');
}

function takeReport(chunks: readonly Buffer[]): string {
  const recorder = new Recorder();
  recorder.say(DESCRIPTORS_LINE);
  recorder.dialogue.look();
  for (const chunk of chunks) {
    if (recorder.reports.length + recorder.refusals.length > 0) break;
    recorder.say(chunk);
  }
  const [report] = recorder.reports;
  if (report === undefined) return recorder.rule === '' ? 'goes on' : recorder.rule;
  assert.ok((report.manifestText?.length ?? 0) <= LIMITS.manifestMaxBytes);
  assert.ok(
    report.marks.every(
      (mark) =>
        (mark.mode & 0o022) === 0 || mark.kind === 'link' || mark.name === 'tmp/restart.txt',
    ),
  );
  return `accepted, ${report.marks.length} marks`;
}

function takeManifest(chunks: readonly Buffer[]): string {
  const parsed = parseManifest(Buffer.concat(chunks).toString('utf8'), TEST_LIMITS);
  assert.deepEqual(Object.keys(Object.prototype), []);
  if (!parsed.ok)
    return parsed.findings
      .map(({ rule }) => rule)
      .slice(0, 2)
      .join(' ');
  const { limits, environment } = parsed.manifest;
  assert.ok((limits.maxWorkersPerApp ?? 0) <= TEST_LIMITS.maxWorkersPerApp);
  for (const [name, value] of environment) assert.ok(!/[\0\n]/.test(name + value));
  return 'accepted';
}

function takeParams(chunks: readonly Buffer[]): string {
  const decoder = new ParamsDecoder();
  for (const chunk of chunks) decoder.push(chunk);
  const params = decoder.end();
  assert.ok(params.size <= LIMITS.paramsPairMaxCount);
  const clean = cleanParams(params);
  for (const name of clean.keys())
    assert.match(name, /^(?!USHERD_|LD_|FCGI_|HTTP_PROXY$)[A-Za-z_]\w*$/);
  const resolution = resolveApplication(params, ROOTS);
  if (!resolution.ok) return `${resolution.code} ${resolution.detail}`;
  assert.match(resolution.directory, /^\/srv\/[a-z_][a-z0-9_-]*\/apps\/[a-z0-9][a-z0-9._-]*$/);
  assert.doesNotMatch(resolution.rest, /\/\.\.?(?:\/|$)|\0/);
  return 'resolved';
}

function takeHead(chunks: readonly Buffer[]): string {
  const parser = new ResponseHeadParser();
  for (const chunk of chunks) {
    if (!parser.push(chunk)) continue;
    const { lines, status, struck, contentLength } = parser.head;
    const text = headBlock(lines, contentLength).toString('latin1');
    assert.ok(text.endsWith('\r\n\r\n') && text.indexOf('\r\n\r\n') === text.length - 4);
    assert.doesNotMatch(text, /^(?:x-sendfile|x-accel-[^:]*|transfer-encoding|connection):/im);
    assert.ok(status >= 200 && status <= 599);
    return `${Math.floor(status / 100)}xx, ${struck.length > 0 ? 'struck' : 'plain'}`;
  }
  return 'goes on';
}

function takeRecords(chunks: readonly Buffer[]): string {
  const types: number[] = [];
  const decoder = new RecordDecoder({ record: (type) => void types.push(type) });
  for (const chunk of chunks) decoder.push(chunk);
  return `${Math.min(new Set(types).size, 4)} types`;
}

function takeControl(chunks: readonly Buffer[]): string {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return 'no JSON';
  }
  const parsed = controlRequest.safeParse(json);
  return parsed.success ? parsed.data.command : `refused ${parsed.error.issues[0]?.code ?? ''}`;
}

export const TARGETS: readonly Target[] = [
  {
    name: 'ipc-frame',
    take: takeFrames,
    expected: ['E_MONITOR_FRAME'],
    dictionary: [
      '{"type":"need"',
      '"ticket":4294967296',
      '"app":"../x"',
      '"uid":0',
      '__proto__',
      '\0\0\x10\0',
      '\0\0\0\x02{}',
      ',"x":1',
      '1e999',
    ],
  },
  {
    name: 'launcher-report',
    take: takeReport,
    expected: ['E_PRIVDROP_REPORT'],
    dictionary: [
      '\n',
      END_LINE,
      'F\n',
      'D /',
      'E link /srv\n',
      'S .|1001|41ed|1|1|1\n',
      '|',
      '4294967295',
      'S usertd.toml|',
      '|81a4|',
      '\nL ',
    ],
  },
  {
    name: 'manifest',
    take: takeManifest,
    expected: [],
    dictionary: [
      '[env]\n',
      '[limits]\n',
      '[[a]]\n',
      '=',
      '"',
      "'''",
      '{',
      '[',
      '__proto__',
      'constructor',
      '-0',
      '1e308',
      'nan',
      '\\u0000',
      '\\ud800',
      'inf',
      '0x',
      '../',
      'pids_max=',
      'command=',
    ],
  },
  {
    name: 'params',
    take: takeParams,
    expected: ['E_PARAMS_MALFORMED', 'E_PARAMS_DUPLICATE', 'E_PARAMS_TOO_LARGE'],
    dictionary: [
      '\xff\xff\xff\xff',
      '\x80\0\0\x01',
      '\x0f\x14SCRIPT_FILENAME',
      '/srv/',
      '/apps/',
      '/../',
      '%2e%2e%2f',
      '\0',
      'proxy:fcgi://h/',
      '//',
      'PATH_INFO',
      'PATH_TRANSLATED',
      '__proto__',
    ],
  },
  {
    name: 'response-head',
    take: takeHead,
    expected: ['E_WORKER_PROTOCOL'],
    dictionary: [
      '\r\n',
      '\n',
      '\r',
      '\n\n',
      ' ',
      '\t',
      ':',
      '\0',
      'Status: ',
      'HTTP/1.1 200 OK\r\n',
      'Location: /',
      'Content-Length: ',
      'Transfer-Encoding: chunked',
      'X-Sendfile: ',
      'Set-Cookie: ',
    ],
  },
  {
    name: 'record',
    take: takeRecords,
    expected: ['E_FCGI_VERSION'],
    dictionary: [
      '\x01\x01\0\x01\0\x08\0\0',
      '\x01\x04\xff\xff\xff\xff\xff\0',
      '\x01\x05',
      '\x01\x09\0\0\0\0\0\0',
      '\x02',
    ],
  },
  {
    name: 'control',
    take: takeControl,
    expected: [],
    dictionary: [
      '{"command":"',
      'status',
      'suspend',
      '"user":"',
      '"app":"',
      '__proto__',
      '\\u0000',
      '[[[[',
      '}',
      ',"x":1',
    ],
  },
];

const REPEATS_INPUT: ReadonlySet<ErrorCode> = new Set(['E_PARAMS_DUPLICATE', 'E_FCGI_VERSION']);

/** @throws what is a finding */
export function outcomeOf(target: Target, chunks: readonly Buffer[]): string {
  try {
    return target.take(chunks);
  } catch (err) {
    if (!isUsherdError(err) || !target.expected.includes(err.code)) throw err;
    if (REPEATS_INPUT.has(err.code)) return err.code;
    // Our own words tell one refusal from another; what was sent would tell every input from every other.
    const words = err.message.replaceAll(/\d+/g, '0');
    return /^[a-zA-Z_0 ,:;.-]{1,80}$/.test(words) ? `${err.code} ${words}` : err.code;
  }
}
