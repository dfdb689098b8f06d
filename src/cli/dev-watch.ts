// Tells when something in an application's directory has changed: a burst of changes once, what tools write not at all.
import { watch } from 'node:fs';

const SETTLE_MS = 150;
/** Dependencies, version control, caches and what applications write themselves. */
const IGNORED =
  /(?:^|\/)(?:node_modules|\.git|\.hg|\.svn|venv|\.venv|__pycache__|tmp|log|logs|cache)(?:\/|$)|(?:~|\.sw[a-p]|\.pyc|\.log)$/;

/** Whether a change of this file, relative to the directory, asks for a restart. */
export const isSource = (name: string): boolean => !IGNORED.test(name);

/** @returns a function that ends it */
export function watchSources(directory: string, onChanged: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(directory, { recursive: true }, (_event, name) => {
    if (name === null || !isSource(name)) return;
    clearTimeout(timer);
    timer = setTimeout(onChanged, SETTLE_MS);
  });
  watcher.on('error', () => undefined); // a directory that goes while it is watched
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
