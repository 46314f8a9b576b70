import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes the whole machine begins when nearly all else is over: neither disturbs the other's times. */
const heavy = /\/test\/cluster\/chaos\.test\.ts$/;

/** Vitest's own order of files, but for the heavy ones: they come last. */
export class ChaosLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isHeavy = ({ moduleId }: TestSpecification): boolean => heavy.test(moduleId);
    return [...sorted.filter((file) => !isHeavy(file)), ...sorted.filter(isHeavy)];
  }
}
