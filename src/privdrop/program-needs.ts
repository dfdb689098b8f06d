// The part of the launcher that looks, as the user, whether a program would run at all: what it cannot do without, itself, its interpreter.
//
//   N <number>            the need of that number, from 0, is not there
//   X                     the program is not there, or not executable
//   P missing <name>      its first line names an interpreter that is not there; `-` for a name that is no plain one
//   P return -            the same, because the line ends as those of Windows do
import type { Finding } from '../errors.js';
import { LAUNCHER_REFUSED } from './launcher-exit.js';

/** A file without which a program ends at once. */
export interface Need {
  readonly what: string;
  /** Patterns as the shell has them; one that is there is enough. */
  readonly paths: readonly string[];
  readonly remedy: string;
}

const PATTERN = /^[A-Za-z0-9._*/-]+$/;
const PATTERNS_MAX_LENGTH = 4_096;

/** One line; undefined for what the shell would take for something else than paths. */
export function needLine({ paths }: Need): string | undefined {
  const line = paths.join(':');
  return paths.every((path) => PATTERN.test(path)) && line.length <= PATTERNS_MAX_LENGTH
    ? line
    : undefined;
}

/** Where these are set, modules may be anywhere. */
const SEARCH_PATHS = 'PYTHONPATH=* | PYTHONHOME=* | PERL5LIB=* | RUBYLIB=* | GEM_*=* | BUNDLE_*=*';

/** After the environment is known, which is "$@". */
export const LOOK_FOR_NEEDS = `
elsewhere= search=
for setting; do
  case $setting in
    PATH=*) search=\${setting#PATH=} ;;
    ${SEARCH_PATHS}) elsewhere=1 ;;
  esac
done
there() {
  IFS=:
  set +f
  set -- $1
  set -f
  IFS=
  for path; do [ ! -e "$path" ] || return 0; done
  return 1
}
{
  number=0
  while [ "$number" -lt "$needs" ]; do
    read -r line || exit ${LAUNCHER_REFUSED}
    if [ -z "$elsewhere" ] && ! there "$line"; then
      printf 'N %s\\n' "$number" >&3
      exit ${LAUNCHER_REFUSED}
    fi
    number=$((number + 1))
  done
} <&3
`;

// Without this, exec says of the script itself that it is not found. A program that is no script costs one head(1).
// Behind env(1) only what is plain is judged: options may have words of their own, quotes join some, and PATH may be another.
export const LOOK_AT_PROGRAM = `
if [ ! -f "$program" ] || [ ! -x "$program" ]; then
  printf 'X\\n' >&3
  exit ${LAUNCHER_REFUSED}
fi
absent() {
  reason=missing
  name=$1
  case $name in *"$(printf '\\r')") reason=return ;; esac
  case $name in '' | *[!A-Za-z0-9/._+-]*) name=- ;; esac
  printf 'P %s %s\\n' "$reason" "$name" >&3
  exit ${LAUNCHER_REFUSED}
}
interpreter() {
  IFS=' \t'
  set -- $1
  IFS=
  [ -f "\${1-}" ] && [ -x "\${1-}" ] || absent "\${1-}"
  [ "\${1##*/}" = env ] || return 0
  shift
  case $* in *[\\"\\'\\\\\\$]*) return 0 ;; esac
  while :; do
    case \${1-} in PATH=*) return 0 ;; -S | *=*) shift ;; -*) return 0 ;; *) break ;; esac
  done
  case \${1-} in '' | */*) return 0 ;; esac
  name=$1
  IFS=:
  set -- $search
  IFS=
  for path; do [ ! -x "$path/$name" ] || return 0; done
  absent "$name"
}
case $program in
  ./*)
    { line=$("$head" -c 255 -- "$program"); } 2>/dev/null
    case $line in
      '#!'*)
        line=\${line%%'
'*}
        interpreter "\${line#??}"
        ;;
    esac
    ;;
esac
`;

/** What the launcher means by `N NUMBER`; undefined if there is no such need. */
export function needFinding(
  number: string,
  needs: readonly Need[],
  directory: string,
): Finding | undefined {
  const need = /^[0-9]{1,3}$/.test(number) ? needs[Number(number)] : undefined;
  if (need === undefined) return undefined;
  const [first = '', ...others] = need.paths;
  return {
    rule: 'runtime-incomplete',
    path: placeOf(first, directory),
    found: `no ${need.what}`,
    expected: `it there${others.length === 0 ? '' : `, or in one of ${others.length} other places`}`,
    remedy: need.remedy,
  };
}

/** What the launcher calls by a path of its own is below the application. */
const placeOf = (path: string, directory: string): string =>
  path.startsWith('/') ? path : `${directory}/${path.replace(/^\.\//, '')}`;

/** What a shell takes for itself: its author chose the name, and root may paste the remedy. */
const PLAIN = /^\/[A-Za-z0-9._/+-]+$/;

const INTERPRETER = /^(missing|return) (-|[A-Za-z0-9/._+-]{1,255})$/;

/** What the launcher means by `P …`; undefined if it is neither of its two forms. */
export function interpreterFinding(
  text: string,
  name: string,
  directory: string,
): Finding | undefined {
  const program = placeOf(name, directory);
  const [, reason = '', path = ''] = INTERPRETER.exec(text) ?? [];
  const expected = 'the path of an interpreter that this user can run';
  if (reason === 'return') {
    const found = 'a first line that ends with a carriage return, as on Windows';
    const remedy = PLAIN.test(program) ? `dos2unix ${program}` : 'end its lines as Unix does';
    return { ...INTERPRETER_RULE, path: program, found, expected, remedy };
  }
  if (reason === '') return undefined;
  const interpreter = path.slice(path.lastIndexOf('/') + 1);
  const isNamed = interpreter !== '-' && interpreter !== '';
  return {
    ...INTERPRETER_RULE,
    path: program,
    found: `a first line that begins with #! and names ${isNamed ? path : 'a program'}, which is not there`,
    expected,
    remedy: isNamed
      ? `install it (often the Debian package ${interpreter}), or mend the first line of ${program}`
      : `mend the first line of ${program}`,
  };
}

const INTERPRETER_RULE = { rule: 'program-interpreter' } as const;

interface ProgramOrigin {
  /** '' if nobody knows. */
  readonly debianPackage: string;
  readonly isIsolated: boolean;
  /** Of the application. */
  readonly directory: string;
}

/** What the launcher means by `X`. */
export function programFinding(
  program: string,
  { debianPackage, isIsolated, directory }: ProgramOrigin,
): Finding {
  const path = placeOf(program, directory);
  const isOwn = path !== program;
  const make = isOwn ? 'put it there' : 'install it';
  const install = debianPackage === '' ? make : `apt-get install ${debianPackage}`;
  const allow = isOwn && PLAIN.test(path) ? `chmod u+x ${path}` : 'make it executable';
  return {
    rule: 'program-missing',
    path,
    found: 'no program that this user may run',
    expected: 'an executable file',
    remedy:
      isIsolated && !isOwn
        ? `${install}, or name its directory in \`visible\` of [isolation]: an isolated application sees the system and itself`
        : `${install}; if it is there: ${allow}`,
  };
}
