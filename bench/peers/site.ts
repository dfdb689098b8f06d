// The users and the pages that every peer serves: the same files, on the same paths, under the same accounts.
import { appendFileSync, chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const USERS_COUNT = 50;
export const ROOT = '/srv';
const FIRST_UID = 20_001;
const ROUTER_UID = 20_000;

export interface BenchUser {
  readonly name: string;
  readonly uid: number;
  /** Name of its virtual host. */
  readonly host: string;
  readonly site: string;
}

export const users: readonly BenchUser[] = Array.from({ length: USERS_COUNT }, (_, index) => {
  const name = `u${String(index).padStart(2, '0')}`;
  return { name, uid: FIRST_UID + index, host: `${name}.test`, site: `${ROOT}/${name}/apps/site` };
});

const UPLOAD = `<?php
$bytes = 0; $in = fopen('php://input', 'r');
while (($chunk = fread($in, 65536)) !== false && $chunk !== '') $bytes += strlen($chunk);
echo $bytes;`;

/** As many bytes as asked for, 64 KiB at a time. */
const DOWNLOAD = `<?php
header('Content-Type: application/octet-stream');
$part = str_repeat('u', 65536);
for ($left = (int)$_GET['kib'] / 64; $left > 0; $left--) echo $part;`;

/** Events that say when they were sent, on the clock that this program reads too. */
const EVENTS = `<?php
header('Content-Type: text/event-stream');
while (ob_get_level()) ob_end_flush();
for ($i = 0; $i < 20; $i++) { usleep(50000); echo 'data: ', hrtime(true), "\\n\\n"; flush(); }`;

const PAGES = {
  'hello.php': '<?php echo "Hello, world";',
  'upload.php': UPLOAD,
  'download.php': DOWNLOAD,
  'events.php': EVENTS,
  'hello.cgi': '#!/usr/bin/php-cgi -dcgi.force_redirect=0\n<?php echo "Hello, world";',
};

/** What mod_fcgid starts: suEXEC runs no program outside its document root, and cleans the environment. */
const WRAPPER = `#!/bin/sh
PHP_FCGI_CHILDREN=0 PHP_FCGI_MAX_REQUESTS=0 exec /usr/bin/php-cgi
`;
export const wrapperOf = ({ name }: BenchUser): string => `${ROOT}/${name}/fcgi/php`;

function file(path: string, uid: number, text: string, mode: number): void {
  writeFileSync(path, text);
  chownSync(path, uid, uid);
  chmodSync(path, mode);
}

function directory(path: string, uid: number): void {
  mkdirSync(path, { recursive: true });
  chownSync(path, uid, uid);
  chmodSync(path, 0o755);
}

/** Accounts and files; only in private copies of /etc and /srv. */
export function makeSite(): void {
  const accounts = [...users, { name: 'usherd', uid: ROUTER_UID }];
  for (const { name, uid } of accounts) {
    appendFileSync('/etc/passwd', `${name}:x:${uid}:${uid}::${join(ROOT, name)}:/bin/sh\n`);
    appendFileSync('/etc/group', `${name}:x:${uid}:\n`);
  }
  for (const user of users) {
    for (const below of ['', 'apps', 'apps/site', 'fcgi']) {
      directory(join(ROOT, user.name, below), user.uid);
    }
    for (const [name, text] of Object.entries(PAGES)) {
      file(join(user.site, name), user.uid, text, name.endsWith('.cgi') ? 0o755 : 0o644);
    }
    file(wrapperOf(user), user.uid, WRAPPER, 0o755);
  }
}
