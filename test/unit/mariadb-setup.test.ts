import { expect, test } from 'vitest';
import { isUnheardSetupFailure } from '../../src/storage/mariadb-pool.ts';

test('knows the one failure that the driver leaves unheard, and no other', () => {
  const setup = Object.assign(new Error('write EPIPE'), { code: 'ER_INITIAL_SQL_ERROR' });
  expect(isUnheardSetupFailure(setup)).toBe(true);
  for (const other of [
    new Error('x'),
    Object.assign(new Error('x'), { code: 'EPIPE' }),
    null,
    'x',
  ]) {
    expect(isUnheardSetupFailure(other)).toBe(false);
  }
});
