// Asks the router what it is doing and collects the rows of its answer; a router that is away or slow costs a bounded wait.
import { LIMITS } from '../limits.js';
import type { ReportRow } from './monitor.js';

type Row<T extends ReportRow['type']> = Extract<ReportRow, { type: T }>;

export interface RouterReport {
  readonly apps: readonly Row<'reportApp'>[];
  readonly workers: readonly Row<'reportWorker'>[];
  readonly router: Row<'reportRouter'> | undefined;
}

interface Pending {
  readonly serial: number;
  readonly apps: Row<'reportApp'>[];
  readonly workers: Row<'reportWorker'>[];
  router: Row<'reportRouter'> | undefined;
  readonly settle: (report: RouterReport | undefined) => void;
}

export class RouterReports {
  #serial = 0;
  #pending: Pending | undefined;
  #answer: Promise<RouterReport | undefined> | undefined;

  /** Undefined if there is no answer in time. Whoever asks meanwhile gets the same answer. */
  ask(send: (serial: number) => boolean): Promise<RouterReport | undefined> {
    this.#answer ??= this.#ask(send).finally(() => {
      this.#answer = undefined;
      this.#pending = undefined;
    });
    return this.#answer;
  }

  /** Rows of an older question, and rows beyond every bound, are passed over. */
  row(row: ReportRow): void {
    const pending = this.#pending;
    if (pending?.serial !== row.serial) return;
    switch (row.type) {
      case 'reportApp':
        if (pending.apps.length < LIMITS.appsMaxCount) pending.apps.push(row);
        return;
      case 'reportWorker':
        if (pending.workers.length < LIMITS.appsMaxCount) pending.workers.push(row);
        return;
      case 'reportRouter':
        pending.router = row;
        return;
      case 'reportEnd':
        pending.settle({ ...pending });
        return;
    }
  }

  /** The router is gone: nobody will answer. */
  abandon(): void {
    this.#pending?.settle(undefined);
  }

  #ask(send: (serial: number) => boolean): Promise<RouterReport | undefined> {
    this.#serial += 1;
    const serial = this.#serial;
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve(undefined), LIMITS.reportDeadlineMs);
      const settle = (report: RouterReport | undefined): void => {
        clearTimeout(deadline);
        resolve(report);
      };
      this.#pending = { serial, apps: [], workers: [], router: undefined, settle };
      if (!send(serial)) settle(undefined);
    });
  }
}
