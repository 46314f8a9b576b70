import { expect, test, vi } from 'vitest';
import { untilAvailable } from '../kill/settle-in.ts';
import { TestFault } from '../support/clients.ts';

const fault = (code: string): TestFault => new TestFault([{ message: code, extensions: { code } }]);

test.each([
  { what: 'UNAVAILABLE', error: fault('UNAVAILABLE') },
  // As fetch says it, where the connection ended.
  { what: 'lost', error: new TypeError('fetch failed', { cause: new Error('closed') }) },
])('what is $what is asked again', async ({ error }) => {
  const ask = vi.fn<() => Promise<string>>().mockRejectedValueOnce(error).mockResolvedValue('here');
  expect(await untilAvailable(ask)).toBe('here');
  expect(ask).toHaveBeenCalledTimes(2);
});

test.each([
  { what: 'refused', error: fault('NOT_FOUND') },
  { what: 'INTERNAL', error: fault('INTERNAL') },
  { what: 'a mistake of the asker', error: new TypeError('undefined is not a function') },
])('what is $what is not', async ({ error }) => {
  const ask = vi.fn<() => Promise<string>>().mockRejectedValue(error);
  await expect(untilAvailable(ask)).rejects.toBe(error);
  expect(ask).toHaveBeenCalledTimes(1);
});
