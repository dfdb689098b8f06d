// What an application behind walls still finds: names by DNS, the database's socket, the mail server, certificates. On a machine that
// has them all, made of mounts and a network of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { needsWalls } from '../../support/bubblewrap.js';
import { HostileHost } from '../../support/hostile-host.js';
import { perlWorker } from '../../support/perl-worker.js';

const BIN = join(import.meta.dirname, '../../../../bin/usherd');
const NAME = 'db.example.org';
const ADDRESS = '192.0.2.7';

/** Says that it is there, then answers: DNS with one address, MySQL and SMTP with their first words. */
const SERVICES = `
use IO::Socket::INET; use IO::Socket::UNIX; use IO::Select;
my $dns = IO::Socket::INET->new(LocalAddr => '127.0.0.53', LocalPort => 53, Proto => 'udp') or die $!;
my $smtp = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 25, Listen => 5) or die $!;
my $mysql = IO::Socket::UNIX->new(Local => '/run/mysqld/mysqld.sock', Listen => 5) or die $!;
chmod 0777, '/run/mysqld/mysqld.sock';
open my $ready, '>', '/run/ready'; close $ready;
my $all = IO::Select->new($dns, $smtp, $mysql);
while (my @ready = $all->can_read) {
  for my $one (@ready) {
    if ($one != $dns) { my $peer = $one->accept; print $peer $one == $smtp ? "220 mail\\r\\n" : "mysql\\n"; next }
    my $from = recv $dns, my $query, 512, 0;
    my ($id, $question) = unpack 'a2 x10 a*', $query;
    my $isAddress = substr($question, -4, 2) eq "\\0\\1";
    my $answer = $isAddress ? pack 'nnnNnC4', 0xc00c, 1, 1, 60, 4, ${ADDRESS.split('.').join(', ')} : '';
    send $dns, $id . pack('n5', 0x8180, 1, $isAddress ? 1 : 0, 0, 0) . $question . $answer, 0, $from;
  }
}`;

/** As systemd-resolved and Debian's packages leave it. */
const MACHINE = `set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/systemd/resolve /run/mysqld /run/bin
echo 'nameserver 127.0.0.53' >/run/systemd/resolve/stub-resolv.conf
cp -a /etc /run/etc && mount --bind /run/etc /etc
rm -f /etc/resolv.conf && ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
echo 'hosts: files dns' >/etc/nsswitch.conf
echo 'passwd: files' >>/etc/nsswitch.conf
echo 'group: files' >>/etc/nsswitch.conf
ip link set lo up
perl -e "$1" & services=$!
while [ ! -e /run/ready ]; do sleep 0.05; done
shift
code=0
"$@" || code=$?
kill $services
exit $code`;

/** Perl, which every machine has. */
const PROGRAM = `
use Socket; my @said;
my $found = gethostbyname('${NAME}');
push @said, $found ? inet_ntoa($found) : 'no name';
socket my $mysql, PF_UNIX, SOCK_STREAM, 0;
push @said, connect($mysql, pack_sockaddr_un('/run/mysqld/mysqld.sock')) ? <$mysql> =~ s/\\s//gr : 'no database';
socket my $smtp, PF_INET, SOCK_STREAM, 0;
push @said, connect($smtp, pack_sockaddr_in(25, inet_aton('127.0.0.1'))) ? <$smtp> =~ s/\\s.*//sr : 'no mail';
push @said, scalar grep { -f && -r } glob '/etc/ssl/certs/*';
push @said, -e '/run/ready' ? 'all of /run' : 'no more of /run';
print join(' ', @said);`;

describe('an application behind walls', { skip: needsWalls }, () => {
  let host: HostileHost;
  before(async () => {
    host = await HostileHost.start(52_421);
    for (const [app, manifest] of [
      ['walled', 'isolation = "strict"\n'],
      ['plain', ''],
    ] as const) {
      host.usherd.write(`alice/${app}`, 'usherd.toml', manifest, 0o600);
      host.usherd.write(`alice/${app}`, 'app.fcgi', perlWorker('return 1'), 0o755);
    }
  });
  after(() => host.usherd.stop());

  async function said(app: string): Promise<string> {
    const command = ['perl', '-e', PROGRAM];
    const runAs = [BIN, 'run-as', '--config', host.usherd.configFile, app, '--', ...command];
    const args = ['--mount', '--net', '/bin/sh', '-c', MACHINE, 'machine', SERVICES, ...runAs];
    return (await promisify(execFile)('/usr/bin/unshare', args)).stdout;
  }

  test('asks DNS where resolv.conf leads to, and reaches MySQL’s socket and the mail server', async () => {
    const certificates = readdirSync('/etc/ssl/certs').length;
    const plain = await said('alice/plain');
    assert.match(plain, new RegExp(`^${ADDRESS} mysql 220 \\d+ all of /run$`));
    const walled = await said('alice/walled');
    assert.equal(walled, plain.replace('all of', 'no more of'));
    assert.ok(certificates === 0 || / 220 [1-9]/.test(walled), walled);
  });
});
