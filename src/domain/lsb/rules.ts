import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Fault } from '../../lib/fault.ts';
import { stableTrack, type GateAsk } from './model.ts';
import { compareVersions, parseVersion } from './versions.ts';

const rulesMax = 100;
const namePattern = /^[\w.-]{1,64}$/;

const name = z
  .string()
  .regex(namePattern, 'must be a name like canary, of 1 to 64 of A-Za-z0-9_.-');
const version = z
  .string()
  .refine((text) => parseVersion(text) !== null, 'must be a version like 2.4.0 or 2.4.0-beta.1');

const rule = z.strictObject({
  /** Unlike any other; a percentage chooses other devices under another name. */
  name,
  /** Where whom it fits is sent. */
  track: name,
  /** Whom it fits; what is absent fits everybody. */
  apps: z.array(name).min(1, 'must name an app').optional(),
  clientVersions: z
    .strictObject({ from: version.optional(), below: version.optional() })
    .refine(({ from, below }) => from !== undefined || below !== undefined, 'must bound versions')
    .refine(
      ({ from, below }) => !isEmptyRange(from, below),
      'must have its "from" below its "below"',
    )
    .optional(),
  /** Of devices, to two decimals. */
  percent: z
    .number()
    .refine((value) => value >= 0 && value <= 100, 'must be a number from 0 to 100')
    .optional(),
});

const ruleSet = z.strictObject({
  rules: z
    .array(rule)
    .max(rulesMax, `must be ${rulesMax} at most`)
    .superRefine((rules, context): void => {
      rules.forEach((one, index) => {
        if (rules.findIndex((other) => other.name === one.name) === index) return;
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is taken already' });
      });
    }),
});

/** Who is sent to which track: the first rule that fits decides; whom none fits goes to the stable one. */
export type GateRules = z.infer<typeof ruleSet>;
type GateRule = GateRules['rules'][number];

/** What holds where nobody has said otherwise. */
export const noRules: GateRules = { rules: [] };

/**
 * Rules as an operator wrote them.
 * @throws {Fault} INVALID_ARGUMENT that names every mistake.
 */
export function parseRules(value: unknown): GateRules {
  const parsed = ruleSet.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${pathText(path)} ${message}`);
  throw new Fault('INVALID_ARGUMENT', `The rules are wrong: ${mistakes.join('; ')}`);
}

/** The track that a client is sent to. */
export function trackFor({ rules }: GateRules, ask: GateAsk): string {
  return rules.find((one) => fits(one, ask))?.track ?? stableTrack;
}

/**
 * Where a device stands among all, from 0 to 100: always at the same place under the same rule, so that a higher percentage
 * takes in more, and lets nobody go.
 */
export function placeOf(ruleName: string, appId: string, deviceId: string): number {
  const hash = createHash('sha256')
    .update(JSON.stringify([ruleName, appId, deviceId]))
    .digest();
  return (hash.readUInt32BE() / 2 ** 32) * 100;
}

function fits({ name: ruleName, apps, clientVersions, percent }: GateRule, ask: GateAsk): boolean {
  const { appId, clientVersion, deviceId } = ask;
  if (apps && !apps.includes(appId)) return false;
  if (clientVersions && !isWithin(clientVersion, clientVersions)) return false;
  if (percent === undefined || percent >= 100) return true;
  // Who tells no device cannot be found again, so no share of all devices has them.
  return deviceId !== null && placeOf(ruleName, appId, deviceId) < percent;
}

/** What is no version is in no range. */
function isWithin(
  text: string | null,
  { from, below }: NonNullable<GateRule['clientVersions']>,
): boolean {
  const asked = text === null ? null : parseVersion(text);
  if (!asked) return false;
  const [first, end] = [from, below].map((bound) => (bound ? parseVersion(bound) : null));
  return (
    (!first || compareVersions(asked, first) >= 0) && (!end || compareVersions(asked, end) < 0)
  );
}

function isEmptyRange(from: string | undefined, below: string | undefined): boolean {
  const [first, end] = [from, below].map((bound) => (bound ? parseVersion(bound) : null));
  return first != null && end != null && compareVersions(first, end) >= 0;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    '$',
  );
}
