// The closed list of what the router may ask of root, in the sense of the OpenSSH monitor: message, when, what then.
import type { RouterMessage } from '../ipc/index.js';

/** Where one connection is: it greets once, and then it may ask. */
export type MonitorState = 'greeting' | 'serving';

type Of<T extends RouterMessage['type']> = Extract<RouterMessage, { type: T }>;
export type ReportRow = Of<
  'reportApp' | 'reportWorker' | 'reportFailure' | 'reportRequest' | 'reportRouter' | 'reportEnd'
>;

/** What root can do for a router. None of it takes a path, a uid, a pid, an argument or a limit. */
export interface Monitored {
  greet(): void;
  need(message: Of<'need'>): void;
  retire(message: Of<'retire'>): void;
  check(message: Of<'check'>): void;
  usage(message: Of<'usage'>): void;
  reported(row: ReportRow): void;
  reloaded(message: Of<'reloaded'>): void;
}

interface Row<T extends RouterMessage['type']> {
  readonly permitted: MonitorState;
  readonly answer: (monitored: Monitored, message: Of<T>) => void;
}

export const MONITOR: { readonly [T in RouterMessage['type']]: Row<T> } = {
  hello: { permitted: 'greeting', answer: (m) => m.greet() },
  need: { permitted: 'serving', answer: (m, message) => m.need(message) },
  retire: { permitted: 'serving', answer: (m, message) => m.retire(message) },
  check: { permitted: 'serving', answer: (m, message) => m.check(message) },
  usage: { permitted: 'serving', answer: (m, message) => m.usage(message) },
  reloaded: { permitted: 'serving', answer: (m, message) => m.reloaded(message) },
  reportApp: { permitted: 'serving', answer: (m, row) => m.reported(row) },
  reportWorker: { permitted: 'serving', answer: (m, row) => m.reported(row) },
  reportFailure: { permitted: 'serving', answer: (m, row) => m.reported(row) },
  reportRequest: { permitted: 'serving', answer: (m, row) => m.reported(row) },
  reportRouter: { permitted: 'serving', answer: (m, row) => m.reported(row) },
  reportEnd: { permitted: 'serving', answer: (m, row) => m.reported(row) },
};

/** False, and nothing done, if the message is not permitted now. What is not in the list never gets here. */
export function answerRouter(
  state: MonitorState,
  monitored: Monitored,
  message: RouterMessage,
): boolean {
  // The compiler cannot correlate the two: the row belongs to the type of this very message.
  const row = MONITOR[message.type] as Row<typeof message.type>;
  if (row.permitted !== state) return false;
  row.answer(monitored, message);
  return true;
}
