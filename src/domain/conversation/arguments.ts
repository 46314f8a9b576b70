import { Fault } from '../../lib/fault.ts';
import { checkText } from '../../lib/text.ts';
import { limits } from '../../limits.ts';

/** @throws {Fault} INVALID_ARGUMENT unless it is an integer from 0 to 200. */
export function checkPageSize(name: string, size: number): number {
  if (!Number.isInteger(size) || size < 0 || size > limits.pageMessagesMax) {
    throw new Fault('INVALID_ARGUMENT', `${name} must be 0 to ${limits.pageMessagesMax}`);
  }
  return size;
}

/** @throws {Fault} INVALID_ARGUMENT */
export function checkTitle(title: string): string {
  return checkText('title', title, { min: 1, max: limits.titleCharsMax });
}

/** @throws {Fault} INVALID_ARGUMENT */
export function checkClientId(name: string, value: string): string {
  return checkText(name, value, { min: 1, max: limits.clientIdCharsMax });
}

/**
 * The ids as a set.
 * @throws {Fault} INVALID_ARGUMENT where there are too many.
 */
export function checkIds(name: string, ids: readonly bigint[]): Set<bigint> {
  if (ids.length > limits.idsPerCallMax) {
    throw new Fault('INVALID_ARGUMENT', `${name} may hold ${limits.idsPerCallMax} ids at most`);
  }
  return new Set(ids);
}

/** Unknown and forbidden look the same. */
export function noSuchConversation(): Fault {
  return new Fault('NOT_FOUND', 'No such conversation.');
}
