// Java: Tomcat for a directory with WEB-INF, and jars that serve HTTP on the channel that they inherit.
import type { RuntimeConfig } from '../config/index.js';
import { ENTRY, LIBEXEC } from './entry.js';

const THREADS_COUNT = 64; // as in libexec/tomcat/server.xml

export const java: RuntimeConfig = {
  name: 'java',
  kind: 'entry',
  protocol: 'http',
  command: ['/usr/bin/sh', `${LIBEXEC}/tomcat.sh`],
  extensions: [],
  markers: ['WEB-INF'],
  environment: {},
  concurrency: THREADS_COUNT,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: 'tomcat10 default-jre-headless',
  needs: [
    {
      what: 'Tomcat 10',
      paths: ['/usr/share/tomcat10/bin/bootstrap.jar'],
      remedy: 'apt-get install tomcat10',
    },
    {
      what: 'Java runtime',
      paths: ['/usr/local/bin/java', '/usr/bin/java', '/bin/java'],
      remedy: 'apt-get install default-jre-headless',
    },
  ],
  missingScriptBody: '',
};

/** System.inheritedChannel() gives the program its socket (Jetty: ServerConnector.setInheritChannel). */
export const jar: RuntimeConfig = {
  ...java,
  name: 'jar',
  command: ['/usr/bin/java', '-jar', ENTRY],
  markers: ['app.jar'],
  needs: [],
  debianPackage: 'default-jre-headless',
};
