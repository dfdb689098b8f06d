// The status page as a worker that lives in the router: a request that the web server proves to be for it gets its answer here.
import type { Logger } from '../../log.js';
import { Figures } from '../figures.js';
import type { Exchange, ExchangeSink } from '../protocols/exchange.js';
import type { RememberedFailure } from '../recent-failures.js';
import type { Assignment } from '../request-types.js';
import type { Params, Resolved } from '../resolve.js';
import { waitingIn, type Scene } from '../scene.js';
import { LIMITS } from '../../limits.js';
import { SCRIPT, STYLE } from './assets.js';
import { History } from './history.js';
import { statusPage } from './page.js';

/** Where such a request goes: to no user and no application, so that nothing of theirs is counted, logged or looked at. */
export const STATUS_PLACE: Resolved = {
  ...{ ok: true, user: '', app: '', directory: '', rest: '', publicRest: '' },
  url: { scriptName: '', path: '/' },
};

export interface StatusPageParts {
  readonly log: Logger;
  readonly version: string;
  readonly scene: () => Promise<Scene>;
  readonly failures: () => readonly RememberedFailure[];
  /** Between two samples of the charts. */
  readonly sampleIntervalMs: number;
}

const USER_QUERY = /^user=([a-z_][a-z0-9_-]{0,31})$/;

/** No script, no style, no picture from anywhere else, in no other page's frame. */
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Rendered {
  readonly query: string;
  readonly atMs: number;
  readonly answer: Promise<Buffer>;
}

export class StatusPage {
  readonly #parts: StatusPageParts;
  readonly #history: History;
  #timer: NodeJS.Timeout | undefined;
  #isSampling = false;
  #last: Rendered | undefined;

  constructor(parts: StatusPageParts) {
    this.#parts = parts;
    this.#history = new History({
      intervalMs: parts.sampleIntervalMs,
      samplesMaxCount: LIMITS.historySamplesCount,
    });
  }

  /** @param scene without asking the supervisor: nobody may be looking */
  start(scene: () => Promise<Scene>): void {
    const sample = (): void => {
      if (this.#isSampling) return;
      this.#isSampling = true;
      void scene()
        .then((looked) => this.#history.sample(sightOf(looked), performance.now()))
        .catch((err: unknown) => this.#parts.log.error({ err }, 'no sample for the status page'))
        .finally(() => (this.#isSampling = false));
    };
    sample();
    this.#timer = setInterval(sample, this.#parts.sampleIntervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** As if the page were a worker: deadlines, slow clients and aborted requests are the request's own business. */
  readonly assignment: Assignment = {
    ...{ worker: '', pid: process.pid, isFirst: false, missingScriptBody: '', isExternal: false },
    askedAtMs: Infinity,
    origins: {
      ...{ startTimeoutMs: 'built-in', firstByteTimeoutMs: 'built-in' },
      ...{ silenceTimeoutMs: 'built-in', requestTimeoutMs: 'built-in' },
    },
    limits: {
      ...{ startTimeoutMs: LIMITS.statusDeadlineMs, firstByteTimeoutMs: LIMITS.statusDeadlineMs },
      silenceTimeoutMs: LIMITS.statusDeadlineMs,
      requestTimeoutMs: LIMITS.statusDeadlineMs,
    },
    open: ({ params }, sink) => this.#open(params, sink),
    whenFree: () => undefined,
  };

  #open(params: Params, sink: ExchangeSink): Exchange {
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      sink.answered();
    };
    this.#answer(params)
      .then((bytes) => {
        if (isOver) return;
        sink.output(bytes);
        sink.outputFlush();
        end();
      })
      .catch((err: unknown) => {
        this.#parts.log.error({ err }, 'status page failed');
        if (!isOver) sink.lost('died', 'the status page could not be made');
        isOver = true;
      });
    const nothing = (): void => undefined; // an answer is one piece
    return { pause: nothing, resume: nothing, drop: () => void (isOver = true) };
  }

  #answer(params: Params): Promise<Buffer> {
    const method = params.get('REQUEST_METHOD') ?? 'GET';
    const query = params.get('QUERY_STRING') ?? '';
    if (method !== 'GET' && method !== 'HEAD')
      return Promise.resolve(answer(405, PLAIN, 'GET only\n'));
    if (query === 'style') return Promise.resolve(answer(200, 'text/css', STYLE));
    if (query === 'script') return Promise.resolve(answer(200, 'text/javascript', SCRIPT));
    return this.#page(query);
  }

  /** Many who look at once see the same page: it is made once a second. */
  #page(query: string): Promise<Buffer> {
    const nowMs = performance.now();
    const last = this.#last;
    if (last?.query === query && nowMs - last.atMs < LIMITS.statusKeptMs) return last.answer;
    const made = this.#make(USER_QUERY.exec(query)?.[1]);
    this.#last = { query, atMs: nowMs, answer: made };
    return made;
  }

  async #make(user: string | undefined): Promise<Buffer> {
    const { scene, failures, version } = this.#parts;
    const input = {
      scene: await scene(),
      history: this.#history,
      failures: failures(),
      user,
      version,
    };
    return answer(200, 'text/html', statusPage({ ...input, nowMs: performance.now() }));
  }
}

const PLAIN = 'text/plain';

function answer(status: number, type: string, text: string): Buffer {
  const body = Buffer.from(text);
  const head = [
    `Status: ${status}`,
    `Content-Type: ${type}; charset=utf-8`,
    `Content-Length: ${body.length}`,
    `Content-Security-Policy: ${POLICY}`,
    'X-Content-Type-Options: nosniff',
    'Referrer-Policy: no-referrer',
    'Cache-Control: no-store',
    '\r\n',
  ];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body]);
}

function sightOf(scene: Scene): Parameters<History['sample']>[0] {
  const figures = new Figures();
  figures.add(scene.elsewhere);
  let workers = 0;
  let busy = 0;
  for (const app of scene.apps) {
    figures.add(app.figures);
    for (const pool of app.pools) {
      workers += pool.workers.length;
      busy += pool.workers.filter(({ inFlight }) => inFlight > 0).length;
    }
  }
  return { figures, waiting: waitingIn(scene), workers, busy };
}
