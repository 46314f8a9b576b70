import { Fault } from '../../lib/fault.ts';
import { isWellFormed } from '../../lib/text.ts';

/**
 * The user name that a text means: folded to lower case; null where no name can be spelled so.
 * @throws {Fault} INVALID_ARGUMENT for half a surrogate pair.
 */
export function usernameOf(text: string): string | null {
  if (!isWellFormed(text)) {
    throw new Fault('INVALID_ARGUMENT', 'username holds half a surrogate pair');
  }
  // By hand, since toLowerCase would make ASCII of letters that are none, like the Kelvin sign.
  const folded = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return /^[a-z0-9_.]{3,32}$/.test(folded) ? folded : null;
}

/**
 * What stands for one account and for nothing else, whether there is such an account or not; null where there can be none.
 * @throws {Fault} INVALID_ARGUMENT for half a surrogate pair.
 */
export function accountKey(appId: string, username: string): string | null {
  const name = usernameOf(username);
  return name === null || appId.length > 64 ? null : `${name} ${appId}`;
}

/**
 * As `usernameOf`, for a name to be taken.
 * @throws {Fault} INVALID_ARGUMENT
 */
export function checkUsername(text: string): string {
  const name = usernameOf(text);
  if (name !== null) return name;
  throw new Fault('INVALID_ARGUMENT', "username must be 3 to 32 of a-z, 0-9, '_' and '.'");
}
