import { createHash } from 'node:crypto';
import { Fault } from '../../lib/fault.ts';
import { checkText } from '../../lib/text.ts';
import { limits } from '../../limits.ts';
import { checkClientId } from '../conversation/conversation.ts';
import type { RedPacketRules, SendRedPacketInput } from './model.ts';

/** What somebody wants to send, its form checked. */
export interface CheckedSend extends Omit<SendRedPacketInput, 'greeting'> {
  readonly greeting: string;
}

/** @throws {Fault} INVALID_ARGUMENT */
export function checkSend(input: SendRedPacketInput, rules: RedPacketRules): CheckedSend {
  const { total, count, kind, recipientId } = input;
  checkClientId('clientMessageId', input.clientMessageId);
  const greeting = checkText('greeting', input.greeting ?? '', {
    min: 0,
    max: limits.greetingCharsMax,
  });
  if (!Number.isInteger(count) || count < 1 || count > rules.countMax) {
    throw invalid(`count must be 1 to ${rules.countMax}`);
  }
  if (total < BigInt(count)) throw invalid('total must hold a minor unit for each share');
  if (total > BigInt(count) * BigInt(rules.shareMax)) {
    throw invalid(`total must be ${rules.shareMax} for each share at most`);
  }
  if (kind === 'EQUAL' && total % BigInt(count) !== 0n) {
    throw invalid('an EQUAL total must divide by count');
  }
  if (recipientId !== null && count !== 1) throw invalid('with a recipient count must be 1');
  return { ...input, greeting };
}

/** What a retry must match. */
export function payloadHashOf({ kind, total, count, greeting, recipientId }: CheckedSend) {
  const recipient = recipientId === null ? null : String(recipientId);
  const payload = JSON.stringify(['RED_PACKET', kind, String(total), count, greeting, recipient]);
  return createHash('sha256').update(payload).digest();
}

function invalid(message: string): Fault {
  return new Fault('INVALID_ARGUMENT', message);
}
