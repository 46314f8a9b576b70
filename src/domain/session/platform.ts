import { limits } from '../../limits.ts';

/** What a device runs on. */
export type Platform = 'IOS' | 'ANDROID' | 'WEB' | 'DESKTOP' | 'OTHER';

/** Which of a user's other sessions a sign-in ends: those of its platform class, all, none; on its own device always. */
export type SessionPolicy = 'same-class' | 'single' | 'unlimited';

/** `Session.platform` in rows. */
export const platformCodes = {
  IOS: 0,
  ANDROID: 1,
  WEB: 2,
  DESKTOP: 3,
  OTHER: 4,
} as const satisfies Record<Platform, number>;

const platforms = ['IOS', 'ANDROID', 'WEB', 'DESKTOP', 'OTHER'] as const;

export function platformOf(code: number): Platform {
  const platform = platforms[code];
  if (platform === undefined) throw new RangeError(`no platform has code ${code}`);
  return platform;
}

/** The phones are one class; every other platform is its own. */
const classes = {
  IOS: 'PHONE',
  ANDROID: 'PHONE',
  WEB: 'WEB',
  DESKTOP: 'DESKTOP',
  OTHER: 'OTHER',
} as const satisfies Record<Platform, string>;

interface Place {
  readonly deviceId: string;
  readonly platform: Platform;
}

/**
 * Which of a user's live sessions a sign-in ends: those that the policy says, and the oldest of what would be too many.
 * @param live the latest sign-in first.
 */
export function displacedBy<Live extends Place>(
  policy: SessionPolicy,
  signIn: Place,
  live: readonly Live[],
): Live[] {
  let kept = 0;
  return live.filter((session) => {
    if (displaces(policy, signIn, session)) return true;
    kept += 1;
    return kept >= limits.sessionsPerUserMax;
  });
}

function displaces(policy: SessionPolicy, signIn: Place, session: Place): boolean {
  if (signIn.deviceId === session.deviceId) return true;
  switch (policy) {
    case 'same-class':
      return classes[signIn.platform] === classes[session.platform];
    case 'single':
      return true;
    case 'unlimited':
      return false;
  }
}
