// Loaded by --import before the server: writes once a second how late its event loop was.
// BENCH_LOOP_FILE takes one JSON line a second; SIGUSR2 begins the overall figures anew.
import { createWriteStream } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setInterval } from 'node:timers';

const resolution = 5;
const second = monitorEventLoopDelay({ resolution });
const overall = monitorEventLoopDelay({ resolution });
second.enable();
overall.enable();
process.on('SIGUSR2', () => overall.reset());

// What the timer waits for anyhow is no delay.
const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution);
const file = createWriteStream(process.env.BENCH_LOOP_FILE, { flags: 'a' });
setInterval(() => {
  const line = {
    at: Date.now(),
    p50Ms: late(second.percentile(50)),
    p99Ms: late(second.percentile(99)),
    maxMs: late(second.max),
    overallP99Ms: late(overall.percentile(99)),
  };
  second.reset();
  file.write(`${JSON.stringify(line)}\n`);
}, 1000).unref();
