import { Fault } from '../lib/fault.ts';
import { otherEpoch } from './lua.ts';

const retryAfterMs = 300;

/** What Redis said where it refused; empty where it did not answer. */
export function refusalOf(error: unknown): string {
  return error instanceof Error && error.name === 'ReplyError' ? error.message : '';
}

/** It is not the primary any more, or not yet: another connection is needed. */
export function isElsewhere(refusal: string): boolean {
  return /^(READONLY|LOADING|MASTERDOWN)/.test(refusal);
}

/** It would do it at another time: it is full, busy, or lacks the replicas that it was told to have. */
export function isForNow(refusal: string): boolean {
  return /^(OOM|MISCONF|BUSY|NOREPLICAS)/.test(refusal);
}

/** The script was told of an epoch that does not hold. */
export function isOtherEpoch(error: unknown): boolean {
  return refusalOf(error).startsWith(otherEpoch);
}

/** What whoever asked is told where there is no answer. */
export function unavailable(cause?: unknown): Fault {
  return new Fault('UNAVAILABLE', 'Redis did not answer.', { retryAfterMs, cause });
}
