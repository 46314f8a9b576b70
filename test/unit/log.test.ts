import { expect, it } from 'vitest';
import { createLogger } from '../../src/lib/log.ts';

function recorded(level: 'info' | 'silent' = 'info') {
  const lines: string[] = [];
  const log = createLogger({ level }, { write: (line) => lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> };
}

it('writes one JSON line that names the event', () => {
  const { log, lines, last } = recorded();
  log.info({ sessionId: 's_1' }, 'session.closed');
  expect(lines).toHaveLength(1);
  expect(last()).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
    event: 'session.closed',
    sessionId: 's_1',
  });
});

it('shows no secret and no body, three levels down', () => {
  const { log, lines } = recorded();
  const secrets = {
    password: 'hunter2',
    token: 'hunter2',
    text: 'hunter2',
    data: { a: 'hunter2' },
  };
  log.info(secrets, 'flat');
  log.info({ input: secrets }, 'nested');
  log.info({ request: { input: secrets, headers: { authorization: 'hunter2' } } }, 'deep');
  log.info({ request: { body: { variables: { input: secrets } } } }, 'deeper');
  expect(lines).toHaveLength(4);
  expect(lines.join()).not.toContain('hunter2');
  expect(lines[1]).toContain('"password":"[redacted]"');
});

it('tells an error with its causes, but not the values that a driver hangs on it', () => {
  const { log, last } = recorded();
  const cause = Object.assign(new Error('deadlock'), { code: 'ER_LOCK', values: ['hunter2'] });
  log.error({ err: new Error('no commit', { cause }) }, 'writer.failed');
  expect(last()['err']).toMatchObject({
    message: 'no commit',
    cause: { message: 'deadlock', code: 'ER_LOCK' },
  });
  expect(JSON.stringify(last())).not.toContain('hunter2');
});

it('ends with an error that is its own cause', () => {
  const { log, lines } = recorded();
  const error = new Error('round');
  error.cause = error;
  log.error({ err: error }, 'circle');
  expect(lines).toHaveLength(1);
});

it('is silent where told so', () => {
  const { log, lines } = recorded('silent');
  log.fatal({}, 'nobody.hears');
  expect(lines).toEqual([]);
});
