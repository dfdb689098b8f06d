// Python with ASGI: uvicorn, of the application's own environment where it has one.
import type { RuntimeConfig } from '../config/index.js';
import { ENTRY, LIBEXEC } from './entry.js';
import { environmentPython, pythonModule } from './module-paths.js';

const uvicorn = (python: string): readonly string[] => [python, `${LIBEXEC}/asgi.py`, ENTRY];

export const asgi: RuntimeConfig = {
  name: 'asgi',
  kind: 'entry',
  protocol: 'http',
  command: uvicorn('/usr/bin/python3'),
  variants: ['venv', '.venv'].map((directory) => ({
    file: `${directory}/bin/uvicorn`,
    command: uvicorn(`./${directory}/bin/python`),
    needs: [environmentPython(directory)],
  })),
  extensions: [],
  markers: ['asgi.py'],
  environment: {},
  concurrency: 100,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: 'uvicorn',
  needs: [
    {
      what: 'Python module uvicorn',
      paths: pythonModule('uvicorn'),
      remedy: 'apt-get install uvicorn, or install it into venv/ (venv/bin/pip install uvicorn)',
    },
  ],
  missingScriptBody: '',
};
