// How long a web server has to wait for usherd, which answers with a reason where the web server's own timeout tells nothing.
import type { Config } from '../config/index.js';

/** The longest silence that somebody's application is allowed. */
export const longestSilenceMs = ({ defaults, users }: Config): number =>
  Math.max(
    ...[defaults, ...[...users.values()].map(({ limits }) => limits)].flatMap(
      ({ firstByteTimeoutMs, silenceTimeoutMs }) => [firstByteTimeoutMs, silenceTimeoutMs],
    ),
  );

/** For the web server to say: longer by the time in which a request waits for a worker, more or less. */
export const patienceS = (silenceMs: number): number => Math.ceil(silenceMs / 1_000) + 30;
