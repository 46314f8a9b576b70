import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Where the time of each profile in a folder went, by the functions themselves: the `count` dearest. */
export async function profileLines(folder: string, count: number): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  const lines: string[] = [];
  for (const file of files.sort()) {
    const profile = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as Profile;
    lines.push(file, ...dearest(profile, count));
  }
  return lines;
}

function dearest({ nodes, samples, timeDeltas }: Profile, count: number): string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '?';
    micros.set(name, (micros.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  micros.delete('(idle)');
  const all = [...micros.values()].reduce((sum, value) => sum + value, 0);
  return [...micros]
    .sort(([, one], [, other]) => other - one)
    .slice(0, count)
    .map(([name, value]) => `  ${((value / all) * 100).toFixed(1).padStart(5)} %  ${name}`);
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const place = url.replace(/^.*\/node_modules\//, '').replace(/^.*\/dist\//, 'dist/');
  return `${name}  ${place}:${lineNumber + 1}`;
}
