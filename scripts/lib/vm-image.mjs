// What a virtual machine for tests boots: a Debian kernel, and an initramfs that lays a throw-away layer over this file system.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { Complaint, run } from './run.mjs';

/** Its kernel has no drivers but those of virtual machines; any other of Debian's does as well. */
const META_PACKAGE = 'linux-image-cloud-amd64';

const cacheDirectory = () =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'usherd-vm');

/** Downloads and unpacks the kernel once; nothing of it is installed on this machine. */
export function kernel() {
  const shown = run('apt-cache', ['depends', META_PACKAGE], { quiet: true });
  const name = /Depends: (linux-image-\S+)/.exec(shown.output)?.[1];
  if (name === undefined) throw new Complaint(`apt does not know ${META_PACKAGE}`);
  const unpacked = join(cacheDirectory(), name);
  if (!existsSync(unpacked)) download(name, unpacked);
  const [release] = readdirSync(join(unpacked, 'lib/modules'));
  return {
    image: join(unpacked, `boot/vmlinuz-${release}`),
    modules: join(unpacked, 'lib/modules', release, 'kernel'),
  };
}

function download(name, unpacked) {
  const partial = `${unpacked}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const got = run('apt-get', ['-qq', 'download', name], { quiet: true, cwd: partial });
  const [file] = readdirSync(partial).filter((entry) => entry.endsWith('.deb'));
  if (!got.ok || file === undefined) throw new Complaint(`apt-get cannot download ${name}`);
  const { ok } = run('dpkg-deb', ['-x', join(partial, file), join(partial, 'x')], { quiet: true });
  if (!ok) throw new Complaint(`${file} cannot be unpacked`);
  renameSync(join(partial, 'x'), unpacked);
  rmSync(partial, { recursive: true, force: true });
}

/** In the order in which they have to be loaded. */
const MODULES = [
  'drivers/virtio/virtio_ring.ko',
  'drivers/virtio/virtio.ko',
  'drivers/virtio/virtio_pci_legacy_dev.ko',
  'drivers/virtio/virtio_pci_modern_dev.ko',
  'drivers/virtio/virtio_pci.ko',
  'fs/fuse/fuse.ko',
  'fs/fuse/virtiofs.ko',
  'fs/overlayfs/overlay.ko',
];

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** First program of the machine: this file system read-only, a layer in memory over it, and then `pid1` in it. */
const initText = ({ checkout, pid1 }) => `#!/bin/sh
b=/bin/busybox
fail() { echo "vm: $1"; $b poweroff -f; }
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for file in ${MODULES.map((module) => basename(module)).join(' ')}; do
  $b insmod /modules/$file || fail "no module $file"
done
$b mount -t virtiofs host /lower || fail 'no file system'
$b mount -t tmpfs layer /layer
$b mkdir /layer/upper /layer/work /layer/upper2 /layer/work2
$b mount -t overlay overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work /new || fail 'no overlay'
$b mount -t proc proc /new/proc
$b mount -t sysfs sysfs /new/sys
$b mount -t devtmpfs dev /new/dev
$b mkdir -p /new/dev/shm /new/dev/pts
$b mount -t tmpfs -o mode=1777 shm /new/dev/shm
$b mount -t devpts devpts /new/dev/pts
$b mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
$b mount -t tmpfs -o mode=755 run /new/run
$b mkdir -p /new/run/lock
$b mount -t tmpfs -o mode=1777 tmp /new/tmp
if [ ! -e /new${quote(checkout)} ]; then
  $b mkdir -p /new${quote(checkout)}
  $b mount -t overlay overlay -o lowerdir=/lower${quote(checkout)},upperdir=/layer/upper2,workdir=/layer/work2 /new${quote(checkout)}
fi
$b ifconfig lo up
$b cp /vm-command /new/run/vm-command
[ ! -d /units ] || { $b mkdir -p /new/run/systemd/system; $b cp /units/* /new/run/systemd/system/; }
$b umount /proc
exec $b switch_root /new ${pid1}
`;

/** What runs in the machine: says that it is up, runs the command, says how it ended, and turns the machine off. */
const commandText = ({ checkout, command, nonce }) => `#!/bin/sh
export USHERD_TEST_PATIENCE=12 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
ip link set lo up 2>/dev/null
cd ${quote(checkout)}
echo "vm ${nonce} up"
${command.map(quote).join(' ')} </dev/null 2>&1
echo "vm ${nonce} exit $?"
echo o >/proc/sysrq-trigger
sleep 60
`;

const UNITS = {
  'vm.target': '[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=vm.service\n',
  'vm.service':
    '[Unit]\nAfter=basic.target\n[Service]\nExecStart=/bin/sh /run/vm-command\n' +
    'StandardOutput=tty\nStandardError=tty\nTTYPath=/dev/ttyS0\n',
};

/** Builds the initramfs in `directory` and returns its path. */
export function initramfs(directory, { modules, checkout, command, nonce, isSystemd }) {
  const tree = join(directory, 'initramfs');
  for (const name of ['bin', 'modules', 'lower', 'layer', 'new', 'proc', 'dev']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
  copyFileSync('/bin/busybox', join(tree, 'bin/sh'));
  for (const module of MODULES) {
    copyFileSync(join(modules, module), join(tree, 'modules', basename(module)));
  }
  const pid1 = isSystemd ? '/lib/systemd/systemd --unit=vm.target' : '/bin/sh /run/vm-command';
  writeFileSync(join(tree, 'init'), initText({ checkout, pid1 }));
  chmodSync(join(tree, 'init'), 0o755);
  writeFileSync(join(tree, 'vm-command'), commandText({ checkout, command, nonce }));
  if (isSystemd) {
    mkdirSync(join(tree, 'units'));
    for (const [name, text] of Object.entries(UNITS))
      writeFileSync(join(tree, 'units', name), text);
  }
  const archive = join(directory, 'initramfs.cpio');
  const packed = run('/bin/sh', ['-c', `find . | cpio -o -H newc --quiet >${quote(archive)}`], {
    quiet: true,
    cwd: tree,
  });
  if (!packed.ok || readFileSync(archive).length === 0) throw new Complaint('cpio failed');
  return archive;
}
