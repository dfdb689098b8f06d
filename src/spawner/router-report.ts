// Asks the router what it is doing and collects the rows of its answer; a router that is away or slow costs a bounded wait.
import type { SupervisorMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { ReportRow } from './monitor.js';

type Row<T extends ReportRow['type']> = Extract<ReportRow, { type: T }>;
type Question = Extract<SupervisorMessage, { type: 'report' }>;

export interface RouterReport {
  readonly apps: readonly Row<'reportApp'>[];
  readonly workers: readonly Row<'reportWorker'>[];
  readonly failures: readonly Row<'reportFailure'>[];
  readonly requests: readonly Row<'reportRequest'>[];
  readonly router: Row<'reportRouter'> | undefined;
}

interface Pending {
  readonly apps: Row<'reportApp'>[];
  readonly workers: Row<'reportWorker'>[];
  readonly failures: Row<'reportFailure'>[];
  readonly requests: Row<'reportRequest'>[];
  router: Row<'reportRouter'> | undefined;
  readonly settle: (report: RouterReport | undefined) => void;
}

export class RouterReports {
  #serial = 0;
  /** By serial; one for each thing that can be asked about. */
  readonly #pending = new Map<number, Pending>();
  readonly #answers = new Map<Question['about'], Promise<RouterReport | undefined>>();

  /** Undefined if there is no answer in time. Whoever asks the same meanwhile gets the same answer. */
  ask(
    about: Question['about'],
    send: (question: Question) => boolean,
  ): Promise<RouterReport | undefined> {
    const underWay = this.#answers.get(about);
    if (underWay !== undefined) return underWay;
    this.#serial += 1;
    const serial = this.#serial;
    const answer = this.#ask(serial, () => send({ type: 'report', serial, about })).finally(() => {
      this.#answers.delete(about);
      this.#pending.delete(serial);
    });
    this.#answers.set(about, answer);
    return answer;
  }

  /** Rows of an older question, and rows beyond every bound, are passed over. */
  row(row: ReportRow): void {
    const pending = this.#pending.get(row.serial);
    if (pending === undefined) return;
    switch (row.type) {
      case 'reportApp':
        keep(pending.apps, row, LIMITS.appsMaxCount);
        return;
      case 'reportWorker':
        keep(pending.workers, row, LIMITS.appsMaxCount);
        return;
      case 'reportFailure':
        keep(pending.failures, row, LIMITS.failuresRememberedMaxCount);
        return;
      case 'reportRequest':
        keep(pending.requests, row, LIMITS.requestsReportedMaxCount);
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
    for (const pending of this.#pending.values()) pending.settle(undefined);
  }

  #ask(serial: number, send: () => boolean): Promise<RouterReport | undefined> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve(undefined), LIMITS.reportDeadlineMs);
      const settle = (report: RouterReport | undefined): void => {
        clearTimeout(deadline);
        resolve(report);
      };
      const rows = { apps: [], workers: [], failures: [], requests: [], router: undefined };
      this.#pending.set(serial, { ...rows, settle });
      if (!send()) settle(undefined);
    });
  }
}

function keep<T>(rows: T[], row: T, maxCount: number): void {
  if (rows.length < maxCount) rows.push(row);
}
