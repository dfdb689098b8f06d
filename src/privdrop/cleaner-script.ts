// The constant text that /bin/sh runs as a user to remove what is old in his own private directory; it starts nothing of his.
//
// Like the launcher it says its descriptors and waits until it was verified. Then, line by line on descriptor 3:
//
//   ◄ directory, and minutes with their fraction, 0 for never: files below tmp, isolated and opcodes, empty directories
//     there (but none that walls show as /tmp), files below sessions
//   ► C <count>     removed so many
//   ► absent | foreign | mounted     nothing was touched: it is not there, not this user's, or something is mounted in it
//
// find(1) follows no link, stays on its file system, and walks by open directories, so that a name that is swapped under it
// leads nowhere. A mount of the same file system it would not notice; hence the look at mountinfo.
import type { Tools } from './tools.js';

const CLEANER = `
set -u
IFS=
find=$1 wc=$2
found=
for path in /proc/self/fd/*; do found="$found \${path##*/}"; done
set -f
printf 'R%s\\n' "$found" >&3
end() { printf '%s\\n' "$1" >&3; exit 0; }
{ read -r directory && read -r temporary && read -r empty && read -r session || exit 111; } <&3
cd -P -- "$directory" 2>/dev/null || end absent
[ -O . ] || end foreign
while read -r line; do
  case $line in *" $PWD/"*) end mounted ;; esac
done </proc/self/mountinfo || end mounted
{ printf 200 >/proc/self/oom_score_adj; } 2>/dev/null
files() {
  [ "$3" = 0 ] || "$find" -P "$1" -xdev -mindepth "$2" \\( -type f -o -type l \\) \\
    -mmin "+$3" -cmin "+$3" -amin "+$3" -delete -printf x
}
directories() {
  [ "$3" = 0 ] || "$find" -P "$1" -xdev -mindepth "$2" -type d -empty \\
    -mmin "+$3" -cmin "+$3" -delete -printf x
}
removed=$({
  files tmp 1 "$temporary"
  files isolated 2 "$temporary"
  files opcodes 2 "$temporary"
  files sessions 2 "$session"
  directories tmp 1 "$empty"
  directories isolated 2 "$empty"
  directories opcodes 2 "$empty"
} 2>/dev/null 3>&- | "$wc" -c 3>&-)
printf 'C %s\\n' "$removed" >&3
`;

/** The cleaner as a program for launchChain(). */
export function cleanerProgram(tools: Tools): readonly string[] {
  return [tools.sh, '-c', CLEANER, 'clean', tools.find, tools.wc];
}
