// DokuWiki as its Debian package has it, laid out in one directory as its authors do: a PHP application that keeps files.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAM = '/usr/share/dokuwiki';
const SETTINGS = '/etc/dokuwiki';
const PACKAGED_DATA = '/var/lib/dokuwiki/data';
const DATA_FOLDERS = [
  ...['attic', 'cache', 'index', 'locks', 'log', 'media', 'media_attic', 'media_meta'],
  ...['meta', 'pages', 'pages/wiki', 'tmp'],
];

// The package splits the program over /etc and /var; its authors have one directory, and so has a user.
const PRELOAD = `<?php
define('DOKU_CONF', dirname(__DIR__) . '/conf/');
define('DOKU_MAIN_CONF', DOKU_CONF);
`;
const LOCAL = `<?php
$conf['title'] = 'Wiki of a test';
$conf['savedir'] = './data';
$conf['useacl'] = 0;
$conf['userewrite'] = 2;
$conf['send404'] = 1;
`;

/** Copies the program to `directory`, with a start page; the caller gives it to its owner. */
export function layDokuwiki(directory: string, startPage: string): void {
  cpSync(PROGRAM, directory, { recursive: true, dereference: true });
  cpSync(SETTINGS, join(directory, 'conf'), { recursive: true, dereference: true });
  rmSync(join(directory, 'install.php'), { force: true });
  for (const name of DATA_FOLDERS) mkdirSync(join(directory, 'data', name), { recursive: true });
  cpSync(join(PACKAGED_DATA, '.htaccess'), join(directory, 'data/.htaccess'));
  writeFileSync(join(directory, 'inc/preload.php'), PRELOAD);
  writeFileSync(join(directory, 'conf/local.php'), LOCAL);
  writeFileSync(join(directory, 'data/pages/start.txt'), startPage);
}
