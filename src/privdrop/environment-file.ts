// The part of the launcher that reads an application's `.env`, as its owner: secrets that nobody but the worker ever sees.
//
// One NAME=value a line, as Docker and systemd read it: quotes around a whole value are taken away, nothing is expanded.
import type { Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { RESERVED_NAMES, RESERVED_PREFIXES } from './reserved-names.js';

export const ENVIRONMENT_FILE = '.env';

const reserved = [...RESERVED_NAMES, ...RESERVED_PREFIXES.map((prefix) => `${prefix}*`)].join('|');

/**
 * Appends a setting a line to the arguments; says `V` and the number of the line that it cannot use. The text is bounded
 * before a line of it is read; the dot keeps the shell from taking line ends away from what is counted.
 */
export const READ_ENVIRONMENT_FILE = `
unusable() { printf 'V %s\\n' "$1" >&3; exit 111; }
if [ -f ${ENVIRONMENT_FILE} ] && [ ! -L ${ENVIRONMENT_FILE} ] && [ -O ${ENVIRONMENT_FILE} ]; then
  { text=$("$head" -c ${LIMITS.environmentFileMaxBytes + 1} <${ENVIRONMENT_FILE} && printf .); } 2>/dev/null || unusable 0
  text=\${text%.}
  [ "\${#text}" -le ${LIMITS.environmentFileMaxBytes} ] || unusable 0
  return=$(printf '\\r')
  number=0
  while read -r line; do
    number=$((number + 1))
    line=\${line%"$return"}
    case $line in
      '' | '#'*) continue ;;
      'export '*) line=\${line#export } ;;
    esac
    case $line in *=*) ;; *) unusable "$number" ;; esac
    name=\${line%%=*}
    value=\${line#*=}
    case $name in
      '' | [!A-Za-z_]* | *[!A-Za-z0-9_]*) unusable "$number" ;;
      ${reserved}) unusable "$number" ;;
    esac
    case $value in
      \\"*\\" | \\'*\\') value=\${value#?} && value=\${value%?} ;;
    esac
    set -- "$@" "$name=$value"
  done <<END_OF_FILE
$text
END_OF_FILE
fi
`;

/** What the launcher means by `V NUMBER`; undefined if that is no number. */
export function environmentFileFinding(number: string, directory: string): Finding | undefined {
  if (!/^[0-9]{1,5}$/.test(number)) return undefined;
  const path = `${directory}/${ENVIRONMENT_FILE}`;
  if (number === '0') {
    return {
      rule: 'env-file-size',
      path,
      found: 'a file that cannot be read, or a longer one',
      expected: `at most ${LIMITS.environmentFileMaxBytes} bytes that the owner can read`,
      remedy: 'shorten it, or chmod 600 it',
    };
  }
  return {
    rule: 'env-file-line',
    path: `${path}:${number}`,
    found: 'a line that sets no variable, or one that usherd or the shell keeps for itself',
    expected: 'NAME=value, a comment that begins with #, or nothing',
    remedy: 'mend the line; a value has one line, and nothing in it is expanded',
  };
}
