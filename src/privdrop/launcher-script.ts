// The constant text that /bin/sh runs after the drop, as the user: root's eyes in the application directory, and the one that execs.
//
// It has to mean the same to dash and to bash called sh, so it is POSIX sh plus `[ -O`, with builtins only but for
// stat, head and mkdir (and env, where the shell is bash). Every `read` is one system call a byte: what is sent is short. The lines it says and hears on
// descriptor 3 are in launcher-report.ts and launcher-dialogue.ts.
import { LIMITS } from '../limits.js';
import { READ_ENVIRONMENT_FILE } from './environment-file.js';
import { LAUNCHER_REFUSED } from './launcher-exit.js';
import { LOOK_AT_PROGRAM, LOOK_FOR_NEEDS } from './program-needs.js';
import type { Tools } from './tools.js';

export const MANIFEST_NAME = 'usherd.toml';

/** Above the supervisor and the router: when memory is short, workers go first (proc(5), oom_score_adj). */
const OOM_SCORE_ADJUSTMENT = 200;

// Step 1. The glob comes before anything is redirected, so that its own directory is the only descriptor to come on top.
const DESCRIPTORS = `
set -u
IFS=
stat=$1 head=$2 env=$3 mkdir=$4 sh=$5 inside=$6
found=
for path in /proc/self/fd/*; do found="$found \${path##*/}"; done
set -f
printf 'R%s\\n' "$found" >&3
refuse() { printf 'E %s\\n' "$1" >&3; exit ${LAUNCHER_REFUSED}; }
`;

// Step 2, from here on by order of a supervisor that has verified this process. A read that fails means: it has gone.
const QUESTION = `
{
  read -r nonce && read -r directory && read -r count || exit ${LAUNCHER_REFUSED}
  set --
  while [ "$count" -gt 0 ]; do
    read -r line || exit ${LAUNCHER_REFUSED}
    set -- "$@" "$line"
    count=$((count - 1))
  done
} <&3
`;

// Step 3. Once entered, the directory stays the same whatever happens to its path. Only one that belongs to this user is looked into.
const ENTER = `
explain() {
  prefix=
  rest=\${directory#/}/
  while [ -n "$rest" ]; do
    prefix=$prefix/\${rest%%/*}
    rest=\${rest#*/}
    if [ -d "$prefix" ] && [ -x "$prefix" ]; then continue; fi
    [ -L "$prefix" ] && refuse "link $prefix"
    [ -d "$prefix" ] && refuse "search $prefix"
    [ -e "$prefix" ] && refuse "kind $prefix"
    refuse "missing $prefix"
  done
  refuse "missing $directory"
}
cd -P -- "$directory" 2>/dev/null || explain
printf 'D %s\\n' "$PWD" >&3
`;

const LOOK = `
if [ -O . ]; then
  for name; do
    shift
    if [ -e "$name" ] || [ -L "$name" ]; then set -- "$@" "$name"; fi
  done
else
  set --
fi
if [ "$PWD" != "$directory" ]; then
  prefix=
  rest=\${directory#/}/
  while [ -n "$rest" ]; do
    prefix=$prefix/\${rest%%/*}
    rest=\${rest#*/}
    set -- "$@" "$prefix"
  done
fi
"$stat" -c 'S %n|%u|%f|%s|%Y|%h' -- . "$@" >&3 2>/dev/null
`;

// The nonce ends the manifest: its author cannot have known it. One byte more than allowed tells too long from just right.
const MANIFEST = `
if [ -O . ] && [ -f ${MANIFEST_NAME} ] && [ ! -L ${MANIFEST_NAME} ] && [ -r ${MANIFEST_NAME} ]; then
  printf 'F\\n' >&3
  { "$head" -c ${LIMITS.manifestMaxBytes + 1} <${MANIFEST_NAME} >&3; } 2>/dev/null
  printf '\\n' >&3
fi
printf 'L %s\\n' "$nonce" >&3
[ -O . ] || exit ${LAUNCHER_REFUSED}
`;

// Step 4a. The directories that the program is told of, as the user and for nobody else. mkdir(1) runs at the first start only, once for all.
// A rehearsal makes none, unless walls are to show them, and sees only whether something else lies in the way.
const FOLDERS = `
umask 077
blocked() { printf 'M %s\\n' "$line" >&3; exit ${LAUNCHER_REFUSED}; }
{
  read -r mask && read -r folders && read -r walls || exit ${LAUNCHER_REFUSED}
  read -r settings && read -r needs && read -r words && read -r rehearsal || exit ${LAUNCHER_REFUSED}
  set --
  while [ "$folders" -gt 0 ]; do
    read -r line || exit ${LAUNCHER_REFUSED}
    if [ "$rehearsal" = 1 ] && [ "$walls" = 0 ]; then
      place=$line
      while [ -n "$place" ] && [ ! -e "$place" ] && [ ! -L "$place" ]; do place=\${place%/*}; done
      [ -z "$place" ] || [ -d "$place" ] || blocked
    else
      [ -d "$line" ] || set -- "$@" "$line"
    fi
    folders=$((folders - 1))
  done
} <&3
if [ "$#" -gt 0 ] && ! "$mkdir" -p -- "$@" 2>/dev/null; then
  for line; do [ -d "$line" ] || blocked; done
fi
`;

