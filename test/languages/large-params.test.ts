// The largest request head that is let in reaches every program that speaks FastCGI, whatever room its library has; one byte more is a 431.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { FrontClient, type CgiAnswer } from '../support/front-client.js';
import { filledUp } from '../support/full-params.js';
import { needsRoot } from '../support/needs-root.js';
import { appParams } from '../support/router-rig.js';
import { UsherdRun } from '../support/usherd-run.js';

const ALICE = { name: 'alice', uid: 52_371 };

interface Program {
  readonly name: string;
  readonly needs: string;
  readonly file: string;
  readonly mode?: number;
  /** Answers with how many bytes there are in params that begin with HTTP_FILL, and in how many. */
  readonly text: string;
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'python',
    needs: '/usr/lib/uwsgi/plugins/python3_plugin.so',
    file: 'app.py',
    text: `def app(environ, start_response):
    found = [value for name, value in environ.items() if name.startswith("HTTP_FILL")]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{sum(map(len, found))} in {len(found)}".encode()]
`,
  },
  {
    name: 'perl',
    needs: '/usr/share/perl5/FCGI/ProcManager.pm',
    file: 'app.psgi',
    text: `sub {
  my ($env) = @_;
  my @found = map { $env->{$_} } grep { /^HTTP_FILL/ } keys %$env;
  return [200, ['Content-Type' => 'text/plain'], [length(join('', @found)) . ' in ' . @found]];
};
`,
  },
  {
    name: 'php',
    needs: '/usr/bin/php-cgi',
    file: 'index.php',
    text: `<?php $found = array_filter($_SERVER, fn ($name) => str_starts_with($name, 'HTTP_FILL'), ARRAY_FILTER_USE_KEY);
echo strlen(implode('', $found)), ' in ', count($found);
`,
  },
  {
    name: 'cgi',
    needs: '/usr/sbin/fcgiwrap',
    file: 'index.cgi',
    mode: 0o755,
    text: `#!/usr/bin/perl
my @found = map { $ENV{$_} } grep { /^HTTP_FILL/ } keys %ENV;
print "Content-Type: text/plain\\r\\n\\r\\n", length(join('', @found)), ' in ', scalar @found;
`,
  },
];

describe('a large request head', { skip: needsRoot }, () => {
  let usherd: UsherdRun;
  let front: FrontClient;
  before(async () => {
    usherd = await UsherdRun.start([ALICE], { routerUid: 52_379 });
    front = await FrontClient.connect(usherd.frontSocket);
  });
  after(async () => {
    front.close();
    await usherd.stop();
  });

  const filled = (app: string, total: number, count: number): Map<string, string> => {
    const SCRIPT_FILENAME = `${usherd.root}/alice/apps/${app}`;
    return filledUp(appParams(`alice/${app}`, '/', { SCRIPT_FILENAME }), total, count);
  };

  const sumOf = (params: ReadonlyMap<string, string>): string => {
    const found = [...params].filter(([name]) => name.startsWith('HTTP_FILL'));
    return `${found.reduce((sum, [, value]) => sum + value.length, 0)} in ${found.length}`;
  };
  const ask = (params: Map<string, string>): Promise<CgiAnswer> => front.fetch(params);

  for (const { name, needs, file, text, mode } of PROGRAMS) {
    const skip = existsSync(needs) ? false : `${needs} is not there`;
    test(`item 25: reaches ${name}`, { skip }, async () => {
      usherd.write(`alice/${name}`, file, text, mode);
      for (const count of [20, 200, LIMITS.paramsPairMaxCount]) {
        const params = filled(name, LIMITS.paramsTotalMaxBytes, count);
        const { status, body } = await ask(params);
        assert.equal(`${status} ${body.toString()}`, `200 ${sumOf(params)}`);
      }
      const more = await ask(filled(name, LIMITS.paramsTotalMaxBytes + 1, 200));
      assert.equal(more.status, 431);
      assert.equal(more.headers.get('x-usherd-reason'), 'params-too-large');
    });
  }
});
