import { describe, expect, test } from 'vitest';
import { Turnstile } from '../../src/storage/turnstile.ts';

describe('a turnstile', () => {
  test('lets in as many as it has places, the others in order of arrival', async () => {
    const turnstile = new Turnstile({ places: 2, waitingMax: 10_000 });
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 3_000 }, async (_, number) => {
        const leave = await turnstile.enter();
        order.push(number);
        inside += 1;
        most = Math.max(most, inside);
        await Promise.resolve();
        inside -= 1;
        leave();
      }),
    );
    expect(most).toBe(2);
    expect(order).toEqual(Array.from({ length: 3_000 }, (_, number) => number));
    expect(turnstile.waiting).toBe(0);
  });

  test('refuses who would wait beyond the limit, and lets in again once somebody left', async () => {
    const turnstile = new Turnstile({ places: 1, waitingMax: 1 });
    const leave = await turnstile.enter();
    const second = turnstile.enter();
    await expect(turnstile.enter()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryAfterMs: expect.any(Number) as number,
    });
    leave();
    const leaveSecond = await second;
    const third = turnstile.enter();
    leaveSecond();
    (await third)();
    (await turnstile.enter())();
  });

  test('a place is given back once', async () => {
    const turnstile = new Turnstile({ places: 1, waitingMax: 1 });
    const leave = await turnstile.enter();
    leave();
    expect(leave).toThrow('given back once');
  });
});
