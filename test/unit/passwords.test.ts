import { describe, expect, test } from 'vitest';
import { Passwords, passwordCost } from '../../src/domain/user/user.ts';

const cheap = { memoryKib: 256, passes: 1 };

/** The shortest of several tries: what it costs when nothing else is in the way. */
async function shortestMs(work: () => Promise<unknown>): Promise<number> {
  let shortest = Infinity;
  for (let round = 0; round < 7; round += 1) {
    const before = performance.now();
    await work();
    shortest = Math.min(shortest, performance.now() - before);
  }
  return shortest;
}

describe('passwords', () => {
  test('are hashed with argon2id at what OWASP advises, each with a salt of its own', async () => {
    const passwords = new Passwords();
    const hashes = await Promise.all([
      passwords.hash('correct horse'),
      passwords.hash('correct horse'),
    ]);
    for (const hash of hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hashes[0]).not.toBe(hashes[1]);
    expect(passwordCost).toEqual({ memoryKib: 19_456, passes: 2 });
  });

  test('match their own hash alone, in every character', async () => {
    const passwords = new Passwords({ cost: cheap });
    const long = 'ä'.repeat(255);
    const hash = await passwords.hash(`${long}x`);
    expect(await passwords.matches(`${long}x`, hash)).toBe(true);
    for (const wrong of [`${long}y`, long, `${long}x `, '']) {
      expect(await passwords.matches(wrong, hash)).toBe(false);
    }
    expect(await passwords.matches('anything', null)).toBe(false);
  });

  test('nobody’s take as long as somebody’s', async () => {
    const passwords = new Passwords();
    const hash = await passwords.hash('correct horse');
    const known = await shortestMs(() => passwords.matches('wrong', hash));
    const unknown = await shortestMs(() => passwords.matches('wrong', null));
    // A name that is looked up and not hashed would take a hundredth; the machine may be busy.
    expect(unknown / known).toBeGreaterThan(0.3);
    expect(unknown / known).toBeLessThan(3);
  });

  test('of more than may wait, one more is UNAVAILABLE, and those before get their turn', async () => {
    const passwords = new Passwords({ cost: cheap, waitingMax: 4 });
    const asked = await Promise.allSettled(
      Array.from({ length: 40 }, () => passwords.hash('correct horse')),
    );
    const refused = asked.filter((answer) => answer.status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(40 - 4 - 2);
    expect(refused.length).toBeLessThan(40 - 4);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
    }
    expect(await passwords.hash('again')).toMatch(/^\$argon2id/);
  });
});
