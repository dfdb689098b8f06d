// The applications behind the web servers: what lies in their directories, and where the web servers show them.
import fs from 'node:fs';
import path from 'node:path';
import type { Host, Mount } from './front.js';

/** In every file that nobody may ever be sent. */
const SECRET = 'SECRET-SOURCE';

export const HOSTS: readonly Host[] = [
  { name: 'shop.test', root: 'alice/apps/shop', hasFiles: true },
  { name: 'press.test', root: 'bob/apps/shop/public', hasFiles: true },
  { name: 'tool.test', root: 'alice/apps/tool', hasFiles: false },
  { name: 'kit.test', root: 'bob/apps/tool/public', hasFiles: true },
];

export const MOUNTS: readonly Mount[] = [
  { path: '/blog', root: 'alice/apps/shop', hasFiles: true },
  { path: '/press', root: 'bob/apps/shop/public', hasFiles: true },
  { path: '/kit', root: 'alice/apps/tool', hasFiles: false },
  { path: '/suite', root: 'bob/apps/tool/public', hasFiles: true },
];

const FILES: Readonly<Record<string, string>> = {
  // scripts, no public/
  'alice/apps/shop/index.php': SECRET,
  'alice/apps/shop/info.php': SECRET,
  'alice/apps/shop/sub/page.php': SECRET,
  'alice/apps/shop/.env': SECRET,
  'alice/apps/shop/.git/config': SECRET,
  'alice/apps/shop/index.php~': SECRET,
  'alice/apps/shop/config.php.bak': SECRET,
  'alice/apps/shop/lib.inc': SECRET,
  'alice/apps/shop/restart.txt': SECRET,
  'alice/apps/shop/style.css': 'shop style',
  // scripts with public/
  'bob/apps/shop/public/index.php': SECRET,
  'bob/apps/shop/public/info.php': SECRET,
  'bob/apps/shop/public/sub/page.php': SECRET,
  'bob/apps/shop/public/.env': SECRET,
  'bob/apps/shop/public/index.php.bak': SECRET,
  'bob/apps/shop/public/style.css': 'press style',
  'bob/apps/shop/composer.json': SECRET,
  'bob/apps/shop/.env': SECRET,
  'bob/apps/shop/src/secret.php': SECRET,
  // an entry program, no public/
  'alice/apps/tool/app.fcgi': SECRET,
  'alice/apps/tool/settings.py': SECRET,
  'alice/apps/tool/style.css': SECRET,
  'alice/apps/tool/.env': SECRET,
  'alice/apps/tool/usherd.toml': SECRET,
  // an entry program with public/
  'bob/apps/tool/app.fcgi': SECRET,
  'bob/apps/tool/settings.py': SECRET,
  'bob/apps/tool/usherd.toml': SECRET,
  'bob/apps/tool/public/style.css': 'suite style',
  'bob/apps/tool/public/.htpasswd': SECRET,
};

export function makeSiteTree(srv: string): void {
  for (const [name, text] of Object.entries(FILES)) {
    const file = path.join(srv, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}
