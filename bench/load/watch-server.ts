import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, slope } from '../runner/numbers.ts';
import type { ServerChild } from '../servers/server-child.ts';

const preload = fileURLToPath(new URL('../servers/loop-delay.mjs', import.meta.url));

/** What a server must be started with so that its event loop can be watched from outside. */
export function loopDelayTo(folder: string): {
  readonly nodeArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly file: string;
} {
  const file = path.join(folder, 'loop-delay.jsonl');
  return { nodeArgs: ['--import', preload], env: { BENCH_LOOP_FILE: file }, file };
}

export interface LoopDelay {
  readonly at: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly overallP99Ms: number;
}

/** The seconds since `at`. */
export async function loopDelays(file: string, at: number): Promise<LoopDelay[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as LoopDelay).filter((line) => line.at >= at);
}

export type Point = readonly [seconds: number, value: number];

/** Takes a server's memory every so often. */
export function watchMemory(server: ServerChild, everyMs: number): { stop(): Point[] } {
  const began = performance.now();
  const points: Point[] = [];
  const timer = setInterval(() => {
    points.push([(performance.now() - began) / 1000, server.rssKib() / 1024]);
  }, everyMs);
  return {
    stop() {
      clearInterval(timer);
      return points;
    },
  };
}

/** What memory was in the middle third of the time, by what it was in the last: 1 is flat, less is growth. */
export function flatness(points: readonly Point[]): number {
  const third = Math.max(1, Math.floor(points.length / 3));
  const values = points.map(([, value]) => value);
  if (values.length < 2) return 1;
  return median(values.slice(-2 * third, -third || undefined)) / median(values.slice(-third));
}

/** MiB a minute over the last two thirds. */
export function growthPerMinute(points: readonly Point[]): number {
  const late = points.slice(Math.floor(points.length / 3));
  return late.length < 2 ? 0 : slope(late) * 60;
}
