import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
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

/** By the functions themselves, then by FastIM's own with all that they call. */
function dearest({ nodes, samples, timeDeltas }: Profile, count: number): string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((c) => [c, id])));
  const own = new Map<string, number>();
  const whole = new Map<string, number>();
  let all = 0;
  for (const [index, id] of samples.entries()) {
    const micros = timeDeltas[index] ?? 0;
    const name = names.get(id) ?? '?';
    if (name === '(idle)') continue;
    all += micros;
    own.set(name, (own.get(name) ?? 0) + micros);
    for (const caller of callersOf(id, names, parents)) {
      whole.set(caller, (whole.get(caller) ?? 0) + micros);
    }
  }
  return [
    '  the functions themselves:',
    ...largest(own, all, count),
    "  FastIM's functions, with what they call at once:",
    ...largest(whole, all, count),
  ];
}

/** A function of FastIM's on the stack, each once. */
function callersOf(
  id: number,
  names: ReadonlyMap<number, string>,
  parents: ReadonlyMap<number, number>,
): Set<string> {
  const callers = new Set<string>();
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const name = names.get(at) ?? '';
    if (
      name.includes('  dist/') &&
      !/dist\/(?!domain|realtime|resolvers|storage|lib|\w+\.js)/.test(name)
    ) {
      callers.add(name);
    }
  }
  return callers;
}

function largest(micros: ReadonlyMap<string, number>, all: number, count: number): string[] {
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
