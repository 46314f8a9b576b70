// Ends what a cluster started, however the cluster itself ends: it is told of processes on its standard input, and when that
// ends it kills those that are left and removes their folder.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [folder] = process.argv.slice(2);
const pids = new Set();
// Ctrl-C is for the cluster: it stops in order, and then this one's input ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [what, pid] = line.split(' ');
    if (what === 'started') pids.add(Number(pid));
    else pids.delete(Number(pid));
  })
  .on('close', () => {
    for (const pid of new Set([...pids, ...inFolder()])) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });

/** Servers of that folder that were started, and nobody had the time to say so. */
function inFolder() {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes(`${folder}/`) && !line.includes('cluster-guard.mjs'))
    .map((line) => Number.parseInt(line, 10));
}
