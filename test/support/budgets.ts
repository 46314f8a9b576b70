import type { Config } from '../../src/config.ts';

/** For tests that ask for more than any user would, and are about something else. */
export const unlimited: Config['budgets'] = {
  registrationsPerHour: 0,
  loginsPerHour: 0,
  sendsPerMinute: 0,
  operationsPerSecond: 0,
  costPerMinute: 0,
  connectionsPerAddress: 0,
};
