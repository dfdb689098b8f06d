// What help and a shell have to know of the commands whose work takes many modules: the work is loaded when it is to be done.
import { CONFIG_OPTION, type Command } from './command.js';
import {
  APACHE_FILES,
  IMPORT_SOURCES,
  NGINX_FILES,
  TOKEN_ACTIONS,
  TOKEN_KEEP_DEFAULT,
  VHOST_ACTIONS,
} from './command-words.js';

type Work = Command['run'];

const heavy = (declared: Omit<Command, 'run'>, load: () => Promise<Work>): Command => ({
  ...declared,
  run: async (args) => (await load())(args),
});

const PORT = { type: 'number', summary: 'port on 127.0.0.1', default: 8080 } as const;
const JSON_OPTION = { type: 'boolean', summary: 'print JSON for programs' } as const;

const webServer = (
  name: 'apache' | 'nginx',
  files: readonly string[],
  load: () => Promise<Work>,
): Command =>
  heavy(
    {
      usage: `${name}-config [file]`,
      summary: `print what ${name === 'apache' ? 'Apache' : 'nginx'} has to be told, once: one of ${files.join(', ')}`,
      words: { file: files },
      options: CONFIG_OPTION,
    },
    load,
  );

export const HEAVY_COMMANDS: readonly Command[] = [
  heavy(
    {
      usage: 'run',
      summary: 'start supervisor and router, and keep them running',
      options: CONFIG_OPTION,
    },
    async () => (await import('./run.js')).run,
  ),
  heavy(
    {
      usage: 'check [app]',
      summary: 'print everything that is wrong with the configuration, or with USER/APP',
      options: CONFIG_OPTION,
    },
    async () => (await import('./check.js')).check,
  ),
  heavy(
    {
      usage: 'config [whose]',
      summary:
        'show every setting with its origin; those of a user or application, if one is named',
      options: { ...CONFIG_OPTION, json: JSON_OPTION },
    },
    async () => (await import('./config.js')).config,
  ),
  heavy(
    {
      usage: 'doctor',
      summary: 'look for what is wrong with this machine, and say how to mend it',
      options: { ...CONFIG_OPTION, json: JSON_OPTION },
    },
    async () => (await import('./doctor.js')).doctor,
  ),
  heavy(
    {
      usage: 'token <action> [user]',
      summary:
        'front tokens: new USER, rotate USER, revoke USER, list; @status is that of the status page',
      words: { action: TOKEN_ACTIONS },
      options: {
        ...CONFIG_OPTION,
        keep: {
          type: 'string',
          summary: 'rotate: how long the old token is still accepted',
          default: TOKEN_KEEP_DEFAULT,
        },
      },
    },
    async () => (await import('./token.js')).token,
  ),
  heavy(
    {
      usage: 'vhost <action> [host] [app]',
      summary:
        'add HOST USER/APP, remove HOST, or list: virtual hosts without a line in the web server',
      words: { action: VHOST_ACTIONS },
      options: {
        ...CONFIG_OPTION,
        replace: { type: 'boolean', summary: 'add: also where the host leads elsewhere by now' },
        json: { type: 'boolean', summary: 'list: for programs' },
      },
    },
    async () => (await import('./vhost.js')).vhost,
  ),
  webServer('apache', APACHE_FILES, async () => {
    return (await import('./web-server-commands.js')).apacheConfig;
  }),
  webServer('nginx', NGINX_FILES, async () => {
    return (await import('./web-server-commands.js')).nginxConfig;
  }),
  heavy(
    {
      usage: 'import <from> <file..>',
      summary: 'print what a configuration of mod_fcgid (fcgid) or PHP-FPM (fpm) is here',
      words: { from: IMPORT_SOURCES },
      options: {
        'dry-run': { type: 'boolean', summary: 'change nothing, as always', default: true },
      },
    },
    async () => (await import('./import.js')).importCommand,
  ),
  heavy(
    {
      usage: 'explain <app>',
      summary:
        'say what an application (USER/APP, its directory or a URL) is, why, and what refuses it',
      options: CONFIG_OPTION,
    },
    async () => (await import('./explain.js')).explain,
  ),
  heavy(
    {
      usage: 'run-as <app>',
      summary: "run a command as an application's workers run: usherd run-as USER/APP -- COMMAND",
      options: CONFIG_OPTION,
    },
    async () => (await import('./run-as.js')).runAs,
  ),
  heavy(
    {
      usage: 'dev <directory>',
      summary:
        'serve one application directory as yourself, on 127.0.0.1, and restart it on changes',
      options: { port: PORT },
    },
    async () => (await import('./dev.js')).dev,
  ),
  heavy(
    {
      usage: 'demo',
      summary: "show two users' applications on this machine, without a web server",
      options: {
        port: PORT,
        once: {
          type: 'boolean',
          summary: 'visit every URL, say whether the uids are right, and end',
        },
      },
    },
    async () => (await import('./demo.js')).demo,
  ),
  heavy(
    {
      usage: 'gateway',
      summary: 'serve applications over HTTP on 127.0.0.1, for trying usherd without a web server',
      options: {
        socket: {
          type: 'string',
          summary: "usherd's front socket",
          default: '/run/usherd/front/front.sock',
        },
        root: {
          type: 'string',
          summary: 'where applications are, as in [apps] roots',
          default: '/srv/{user}/apps/{app}',
        },
        port: PORT,
        link: { type: 'array', summary: 'PATH TEXT for the page at /' },
      },
    },
    async () => (await import('./gateway.js')).gateway,
  ),
];
