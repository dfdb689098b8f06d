# Runs the `web:` line of ./Procfile, as the application's owner. It has to take the socket that it inherits: descriptor 0,
# or 3 in systemd's form (LISTEN_FDS). Node programs need not know.
set -u
command=
while read -r line || [ -n "$line" ]; do
  case $line in
    web:*) command=${line#web:} && break ;;
  esac
done <Procfile
if [ -z "$command" ]; then
  echo 'usherd: the Procfile has no line that begins with "web:"' >&2
  exit 1
fi
NODE_OPTIONS="--require=$1${NODE_OPTIONS:+ $NODE_OPTIONS}"
export NODE_OPTIONS
# A list of commands, or one with assignments before it, is nothing for `exec`: there the shell stays. The process group gets
# the signal as a whole; only the end has to be waited for.
begin='exec '
case $command in
  *[\;\&\|]*) begin='trap : TERM INT HUP; ' ;;
esac
set -f
for word in $command; do
  case $word in
    *=*) begin='trap : TERM INT HUP; ' ;;
  esac
  break
done
exec /bin/sh -c "$begin$command"
