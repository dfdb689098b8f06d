// One application a language; all of them do what test/fixtures/languages asks for. README's table is held to this.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../../../../test/fixtures/languages');

export interface LanguageFile {
  readonly name: string;
  readonly text: string | Buffer;
  readonly mode?: number;
}

export interface LanguageCase {
  /** What the application answers after "hello". */
  readonly name: string;
  readonly language: string;
  readonly marker: string;
  readonly packages: string;
  readonly protocol: 'FastCGI' | 'HTTP' | 'SCGI';
  /** Absolute paths that have to be there. */
  readonly needs: readonly string[];
  /** In front of the routes: '' or the script. */
  readonly base: string;
  readonly files: () => readonly LanguageFile[];
}

const fixture = (name: string, mode = 0o644): LanguageFile => ({
  name: name.slice(name.indexOf('/') + 1),
  text: readFileSync(join(FIXTURES, name)),
  mode,
});

/** Compiles in a directory of its own, and gives back what came out of it. */
function compiled(
  source: string,
  output: string,
  commands: readonly (readonly string[])[],
): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-compile-'));
  try {
    copyFileSync(join(FIXTURES, source), join(directory, source.slice(source.indexOf('/') + 1)));
    chmodSync(directory, 0o700);
    for (const [file = '', ...args] of commands) {
      const env = {
        ...process.env,
        HOME: directory,
        GOCACHE: join(directory, 'cache'),
        GO111MODULE: 'off',
      };
      execFileSync(file, args, { cwd: directory, env, stdio: 'pipe' });
    }
    return readFileSync(join(directory, output));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const base = { base: '' } as const;

const SCGI_PROGRAM = `#!/bin/sh
exec /usr/bin/uwsgi --plugin python3 --protocol scgi --socket fd://0 --wsgi-file app.py --callable app \\
  --need-app --disable-logging --buffer-size 65535 --master --processes 1 \\
  --hook-master-start 'unix_signal:15 gracefully_kill_them_all'
`;

export const LANGUAGES: readonly LanguageCase[] = [
  {
    ...base,
    name: 'node',
    language: 'Node',
    marker: '`server.js`, `app.js` (or `.mjs`)',
    packages: 'nodejs',
    protocol: 'HTTP',
    needs: ['/usr/bin/node'],
    files: () => [fixture('node/server.js'), fixture('node/routes.cjs')],
  },
  {
    ...base,
    name: 'esm',
    language: 'Node, ESM and start script',
    marker: '`package.json`',
    packages: 'nodejs',
    protocol: 'HTTP',
    needs: ['/usr/bin/node'],
    files: () => [fixture('esm/main.js'), fixture('esm/package.json'), fixture('node/routes.cjs')],
  },
  {
    ...base,
    name: 'python',
    language: 'Python, WSGI',
    marker: '`wsgi.py`, `passenger_wsgi.py`, `app.py`, `manage.py`',
    packages: 'uwsgi-plugin-python3',
    protocol: 'FastCGI',
    needs: ['/usr/bin/uwsgi', '/usr/lib/uwsgi/plugins/python3_plugin.so'],
    files: () => [fixture('python/app.py')],
  },
  {
    ...base,
    name: 'asgi',
    language: 'Python, ASGI',
    marker: '`asgi.py`',
    packages: 'uvicorn',
    protocol: 'HTTP',
    needs: ['/usr/lib/python3/dist-packages/uvicorn/__init__.py'],
    files: () => [fixture('asgi/asgi.py')],
  },
  {
    ...base,
    name: 'perl',
    language: 'Perl, PSGI',
    marker: '`app.psgi`',
    packages: 'libplack-perl libfcgi-perl libfcgi-procmanager-perl',
    protocol: 'FastCGI',
    needs: ['/usr/bin/plackup', '/usr/share/perl5/FCGI/ProcManager.pm'],
    files: () => [fixture('perl/app.psgi')],
  },
  {
    ...base,
    name: 'perl-cgi',
    language: 'Perl, CGI::Fast',
    marker: '`app.fcgi`, executable',
    packages: 'libcgi-fast-perl',
    protocol: 'FastCGI',
    needs: ['/usr/share/perl5/CGI/Fast.pm'],
    files: () => [fixture('perl-cgi/app.fcgi', 0o755)],
  },
  {
    ...base,
    name: 'ruby',
    language: 'Ruby, Rack',
    marker: '`config.ru`',
    packages: 'puma ruby-rack',
    protocol: 'HTTP',
    needs: ['/usr/bin/puma'],
    files: () => [fixture('ruby/config.ru')],
  },
  {
    ...base,
    name: 'php',
    language: 'PHP',
    marker: 'any `*.php`',
    packages: 'php-cgi',
    protocol: 'FastCGI',
    needs: ['/usr/bin/php-cgi'],
    files: () => [fixture('php/index.php')],
  },
  {
    ...base,
    name: 'cgi',
    language: 'CGI programs',
    marker: '`*.cgi`, `cgi-bin/`',
    packages: 'fcgiwrap',
    protocol: 'FastCGI',
    needs: ['/usr/sbin/fcgiwrap'],
    base: '/app.cgi',
    files: () => [fixture('cgi/app.cgi', 0o755)],
  },
  {
    ...base,
    name: 'c',
    language: 'C, C++, Rust: any FastCGI program',
    marker: '`app.fcgi`, executable',
    packages: '',
    protocol: 'FastCGI',
    needs: ['/usr/bin/gcc', '/usr/include/fcgi_stdio.h', '/usr/include/openssl/evp.h'],
    files: () => {
      const gcc = ['gcc', '-O1', '-o', 'app', 'app.c', '-lfcgi', '-lcrypto'];
      const text = compiled('c/app.c', 'app', [gcc]);
      return [{ name: 'app.fcgi', text, mode: 0o755 }];
    },
  },
  {
    ...base,
    name: 'lua',
    language: 'Lua, WSAPI',
    marker: '`app.fcgi`, executable',
    packages: 'lua-wsapi-fcgi lua5.1',
    protocol: 'FastCGI',
    needs: ['/usr/bin/lua5.1', '/usr/share/lua/5.1/wsapi/fastcgi.lua'],
    files: () => [fixture('lua/app.fcgi', 0o755)],
  },
  {
    ...base,
    name: 'go',
    language: 'Go: any HTTP program that takes LISTEN_FDS',
    marker: '`usherd.toml`: `command`, `protocol = "http"`',
    packages: '',
    protocol: 'HTTP',
    needs: ['/usr/bin/go'],
    files: () => [
      {
        name: 'serve',
        text: compiled('go/main.go', 'serve', [['go', 'build', '-o', 'serve', 'main.go']]),
        mode: 0o755,
      },
      {
        name: 'usherd.toml',
        text: 'command = ["./serve"]\nprotocol = "http"\nconcurrency = 64\n',
      },
    ],
  },
  {
    ...base,
    name: 'scgi',
    language: 'any program that speaks SCGI',
    marker: '`usherd.toml`: `command`, `protocol = "scgi"`',
    packages: '',
    protocol: 'SCGI',
    needs: ['/usr/bin/uwsgi', '/usr/lib/uwsgi/plugins/python3_plugin.so'],
    files: () => [
      fixture('python/app.py'),
      { name: 'serve', text: SCGI_PROGRAM, mode: 0o755 },
      { name: 'usherd.toml', text: 'command = ["./serve"]\nprotocol = "scgi"\n' },
    ],
  },
  {
    ...base,
    name: 'java',
    language: 'Java, JSP and servlets',
    marker: '`WEB-INF/`',
    packages: 'tomcat10 default-jre-headless',
    protocol: 'HTTP',
    needs: ['/usr/bin/java', '/usr/share/tomcat10/bin/bootstrap.jar'],
    files: () => [fixture('java/WEB-INF/web.xml'), fixture('java/WEB-INF/app.jsp')],
  },
  {
    ...base,
    name: 'jar',
    language: 'Java, jar on System.inheritedChannel()',
    marker: '`app.jar`',
    packages: 'default-jre-headless',
    protocol: 'HTTP',
    needs: ['/usr/bin/java', '/usr/bin/javac', '/usr/bin/jar'],
    files: () => {
      const commands = [
        ['javac', 'Main.java'],
        ['jar', 'cfe', 'app.jar', 'Main', 'Main.class'],
      ];
      return [{ name: 'app.jar', text: compiled('jar/Main.java', 'app.jar', commands) }];
    },
  },
  {
    ...base,
    name: 'procfile',
    language: 'a command',
    marker: '`Procfile` with `web:`',
    packages: '',
    protocol: 'HTTP',
    needs: ['/usr/bin/node'],
    files: () => [
      fixture('procfile/Procfile'),
      fixture('procfile/main.cjs'),
      fixture('node/routes.cjs'),
    ],
  },
];

/** For `skip`: false where it can be tried. */
export function noLanguage({ needs }: LanguageCase): string | false {
  const missing = needs.find((path) => !existsSync(path));
  return missing === undefined ? false : `${missing} is not installed`;
}
