import { encodeCursor } from '../../src/domain/inbox/inbox.ts';
import type { Random } from '../kill/random.ts';

/** The server key of the app that is attacked: attackers have it, too. */
export const fuzzServerKey = 'key-of-the-fuzzed-app-0123456789';

/** What is really there, for values that come close to it. */
export interface Known {
  ids: readonly string[];
  readonly usernames: readonly string[];
  readonly cursors: readonly string[];
  tokens: readonly string[];
  refreshTokens: readonly string[];
}

/** Values that a client may send: right ones, wrong ones, and such that are nearly right. */
export class Values {
  readonly #random: Random;
  readonly #known: Known;

  constructor(random: Random, known: Known) {
    this.#random = random;
    this.#known = known;
  }

  ofScalar(name: string): unknown {
    const random = this.#random;
    switch (name) {
      case 'ID':
        return this.id();
      case 'Int':
        return random.chance(0.9)
          ? random.pick([0, 1, 1, 2, 3, 5, 5, 50, 200, 201, -1, 2 ** 31 - 1, -(2 ** 31)])
          : random.pick([2 ** 31, 1.5, '1']);
      case 'Boolean':
        return random.chance(0.5);
      case 'InboxCursor':
        return this.cursor();
      case 'MinorUnits':
        return random.chance(0.8)
          ? random.pick([1, 2, 3, 5, 10, 100, 0, -1, 20_000, 20_001, Number.MAX_SAFE_INTEGER])
          : random.pick([2 ** 53, -(2 ** 53), 1.5, 1e308, '5', null, true]);
      case 'String':
        return this.text();
      default:
        return this.anything();
    }
  }

  /** Where a field's name says more than its type. */
  ofName(name: string): unknown {
    const random = this.#random;
    if (random.chance(0.3)) return undefined;
    switch (name) {
      case 'password':
        return random.chance(0.5) ? 'correct horse' : this.text();
      case 'username':
        return random.pick(this.#known.usernames);
      case 'appId':
        return random.pick(['default', 'other', '', 'nobody']);
      case 'clientMessageId':
      case 'clientRequestId':
        return `k${random.between(0, 500)}`;
      case 'key':
        return `k${random.between(0, 20)}`;
      case 'count':
        return random.pick([1, 1, 2, 3, 5, 100, 101, 0, -1]);
      case 'refreshToken':
        return this.near(random.pick(this.#known.refreshTokens) ?? '');
      default:
        return undefined;
    }
  }

  id(): string {
    const random = this.#random;
    const id = random.pick(this.#known.ids) ?? '';
    if (random.chance(0.7)) return id;
    if (random.chance(0.5)) return this.near(id);
    return (
      random.pick([
        '',
        'u_',
        'c_0',
        'm_1_1',
        `c_${'z'.repeat(13)}`,
        'm_1_zzzzzz',
        's_1',
        '__proto__',
      ]) ?? ''
    );
  }

  cursor(): string {
    const random = this.#random;
    const known = random.pick(this.#known.cursors) ?? '';
    if (random.chance(0.4)) return known;
    if (random.chance(0.5)) return this.near(known);
    const bytes = Buffer.from(known, 'base64url');
    const userId = bytes.length > 9 ? bytes.readBigUInt64BE(1) : 1n;
    const big = random.pick([0n, 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]) ?? 0n;
    return encodeCursor({
      userId,
      epoch: random.chance(0.5) && bytes.length > 17 ? bytes.readBigUInt64BE(9) : big,
      offset: big,
      atMs: random.pick([0, 1, 2 ** 48 - 1]) ?? 0,
    });
  }

  token(): string {
    const random = this.#random;
    const known = random.pick(this.#known.tokens) ?? '';
    if (random.chance(0.3)) return known;
    const [head = '', body = '', signature = ''] = known.split('.');
    switch (random.between(0, 4)) {
      case 0: {
        const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
        return `${none}.${body}.`;
      }
      case 1: {
        const hs = Buffer.from('{"alg":"HS256","kid":"../../etc/passwd"}').toString('base64url');
        return `${hs}.${body}.${signature}`;
      }
      case 2:
        return `${head}.${this.near(body)}.${signature}`;
      case 3:
        return this.text();
      default:
        return this.near(known);
    }
  }

  validToken(): string {
    return this.#random.pick(this.#known.tokens) ?? '';
  }

  text(): string {
    const random = this.#random;
    if (random.chance(0.03)) return 'x'.repeat(random.between(16_000, 17_000));
    return random.pick(texts) ?? '';
  }

  anything(): unknown {
    const random = this.#random;
    if (random.chance(0.05)) return nested(random.between(10, 400));
    return random.pick([
      null,
      true,
      0,
      -1,
      1e308,
      2 ** 53,
      '',
      this.text(),
      [],
      {},
      [[[]]],
      { a: { b: [1, { c: null }] } },
      JSON.parse('{"__proto__":{"x":1},"constructor":1}') as unknown,
      { toJSON: 1, then: 'x', toString: null },
    ]);
  }

  /** Nearly the text. */
  near(text: string): string {
    const random = this.#random;
    const at = random.between(0, text.length);
    switch (random.between(0, 4)) {
      case 0:
        return text.slice(0, at) + text.slice(at + 1);
      case 1:
        return (
          text.slice(0, at) +
          (random.pick(['a', '=', '/', '%00', '\u0000', 'é']) ?? '') +
          text.slice(at)
        );
      case 2:
        return text.toUpperCase();
      case 3:
        return text + text;
      default:
        return text.slice(0, at);
    }
  }
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const texts = [
  '',
  ' ',
  'hello',
  'Zoë 🧗',
  '\ud800',
  '\udfff x',
  '\u0000',
  '‮',
  "'; DROP TABLE Message; --",
  '{"$gt":""}',
  '__proto__',
  'constructor',
  'true',
  '9223372036854775808',
  '-1',
  '1e3',
  '٣',
  'a'.repeat(65),
  'a'.repeat(129),
  'é'.repeat(8_192),
];
