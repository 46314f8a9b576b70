import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { findBinary, mariadbServer, versionOf } from '../../test/support/binaries.ts';

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;
const microsPerTick = 1_000_000 / ticksPerSecond;

/** What the figures of a run depend on. */
export function machineFacts() {
  const processors = cpus();
  const mariadb = findBinary(mariadbServer);
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryMib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    node: process.version,
    mariadb: mariadb === null ? null : versionOf(mariadb),
    commit: git('rev-parse', 'HEAD'),
    // What is compared must be what the commit says; results do not count.
    isDirty: git('status', '--porcelain', '--', 'src', 'bench/rivals', 'package-lock.json') !== '',
  };
}

export function loadAverage(): readonly number[] {
  return loadavg().map((value) => Math.round(value * 100) / 100);
}

/** User and system time of a process since it began, all its threads, in µs; 0 where it is gone. */
export function cpuMicrosOf(pid: number): number {
  const fields = statOf(pid);
  // Fields 14 and 15 of the whole line; what stands here begins with field 3.
  return fields === null ? 0 : (Number(fields[11]) + Number(fields[12])) * microsPerTick;
}

/** The same of the children of this process that have ended, in µs. */
function endedChildrenMicros(): number {
  const fields = statOf(process.pid);
  return fields === null ? 0 : (Number(fields[13]) + Number(fields[14])) * microsPerTick;
}

/** User and system time of this process, in µs. */
export function ownCpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What a process holds in memory, in KiB. */
export function rssKibOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** CPU time that the machine has spent on anything, in µs; steal included, since it is time that we did not have. */
export function busyMicros(): number {
  const line = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * microsPerTick;
}

/** Watches what others use of the machine while a measurement runs. */
export function watchOthers(pids: () => readonly number[]): () => number {
  const own = (): number =>
    [process.pid, ...pids()].reduce((sum, pid) => sum + cpuMicrosOf(pid), endedChildrenMicros());
  const before = { own: own(), busy: busyMicros(), at: process.hrtime.bigint() };
  return () => {
    const elapsed = Number(process.hrtime.bigint() - before.at) / 1000;
    const others = busyMicros() - before.busy - (own() - before.own);
    return Math.max(0, others / elapsed);
  };
}

function statOf(pid: number): string[] | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything.
    return line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
