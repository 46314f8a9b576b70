import type { Scenario } from '../runner/scenario.ts';
import { send, sendSqlite } from './send.ts';

export const scenarios: readonly Scenario[] = [send, sendSqlite];
