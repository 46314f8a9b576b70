import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Measure } from './scenario.ts';

/** What `keepResults` has written of a run, as far as documents tell it. */
export interface KeptRun {
  readonly scenario: string;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryMib: number;
    readonly node: string;
    readonly mariadb: string | null;
    readonly commit: string;
    readonly isDirty: boolean;
  };
  readonly options: { readonly rounds: number; readonly seconds: number };
  readonly measures: readonly Measure[];
  readonly table: readonly string[];
  /** Files beside it. */
  readonly charts: readonly { readonly file: string; readonly title: string }[];
}

/** The newest run of each scenario that a folder has, in the order of `scenarios`. */
export async function newestRuns(folder: string, scenarios: readonly string[]): Promise<KeptRun[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  const runs = await Promise.all(
    files.map(
      async (file) => JSON.parse(await readFile(path.join(folder, file), 'utf8')) as KeptRun,
    ),
  );
  const newestFirst = runs.sort((one, other) => other.at.localeCompare(one.at));
  return scenarios.flatMap((name) => newestFirst.find(({ scenario }) => scenario === name) ?? []);
}
