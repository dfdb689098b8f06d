// The rules for an application directory, through the dialogue that applies them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import {
  DIRECTORY,
  directoryLine,
  END_LINE,
  manifestLines,
  Mode,
  Recorder,
  report,
  statLine,
  type StatFields,
} from '../../support/launcher-lines.js';

function ruleFor(text: string): string {
  const recorder = Recorder.looking();
  recorder.say(text);
  assert.equal(recorder.reports.length + recorder.refusals.length, 1);
  assert.ok(recorder.refusals.every(({ code }) => code === 'E_ACCESS_REFUSED'));
  return recorder.rule;
}

const forDirectory = (fields: Partial<StatFields>): string =>
  ruleFor(`D ${DIRECTORY}\n${directoryLine(fields)}${END_LINE}`);

const forManifest = (fields: Partial<StatFields>, text: string | null = 'x'): string => {
  const mark = statLine({ name: 'usherd.toml', ...fields });
  return ruleFor(text === null ? report(mark) : report(mark, manifestLines(text)));
};

const forEntry = (fields: Partial<StatFields>, name = 'app.fcgi'): string =>
  ruleFor(report(statLine({ name, ...fields })));

describe('an application directory', () => {
  it('belongs to its user, and only that user may write', () => {
    assert.equal(forDirectory({}), '');
    assert.equal(forDirectory({ uid: 1_002 }), 'app-directory-owner');
    assert.equal(forDirectory({ uid: 0 }), 'app-directory-owner');
    assert.equal(forDirectory({ mode: Mode.DIRECTORY_775 }), 'app-directory-mode');
    assert.equal(forDirectory({ mode: '41ef' }), 'app-directory-mode');
  });

  it('names path, found, expected and remedy when it refuses', () => {
    const recorder = Recorder.looking();
    recorder.say(`D ${DIRECTORY}\n${directoryLine({ uid: 7 })}${END_LINE}`);
    assert.deepEqual(recorder.refusals[0]?.finding, {
      rule: 'app-directory-owner',
      path: DIRECTORY,
      found: 'owner uid 7',
      expected: 'owner uid 1001',
      remedy: `chown 1001 ${DIRECTORY}`,
    });
  });

  const way = (link: string, uid: number, links = true): string => {
    const components = ['/srv', '/srv/alice', '/srv/alice/apps', DIRECTORY].map((name) => {
      const isLink = links && name === link;
      const mode = isLink ? Mode.LINK_777 : Mode.DIRECTORY_755;
      return statLine({ name, mode, uid: isLink ? uid : 0 });
    });
    return ruleFor(`D /data/alice/apps/blog\n${directoryLine()}${components.join('')}${END_LINE}`);
  };
  for (const link of ['/srv', '/srv/alice', '/srv/alice/apps', DIRECTORY]) {
    it(`may be reached through ${link} as a link of root, not of anybody else`, () => {
      assert.equal(way(link, 0), '');
      assert.equal(way(link, 1_001), 'app-directory-symlink');
      assert.equal(way(link, 1_002), 'app-directory-symlink');
    });
  }

  it('is refused if it is somewhere else and no link explains it', () => {
    assert.equal(way('/srv', 0, false), 'app-directory-symlink');
  });

  it('is refused if a component is gone that might have been a link', () => {
    const link = statLine({ name: '/srv', mode: Mode.LINK_777, uid: 0 });
    const text = `D /data/blog\n${directoryLine()}${link}${END_LINE}`;
    assert.equal(ruleFor(text), 'app-directory-symlink');
  });
});

describe('a manifest', () => {
  it('is optional, and may be empty', () => {
    assert.equal(ruleFor(report()), '');
    assert.equal(forManifest({ size: 0 }, ''), '');
  });

  for (const kind of [
    'LINK_777',
    'FIFO_644',
    'SOCKET_755',
    'BLOCK_644',
    'DIRECTORY_755',
  ] as const) {
    it(`is not a ${kind.toLowerCase().replace(/_.*/, '')}`, () => {
      assert.equal(forManifest({ mode: Mode[kind] }, null), 'manifest-kind');
    });
  }

  it('has one name, one owner, and one who may write', () => {
    assert.equal(forManifest({}), '');
    assert.equal(forManifest({ links: 2 }), 'manifest-kind');
    assert.equal(forManifest({ links: 0 }), 'manifest-kind');
    assert.equal(forManifest({ uid: 0 }), 'manifest-owner');
    assert.equal(forManifest({ uid: 1_002 }), 'manifest-owner');
    assert.equal(forManifest({ mode: Mode.FILE_664 }), 'manifest-mode');
    assert.equal(forManifest({ mode: Mode.FILE_666 }), 'manifest-mode');
    assert.equal(forManifest({ mode: Mode.FILE_200 }, null), 'manifest-mode');
  });

  it('has as many bytes as allowed, and not one more, whichever way it is told', () => {
    const max = LIMITS.manifestMaxBytes;
    assert.equal(forManifest({ size: max }, 'x'.repeat(max)), '');
    assert.equal(forManifest({ size: max + 1 }, 'x'), 'manifest-size');
    assert.equal(forManifest({ size: 1 }, 'x'.repeat(max + 1)), 'manifest-size');
  });

  it('may contain anything that looks like the dialogue', () => {
    const text = `L 0\nS .|0|41ed|1|1|1\nF\nE missing /srv\n\n${END_LINE.slice(0, -2)}`;
    const recorder = Recorder.looking();
    recorder.say(report(statLine({ name: 'usherd.toml' }), manifestLines(text)));
    assert.equal(recorder.reports[0]?.manifestText, text);
  });

  it('is UTF-8, with its byte order mark left to whoever parses it', () => {
    const bytes = Buffer.from(report(statLine({ name: 'usherd.toml' }), manifestLines('@')));
    const at = bytes.indexOf('@');
    const broken = Recorder.looking();
    broken.say(Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at + 1)]));
    assert.equal(broken.rule, 'manifest-text');
    const marked = Recorder.looking();
    marked.say(report(statLine({ name: 'usherd.toml' }), manifestLines('\u{feff}a')));
    assert.equal(marked.reports[0]?.manifestText, '\u{feff}a');
  });
});

describe('an entry', () => {
  it('belongs to its user or to root', () => {
    assert.equal(forEntry({}), '');
    assert.equal(forEntry({ uid: 0 }), '');
    assert.equal(forEntry({ uid: 1_002 }), 'entry-owner');
    assert.equal(forEntry({ uid: 1_002, mode: Mode.LINK_777 }), 'entry-owner');
  });

  it('is not writable by others, unless it is a link, whose mode means nothing', () => {
    assert.equal(forEntry({ mode: Mode.FILE_664 }), 'entry-mode');
    assert.equal(forEntry({ mode: Mode.DIRECTORY_775 }, 'public'), 'entry-mode');
    assert.equal(forEntry({ mode: Mode.LINK_777 }), '');
  });

  it('is not what a restart marker is: anybody may touch that', () => {
    assert.equal(forEntry({ uid: 1_002, mode: Mode.FILE_666 }, 'tmp/restart.txt'), '');
  });
});
