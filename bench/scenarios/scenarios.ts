import type { Scenario } from '../runner/scenario.ts';
import { claims } from './claims.ts';
import { coldStart } from './cold-start.ts';
import { failover } from './failover.ts';
import { history } from './history.ts';
import { inboxLog } from './inbox-log.ts';
import { overload } from './overload.ts';
import { request } from './request.ts';
import { rollingRestart } from './rolling-restart.ts';
import { send, sendSqlite } from './send.ts';
import { soak } from './soak.ts';
import { start } from './start.ts';

export const scenarios: readonly Scenario[] = [
  send,
  sendSqlite,
  history,
  request,
  claims,
  coldStart,
  start,
  soak,
  overload,
  failover,
  rollingRestart,
  inboxLog,
];
