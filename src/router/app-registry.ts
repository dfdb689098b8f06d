// The applications and workers that the router knows of, bounded; nothing here decides or acts.
import type { SupervisorMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import { Application } from './application.js';
import { Figures } from './figures.js';
import { FastcgiConnections } from './protocols/fastcgi-connections.js';
import type { WorkerRecord } from './worker-record.js';

export type WorkerNews = Extract<SupervisorMessage, { type: 'spawned' | 'living' }>;

export class AppRegistry {
  readonly #apps = new Map<string, Application>();
  readonly #workers = new Map<string, WorkerRecord>();
  readonly #runDirectory: string;
  /** Of requests that led to no application, and of applications that are forgotten. */
  readonly elsewhere = new Figures();

  constructor(runDirectory: string) {
    this.#runDirectory = runDirectory;
  }

  app(id: string): Application | undefined {
    return this.#apps.get(id);
  }

  apps(): Iterable<Application> {
    return this.#apps.values();
  }

  worker(id: string | undefined): WorkerRecord | undefined {
    return id === undefined ? undefined : this.#workers.get(id);
  }

  /** For the prefix of what it writes: with several requests at once, nobody knows about which one it speaks. */
  identify(id: string): { readonly pid: string; readonly request: string } {
    const worker = this.#workers.get(id);
    const [request] = worker?.requests.size === 1 ? worker.requests : [];
    return { pid: String(worker?.pid ?? '-'), request: request?.name ?? '-' };
  }

  /** Names that anybody could ask for share one place: nobody fills the memory by making some up. */
  figuresOf(app: Application | undefined): Figures {
    return app?.facts === undefined ? this.elsewhere : app.figures;
  }

  workers(): readonly WorkerRecord[] {
    return [...this.#workers.values()];
  }

  /** Found or made. */
  obtain(id: string): Application {
    let app = this.#apps.get(id);
    if (app === undefined) {
      if (this.#apps.size >= LIMITS.appsMaxCount) this.#forgetOne();
      app = new Application(id);
      this.#apps.set(id, app);
    }
    return app;
  }

  addWorker(news: WorkerNews): void {
    if (this.#workers.has(news.worker)) return;
    const socketPath = `${this.#runDirectory}/worker/${news.worker}.sock`;
    this.#workers.set(news.worker, {
      id: news.worker,
      pid: news.pid,
      app: news.app,
      runtime: news.runtime,
      protocol: news.protocol,
      socketPath,
      connections: new FastcgiConnections(socketPath, news.concurrency),
      external: news.connect === '' ? undefined : { path: news.connect, uid: news.uid },
      requests: new Set(),
      served: 0,
      askedAtMs: undefined,
      hasAnswered: news.type === 'living',
      retiredFor: undefined,
      onIdle: undefined,
    });
    const app = this.obtain(news.app);
    app.workerCount += 1;
    if (news.runtime === app.facts?.defaultRuntime) app.takesChunks = news.protocol === 'http';
  }

  removeWorker(id: string): WorkerRecord | undefined {
    const worker = this.#workers.get(id);
    if (worker === undefined) return undefined;
    this.#workers.delete(id);
    worker.connections.retire();
    const app = this.#apps.get(worker.app);
    if (app !== undefined) app.workerCount -= 1;
    return worker;
  }

  /** Names that never had a worker make room, the oldest first: what exists is bounded by the directories there are. */
  #forgetOne(): void {
    for (const [id, app] of this.#apps) {
      // One that is asked for has an answer to come, for which others of its user may wait.
      const isAskedFor = app.pending.size > 0 || app.ticket !== undefined;
      if (app.runtimes.size > 0 || isAskedFor) continue;
      if (app.facts !== undefined) this.elsewhere.add(app.figures);
      this.#apps.delete(id);
      return;
    }
  }
}
