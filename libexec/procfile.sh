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
exec /bin/sh -c "exec $command"
