import { parseArgs } from 'node:util';

export interface CommandLine {
  readonly scenarios: readonly string[];
  readonly rounds: number | undefined;
  readonly seconds: number | undefined;
  readonly seed: number;
  /** Exit 1 where an aim is missed. */
  readonly isCheck: boolean;
  readonly isSmoke: boolean;
  /** Goes on although others use the machine; what it says is no result. */
  readonly isLoadedAllowed: boolean;
  /** Where FastIM's CPU profiles go, instead of results. */
  readonly profileFolder: string | undefined;
}

/** @throws with a message for whoever typed it. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      check: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      loaded: { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
    },
  });
  return {
    scenarios: positionals,
    rounds: whole('rounds', values.rounds),
    seconds: whole('seconds', values.seconds),
    seed: whole('seed', values.seed) ?? 1,
    isCheck: values.check,
    isSmoke: values.smoke,
    isLoadedAllowed: values.loaded,
    profileFolder: values['cpu-prof'],
  };
}

function whole(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(given)) return Number(given);
  throw new Error(`--${name} must be a whole number from 1 on`);
}
