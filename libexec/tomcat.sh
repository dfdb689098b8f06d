# Starts Tomcat for the web application in the current directory, as its owner, on the socket that it inherits. Its own
# directories are made anew for each worker and go with it.
set -eu
here=${0%/*}
home=/usr/share/tomcat10
base=$(mktemp -d "${TMPDIR:-/tmp}/usherd-tomcat.XXXXXXXX")
trap 'rm -rf "$base"' EXIT
trap : TERM INT HUP # the whole process group has it, and java stops; here the end is waited for
mkdir "$base/conf" "$base/logs" "$base/temp" "$base/work"
cp "$here/tomcat/server.xml" "$home/etc/web.xml" "$home/etc/catalina.properties" "$base/conf/"
# Descriptor 3 is the socket too; a shell gives its background jobs an empty descriptor 0.
java ${JAVA_OPTS:--Xms16m -XX:+UseSerialGC -XX:TieredStopAtLevel=1} -Djava.io.tmpdir="$base/temp" \
  -Dcatalina.home="$home" -Dcatalina.base="$base" -Dusherd.application="$PWD" \
  --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
  --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
  --add-opens=java.rmi/sun.rmi.transport=ALL-UNNAMED \
  -classpath "$home/bin/bootstrap.jar:$home/bin/tomcat-juli.jar" \
  org.apache.catalina.startup.Bootstrap start <&3 3<&- &
java=$!
status=0
wait "$java" || status=$?
while kill -0 "$java" 2>/dev/null; do wait "$java" || status=$?; done
exit "$status"
