// What the admin's commands may ask of the supervisor over control.sock: one line of JSON each way.
import { z } from 'zod';
import { APP_ID, USER_NAME } from './messages.js';

const app = z.string().regex(APP_ID);
const user = z.string().regex(USER_NAME);

export const controlRequest = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('ping') }),
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('requests') }),
  z.strictObject({ command: z.literal('describe'), app }),
  z.strictObject({ command: z.literal('start'), app }),
  z.strictObject({ command: z.literal('restart'), app }),
  z.strictObject({ command: z.literal('stop'), app }),
  z.strictObject({ command: z.literal('reset'), app }),
  z.strictObject({ command: z.literal('suspend'), user }),
  z.strictObject({ command: z.literal('resume'), user }),
  z.strictObject({ command: z.literal('reload') }),
]);
export type ControlRequest = z.infer<typeof controlRequest>;

/**
 * `result` depends on the command; `findings` come with a refused reload. `configReadAtMs`: when the files were read that are in
 * force, so that whoever asks can tell whether they have changed since.
 */
export type ControlAnswer =
  | { readonly ok: true; readonly result: object; readonly configReadAtMs: number }
  | {
      readonly ok: false;
      readonly code: string;
      readonly detail: string;
      readonly findings: readonly object[];
    };
