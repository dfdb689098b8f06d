// What a test may ask of a web server, whichever it is, and what each of them is given to start.
import type { HttpAnswer, HttpRequest } from './http-client.js';

export const FRONT_NAMES = ['apache', 'nginx', 'lighttpd', 'caddy', 'haproxy'] as const;
export type FrontName = (typeof FRONT_NAMES)[number];

/** One web server of our own, with the configuration that is shipped. */
export interface Front {
  readonly name: FrontName;
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  request(request: HttpRequest): Promise<HttpAnswer>;
  /** False once the process that was started is gone. */
  readonly isAlive: boolean;
  /** What it has written so far: its own logs and what it says on stdout and stderr. */
  log(): string;
}

interface Site {
  /** Absolute: the application's directory, or its public/. */
  readonly root: string;
  /** False for an entry program without public/: its directory holds sources. */
  readonly hasFiles: boolean;
}

/** An application served as a host of its own. */
export interface Host extends Site {
  readonly name: string;
}

/** An application served below a path of the default host. */
export interface Mount extends Site {
  /** Starts with a slash and ends without one. */
  readonly path: string;
}

export interface Sites {
  /** Takes the place of /srv in the shipped files. */
  readonly srv: string;
  /** Takes the place of /run/usherd/front/front.sock. */
  readonly frontSocket: string;
  readonly hosts: readonly Host[];
  readonly mounts: readonly Mount[];
}

export interface FrontOptions extends Sites {
  /** Configuration, logs and temporary files; made and removed by the caller. */
  readonly directory: string;
  readonly port: number;
}
