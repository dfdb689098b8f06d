// Words that both the declaration of a command and its work have to know: what may be typed, and what is meant without.

export const TOKEN_ACTIONS = ['new', 'rotate', 'revoke', 'list'] as const;
export type TokenAction = (typeof TOKEN_ACTIONS)[number];
/** Of the old token, after `rotate`. */
export const TOKEN_KEEP_DEFAULT = '24h';

export const VHOST_ACTIONS = ['add', 'remove', 'list'] as const;
export type VhostAction = (typeof VHOST_ACTIONS)[number];

export const IMPORT_SOURCES = ['fcgid', 'fpm'] as const;
export type ImportSource = (typeof IMPORT_SOURCES)[number];

/** In conf.example/; the first is printed where none is named. */
export const APACHE_FILES = [
  ...['usherd.conf', 'usherd-vhosts.conf', 'usherd-status.conf', 'usherd-authorizer.conf'],
] as const;
export const NGINX_FILES = [
  ...['usherd.conf', 'usherd-locations.conf', 'usherd-users.conf', 'usherd-vhosts.conf'],
  ...['usherd-site.conf', 'usherd-mount.conf', 'usherd-app.conf', 'usherd-params.conf'],
  'usherd-status.conf',
] as const;

/** The word itself, if it is one of them. */
export const oneOf = <T extends string>(known: readonly T[], word: string): T | undefined =>
  known.find((one) => one === word);
