// `npm run vm -- [--systemd] COMMAND…`: runs a command as root of a virtual machine that sees this file system, with cgroup v2 and
// all its controllers, or with systemd as process 1. What it writes stays in the machine's memory. Exit code 77: not possible here.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from './lib/debian.mjs';
import { Complaint, fail, ROOT } from './lib/run.mjs';
import { initramfs, kernel } from './lib/vm-image.mjs';

const PACKAGES = ['busybox-static', 'cpio', 'qemu-system-x86'];
const PROGRAMS = ['/usr/bin/qemu-system-x86_64', '/bin/busybox', '/usr/bin/cpio'];
const VIRTIOFSD = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'];
const SYSTEMD = '/lib/systemd/systemd';
const SKIPPED = 77;

/** A machine that has said nothing after so long under KVM is one that KVM cannot run; emulation is slow and always works. */
const KVM_BOOT_MS = 30_000;
const EMULATED_BOOT_MS = 900_000;
const RUN_MAX_MS = 1_800_000;
const MEMORY_MIB = 2048;

/** Why there can be no machine here; undefined if there can. */
function obstacle(isSystemd) {
  if (process.getuid() !== 0) return 'needs root';
  if (process.arch !== 'x64') return 'knows only x86-64';
  const missing = [...PROGRAMS, ...(isSystemd ? [SYSTEMD] : [])].filter((it) => !existsSync(it));
  if (missing.length > 0) return `not installed: ${missing.join(' ')}`;
  return VIRTIOFSD.some((it) => existsSync(it)) ? undefined : 'not installed: virtiofsd';
}

function canWriteKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function machineArgs({ accelerator, socket, image, initrd }) {
  const memory = `memory-backend-memfd,id=m,size=${MEMORY_MIB}M,share=on`;
  return [
    ...(accelerator === 'kvm' ? ['-accel', 'kvm'] : ['-accel', 'tcg,thread=multi']),
    ...['-cpu', 'max', '-smp', '2', '-m', String(MEMORY_MIB), '-object', memory],
    ...['-numa', 'node,memdev=m', '-chardev', `socket,id=fs,path=${socket}`],
    ...['-device', 'vhost-user-fs-pci,chardev=fs,tag=host', '-kernel', image, '-initrd', initrd],
    ...['-append', 'console=ttyS0 quiet panic=-1 systemd.show_status=0 systemd.log_target=null'],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
  ];
}

/** Serves this file system to the machine; ends with its one connection. */
async function shareFileSystem(socket) {
  const program = VIRTIOFSD.find((it) => existsSync(it));
  const args = [`--socket-path=${socket}`, '-o', 'source=/', '-o', 'sandbox=chroot'];
  const share = spawn(program, args, { stdio: 'ignore' });
  for (let left = 500; left > 0 && !existsSync(socket); left -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (!existsSync(socket)) throw new Complaint('virtiofsd did not start');
  return share;
}

/** Lines of the machine's console; those of the frame around the command are kept back. */
function readConsole(machine, nonce, onUp) {
  const seen = { isUp: false, exitCode: undefined };
  let rest = '';
  machine.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = `${rest}${text}`.replaceAll('\r', '').split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const said = line.indexOf(`vm ${nonce} `);
      const word = said < 0 ? '' : line.slice(said + nonce.length + 4);
      if (word === 'up') {
        seen.isUp = true;
        onUp();
      } else if (word.startsWith('exit ')) {
        seen.exitCode = Number(word.slice(5));
      } else if (seen.isUp && seen.exitCode === undefined) {
        process.stdout.write(`${line}\n`);
      } else if (line.startsWith('vm: ')) {
        process.stderr.write(`${line}\n`);
      }
    }
  });
  return seen;
}

/** @returns the command's exit code; undefined if the machine did not come up. */
async function boot({ accelerator, directory, image, initrd, nonce }) {
  const socket = join(directory, `${accelerator}.sock`);
  const share = await shareFileSystem(socket);
  const args = machineArgs({ accelerator, socket, image, initrd });
  const machine = spawn('/usr/bin/qemu-system-x86_64', args, {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const bootMs = accelerator === 'kvm' ? KVM_BOOT_MS : EMULATED_BOOT_MS;
  let deadline = setTimeout(() => machine.kill('SIGKILL'), bootMs);
  const seen = readConsole(machine, nonce, () => {
    clearTimeout(deadline);
    deadline = setTimeout(() => machine.kill('SIGKILL'), RUN_MAX_MS);
  });
  await once(machine, 'close');
  clearTimeout(deadline);
  share.kill('SIGKILL');
  if (seen.isUp && seen.exitCode === undefined) throw new Complaint('the machine ended too early');
  return seen.exitCode;
}

async function main(argv) {
  const isSystemd = argv[0] === '--systemd';
  const command = isSystemd ? argv.slice(1) : argv;
  if (command.length === 0) throw new Complaint('usage: npm run vm -- [--systemd] COMMAND…');
  const installed = installDebianPackages(PACKAGES);
  if (installed !== '') process.stdout.write(`${installed}\n`);
  const why = obstacle(isSystemd);
  if (why !== undefined) {
    process.stdout.write(`skipped: no virtual machine here (${why})\n`);
    return SKIPPED;
  }
  const directory = mkdtempSync(join(tmpdir(), 'usherd-vm-'));
  try {
    const { image, modules } = kernel();
    const nonce = randomBytes(8).toString('hex');
    const frame = { checkout: ROOT, command, nonce, isSystemd };
    const initrd = initramfs(directory, { modules, ...frame });
    for (const accelerator of canWriteKvm() ? ['kvm', 'emulation'] : ['emulation']) {
      process.stdout.write(`virtual machine: ${accelerator}\n`);
      const code = await boot({ accelerator, directory, image, initrd, nonce });
      if (code !== undefined) return code;
    }
    throw new Complaint('the machine did not come up');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

main(process.argv.slice(2)).then((code) => (process.exitCode = code), fail);