/** What a supervisor may send to end a worker; the program inside gets their defaults back from env(1). */
const GRACEFUL_SIGNALS = ['TERM', 'INT', 'QUIT', 'HUP', 'USR1'] as const;

// Step 4b, where the application is isolated: the rest of this dialogue goes on behind the walls, and nothing of the user's
// is in the environment before. bubblewrap stays as the process that the supervisor knows, so it must not die of a signal
// that is for the program; it ends when the program does. Descriptor 4 is the directory that was looked at.
const WALLS = `
if [ "$walls" -gt 0 ]; then
  {
    set --
    while [ "$walls" -gt 0 ]; do
      read -r line || exit ${LAUNCHER_REFUSED}
      set -- "$@" "$line"
      walls=$((walls - 1))
    done
  } <&3
  bwrap=$1
  shift
  case $("$bwrap" --help 2>&1 </dev/null 3>&-) in
    *--disable-userns*) set -- --disable-userns "$@" ;;
  esac
  exec 4<. || exit ${LAUNCHER_REFUSED}
  trap '' PIPE ${GRACEFUL_SIGNALS.join(' ')}
  unset PWD OLDPWD
  exec "$bwrap" "$@" -- "$env" --default-signal=${GRACEFUL_SIGNALS.join(',')} \
    "$sh" -c "$inside" launch "$head" "$env" "$mask" "$settings" "$needs" "$words" "$rehearsal"
fi
`;

// What begins anew behind the walls. The path may lead to another directory by now; the descriptor cannot.
const INSIDE = `
set -u
IFS=
set -f
head=$1 env=$2 mask=$3 settings=$4 needs=$5 words=$6 rehearsal=$7
refuse() { printf 'E %s\n' "$1" >&3; exit ${LAUNCHER_REFUSED}; }
if [ ! . -ef /proc/self/fd/4 ]; then
  printf 'I moved\n' >&3
  exit ${LAUNCHER_REFUSED}
fi
exec 4<&-
printf 'I\n' >&3
`;

// Step 4c. The arguments become: environment, that of the application's .env, an empty one, argv. bash exports SHLVL at exec however often it is unset, so there env(1)
// takes it away again; nothing secret is in its argv.
const PROGRAM = `
{
  set --
  while [ "$settings" -gt 0 ]; do
    read -r line || exit ${LAUNCHER_REFUSED}
    set -- "$@" "$line"
    settings=$((settings - 1))
  done
} <&3
${READ_ENVIRONMENT_FILE}
${LOOK_FOR_NEEDS}
{
  set -- "$@" ''
  [ -z "\${BASH_VERSION-}" ] || set -- "$@" "$env" -u SHLVL --
  while [ "$words" -gt 0 ]; do
    read -r line || exit ${LAUNCHER_REFUSED}
    : "\${program:=$line}"
    set -- "$@" "$line"
    words=$((words - 1))
  done
} <&3
case $program in /* | ./*) ;; *) refuse program ;; esac
${LOOK_AT_PROGRAM}
if [ "$rehearsal" = 1 ]; then
  printf 'O\\n' >&3
  exit 0
fi
`;

// From the first export on no variable of this script is used: the user may have given them any value. An ignored SIGPIPE
// is what services are used to, and keeps a worker alive that logs while the router restarts. With LISTEN_FDS, which only usherd
// sets, the listening socket is descriptor 3 as well (sd_listen_fds(3)), for this process id.
const EXEC = `
umask "$mask" || exit ${LAUNCHER_REFUSED}
{ printf ${OOM_SCORE_ADJUSTMENT} >/proc/self/oom_score_adj; } 2>/dev/null
unset PWD OLDPWD
while [ -n "$1" ]; do export "$1"; shift; done
shift
trap '' PIPE
if [ -n "\${LISTEN_FDS-}" ]; then
  export LISTEN_PID=$$
  exec "$@" 3<&0
fi
exec "$@" 3>&-
`;

const LAUNCHER = [
  ...[DESCRIPTORS, QUESTION, ENTER, LOOK, MANIFEST],
  ...[FOLDERS, WALLS, PROGRAM, EXEC],
].join('');
const BEHIND_WALLS = [INSIDE, PROGRAM, EXEC].join('');

/** The launcher as a program for launchChain(). */
export function launcherProgram(tools: Tools): readonly string[] {
  const { sh, stat, head, env, mkdir } = tools;
  return [sh, '-c', LAUNCHER, 'launch', stat, head, env, mkdir, sh, BEHIND_WALLS];
}
