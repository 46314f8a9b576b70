import type { PlantedBug } from '../support/bundle.ts';
import type { AnomalyName } from '../support/checker.ts';

/** A bug that the chaos must find. */
export interface ChaosBug {
  readonly name: string;
  readonly planted: readonly PlantedBug[];
  /** What shows it. */
  readonly kinds: readonly string[];
  /** Any of these tells that it is there. */
  readonly seenAs: readonly AnomalyName[];
}

const logFile = 'realtime/inbox/inbox-log.redis.ts';

export const chaosBugs: readonly ChaosBug[] = [
  {
    name: 'epoch ignored',
    planted: [
      {
        file: 'storage/lua.ts',
        right: 'local holds = known[1] == ARGV[1] and known[2] == ARGV[2] and known[3]',
        wrong: 'local holds = known[3]',
      },
    ],
    kinds: ['redis-replaced-by-a-stale-replica'],
    seenAs: ['log-mismatch', 'poll-skip', 'unseen', 'nonmonotonic-cursor', 'unexpected-reset'],
  },
  {
    name: 'row marked done before append',
    planted: [
      {
        file: 'realtime/outbox/carrier.ts',
        right: 'const first = await this.#append(rows);',
        wrong:
          'arrivals.add(rows.map(({ id }) => id), place.index);\n' +
          'const first = await this.#append(rows);',
      },
    ],
    kinds: ['redis-link-cut', 'redis-link-half-open', 'node-killed', 'append-answer-lost'],
    seenAs: ['log-mismatch', 'poll-skip', 'unseen'],
  },
  {
    name: 'publish before append',
    planted: [
      {
        file: logFile,
        right: "import type { RedisBuckets } from '../../storage/redis-buckets.ts';",
        wrong:
          "import type { RedisBuckets } from '../../storage/redis-buckets.ts';\n" +
          "import { plainScript } from '../../storage/lua.ts';",
      },
      {
        file: logFile,
        right: 'const done = await bucket.runInEpoch(appendStretches, args, job.onlyIn);',
        wrong:
          'const tells = appendStretches.text' +
          ".replace(/redis\\.call\\('(?:XADD|HSET|XTRIM|PEXPIREAT)'/g, 'tostring(\\'\\'')" +
          ".replace('setMark(conversation, marks', 'tostring(conversation, marks');\n" +
          "await bucket.runInEpoch(plainScript('tells', appendStretches, tells), args, job.onlyIn);\n" +
          'const done = await bucket.runInEpoch(appendStretches, args, job.onlyIn);',
      },
    ],
    kinds: ['append-answer-lost', 'node-killed', 'redis-link-cut'],
    seenAs: ['poll-skip', 'unseen', 'inconsistent-offsets', 'nonmonotonic-poll', 'stale-view'],
  },
  {
    name: 'unsent commands resent after a restart',
    planted: [
      {
        file: 'storage/connect.redis.ts',
        right:
          'enableOfflineQueue: false,\n    autoResendUnfulfilledCommands: false,\n    maxRetriesPerRequest: 0,',
        wrong: 'maxRetriesPerRequest: null,',
      },
      { file: 'storage/redis.ts', right: 'comesBack: false,', wrong: 'comesBack: true,' },
      {
        file: 'storage/redis.ts',
        right:
          "client.on('close', () => this.#broken(client, new Error('the connection closed')));",
        wrong: '',
      },
    ],
    kinds: ['redis-replaced-by-a-stale-replica'],
    seenAs: ['log-mismatch', 'poll-skip', 'unseen', 'nonmonotonic-cursor', 'unexpected-reset'],
  },
];
