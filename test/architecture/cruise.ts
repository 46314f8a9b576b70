import { createRequire } from 'node:module';
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';

const configuration = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: { name: string }[];
  options: Record<string, unknown> & { enhancedResolveOptions: Record<string, unknown> };
};

/** The names of all rules that `npm run imports` checks. */
export const ruleNames = configuration.forbidden.map((rule) => rule.name);

/** Cruises folders under `baseDir` just as `npm run imports` does here. */
export async function cruiseLikeCheck(
  baseDir: string,
  folders: readonly string[],
): Promise<ICruiseResult> {
  const { enhancedResolveOptions, ...options } = configuration.options;
  const result = await cruise(
    [...folders],
    {
      ...options,
      baseDir,
      validate: true,
      ruleSet: { forbidden: configuration.forbidden } as IFlattenedRuleSet,
    },
    { ...enhancedResolveOptions },
  );
  if (typeof result.output === 'string') throw new Error('the cruise gave a text');
  return result.output;
}
