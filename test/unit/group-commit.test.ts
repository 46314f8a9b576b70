import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/lib/fault.ts';
import { GroupCommit, type Settled } from '../../src/storage/group-commit.ts';
import { SqlError, type SqlErrorKind } from '../../src/storage/sql.ts';
import { StandingQueue } from '../../src/storage/standing-queue.ts';

type Run = (jobs: readonly string[]) => Promise<readonly Settled<string>[]>;

/** A job is `key number`; what a batch held is noted. */
function committing(
  run: Run,
  limits: { batchMax?: number; queueMax?: number; waitMaxMs?: number; deferMaxMs?: number } = {},
) {
  const batches: (readonly string[])[] = [];
  const commit = new GroupCommit<string, string>({
    run: (jobs) => {
      batches.push(jobs);
      return run(jobs);
    },
    keyOf: (job) => job.split(' ')[0] ?? '',
    batchMax: 4,
    queueMax: 100,
    deferMaxMs: 5_000,
    ...limits,
  });
  return { commit, batches };
}

/** Something that happens when the test says so. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const done = (job: string): Settled<string> => ({ kind: 'done', result: job.toUpperCase() });
const allDone: Run = async (jobs) => jobs.map(done);
const deferring =
  (isHeld: (job: string) => boolean): Run =>
  async (jobs) => {
    // As long as a quick transaction takes.
    await new Promise((resolve) => setTimeout(resolve, 1));
    return jobs.map((job) => (isHeld(job) ? { kind: 'deferred' } : done(job)));
  };
const unavailable = expect.objectContaining({
  name: 'Fault',
  code: 'UNAVAILABLE',
  retryAfterMs: expect.any(Number) as number,
}) as unknown;

describe('a queue', () => {
  const waiting = (eachMs: number): StandingQueue => {
    const queue = new StandingQueue(500);
    for (let at = -20_000; at < 0; at += 1_000) {
      queue.transactionBegan(at);
      queue.transactionEnded(at + eachMs);
    }
    return queue;
  };

  it('lets expect what the last transactions took, and the running one where it takes longer', () => {
    const queue = waiting(100);
    expect(queue.waitMs(3, 0)).toBeCloseTo(300, 0);
    queue.transactionBegan(0);
    expect(queue.waitMs(3, 40)).toBeCloseTo(60 + 300, 0);
    expect(queue.waitMs(3, 500)).toBeCloseTo(3 * 500, 0);
    queue.transactionEnded(500);
    expect(queue.waitMs(1, 500)).toBeCloseTo(300, 0);
    expect(new StandingQueue(500).waitMs(9, 0)).toBe(0);
  });

  it('takes a burst, and where it stands only who is served in time', () => {
    const queue = waiting(100);
    expect([0, 100, 499].map((at) => queue.takes(2_000, at))).toEqual([true, true, true]);
    expect(queue.takes(501, 500)).toBe(false);
    expect(queue.takes(250, 501)).toBe(true);
    // It is overload still, so that it is longer again for a moment is no new burst.
    expect(queue.takes(251, 502)).toBe(false);
    expect(queue.takes(125, 503)).toBe(true);
    expect(queue.takes(2_000, 1_002)).toBe(false);
  });

  it('stands no more once it has been short, or empty, for a while', () => {
    const standing = (): StandingQueue => {
      const queue = waiting(100);
      queue.takes(2_000, -500);
      expect(queue.takes(2_000, 0)).toBe(false);
      return queue;
    };
    const short = standing();
    expect(short.takes(125, 300)).toBe(true);
    expect(short.takes(125, 799)).toBe(true);
    expect(short.takes(2_000, 799)).toBe(false);
    expect(short.takes(125, 800)).toBe(true);
    expect(short.takes(125, 1_300)).toBe(true);
    expect(short.takes(2_000, 1_301)).toBe(true);
    const empty = standing();
    empty.emptied(300);
    expect(empty.takes(2_000, 799)).toBe(false);
    empty.emptied(800);
    empty.emptied(1_299);
    expect(empty.takes(2_000, 1_300)).toBe(true);
    expect(empty.takes(2_000, 1_800)).toBe(false);
  });
});

describe('group commit', () => {
  it('takes what gathered during one transaction into the next, in order, up to its size', async () => {
    const first = gate();
    let runs = 0;
    const { commit, batches } = committing(async (jobs) => {
      runs += 1;
      if (runs === 1) await first.opened;
      return jobs.map(done);
    });
    const answers = ['a 1', 'a 2', 'b 1', 'a 3', 'b 2', 'a 4'].map((job) => commit.submit(job));
    expect(commit.queued).toBe(5);
    first.open();
    expect(await Promise.all(answers)).toEqual(['A 1', 'A 2', 'B 1', 'A 3', 'B 2', 'A 4']);
    expect(batches).toEqual([['a 1'], ['a 2', 'b 1', 'a 3', 'b 2'], ['a 4']]);
    expect(commit.queued).toBe(0);
  });

  it('answers no job before its transaction has ended', async () => {
    const end = gate();
    const { commit } = committing(async (jobs) => {
      await end.opened;
      return jobs.map(done);
    });
    let isAnswered = false;
    const answer = commit.submit('a 1').then(() => (isAnswered = true));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isAnswered).toBe(false);
    end.open();
    await answer;
  });

  it('refuses one job and no other', async () => {
    const { commit } = committing(async (jobs) =>
      jobs.map((job) =>
        job === 'a 2' ? { kind: 'refused', fault: new Fault('FORBIDDEN', 'No.') } : done(job),
      ),
    );
    const ended = await Promise.allSettled(['a 1', 'a 2', 'a 3'].map((job) => commit.submit(job)));
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('is UNAVAILABLE beyond what may wait, and loses nothing that was accepted', async () => {
    const end = gate();
    const { commit } = committing(
      async (jobs) => {
        await end.opened;
        return jobs.map(done);
      },
      { queueMax: 3 },
    );
    const answers = ['a 1', 'a 2', 'a 3', 'a 4'].map((job) => commit.submit(job));
    await expect(commit.submit('a 5')).rejects.toEqual(unavailable);
    end.open();
    expect(await Promise.all(answers)).toHaveLength(4);
    expect(await commit.submit('a 5')).toBe('A 5');
  });

  it('takes no more than it can commit in time while more come than it can, and all after that', async () => {
    const slowly: Run = async (jobs) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return jobs.map(done);
    };
    const { commit } = committing(slowly, { waitMaxMs: 100, queueMax: 1_000 });
    const refusals: unknown[] = [];
    const sent: Promise<unknown>[] = [];
    // A batch of four takes 20 ms at least: these are twice as many, at least.
    for (const until = performance.now() + 1_000; performance.now() < until;) {
      for (let n = 0; n < 8; n += 1) {
        sent.push(commit.submit('a 1').catch((error: unknown) => refusals.push(error)));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(sent);
    expect(refusals.length).toBeGreaterThan(sent.length / 5);
    expect(refusals).toEqual(refusals.map(() => unavailable));
    expect(commit.queued).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const burst = Array.from({ length: 40 }, () => commit.submit('a 1'));
    expect(await Promise.all(burst)).toHaveLength(40);
  });

  it('bisects a failure down to the job that causes it', async () => {
    const first = gate();
    const { commit, batches } = committing(
      async (jobs) => {
        if (jobs.includes('warm 1')) await first.opened;
        if (jobs.includes('bad 1')) throw new SqlError('other', 'poison');
        return jobs.map(done);
      },
      { batchMax: 256, queueMax: 1_000 },
    );
    const warm = commit.submit('warm 1');
    const jobs = Array.from({ length: 256 }, (_, index) => (index === 77 ? 'bad 1' : `a ${index}`));
    const ended = Promise.allSettled(jobs.map((job) => commit.submit(job)));
    first.open();
    await warm;
    const failed = (await ended).flatMap((end, index) =>
      end.status === 'rejected' ? [[index, end.reason]] : [],
    );
    expect(failed).toEqual([[77, expect.objectContaining({ kind: 'other' })]]);
    // The warm one, the whole, and two halves on each of eight levels.
    expect(batches).toHaveLength(2 + 2 * 8);
  });

  it.each<SqlErrorKind>(['deadlock', 'lockTimeout'])('repeats after a %s', async (kind) => {
    let failures = 2;
    const { commit, batches } = committing(async (jobs) => {
      failures -= 1;
      if (failures >= 0) throw new SqlError(kind, 'again');
      return jobs.map(done);
    });
    expect(await commit.submit('a 1')).toBe('A 1');
    expect(batches).toHaveLength(3);
  });

  it('is UNAVAILABLE where contention does not end', async () => {
    const { commit, batches } = committing(async () => {
      throw new SqlError('deadlock', 'again');
    });
    await expect(commit.submit('a 1')).rejects.toEqual(unavailable);
    expect(batches).toHaveLength(6);
  });

  it('is UNAVAILABLE for the whole batch, at once, where the connection is lost', async () => {
    let isLost = true;
    const { commit, batches } = committing(async (jobs) => {
      if (isLost) throw new SqlError('connection', 'gone');
      return jobs.map(done);
    });
    await expect(commit.submit('a 1')).rejects.toEqual(unavailable);
    expect(batches).toHaveLength(1);
    isLost = false;
    expect(await commit.submit('a 1')).toBe('A 1');
  });

  it('lets a fault of the transaction be everybody’s, as it is', async () => {
    const fault = new Fault('UNAVAILABLE', 'Too much to do.', { retryAfterMs: 7 });
    const { commit, batches } = committing(async () => {
      throw fault;
    });
    await expect(commit.submit('a 1')).rejects.toBe(fault);
    expect(batches).toHaveLength(1);
  });

  it('defers a key’s jobs in their order while the others go on', async () => {
    let isHeld = true;
    const { commit, batches } = committing(deferring((job) => isHeld && job.startsWith('held')));
    const order: string[] = [];
    const held = Array.from({ length: 12 }, (_, index) =>
      commit.submit(`held ${index}`).then((answer) => order.push(answer)),
    );
    // More of them than a batch takes, and all before these.
    const free = Array.from({ length: 12 }, (_, index) => commit.submit(`free ${index}`));
    expect(await Promise.all(free)).toHaveLength(12);
    expect(order).toEqual([]);
    isHeld = false;
    await Promise.all(held);
    expect(order).toEqual(Array.from({ length: 12 }, (_, index) => `HELD ${index}`));
    expect(Math.max(...batches.map((jobs) => jobs.length))).toBeLessThanOrEqual(4);
  });

  it('is UNAVAILABLE after the time for deferring, for those behind the first as well', async () => {
    const { commit, batches } = committing(
      deferring((job) => job.startsWith('held')),
      { deferMaxMs: 60 },
    );
    const startedAt = performance.now();
    const ended = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => commit.submit(`held ${index}`)),
    );
    expect(ended.map((end) => end.status === 'rejected' && end.reason)).toEqual(
      ended.map(() => unavailable),
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    // It waits between the tries: 10 ms each time, and not in a loop that only burns.
    expect(batches.length).toBeLessThan(12);
    expect(await commit.submit('free 1')).toBe('FREE 1');
  });

  it('finishes what is queued when it stops, and takes nothing more', async () => {
    const end = gate();
    const { commit } = committing(async (jobs) => {
      await end.opened;
      return jobs.map(done);
    });
    const answers = ['a 1', 'a 2'].map((job) => commit.submit(job));
    const stopped = commit.stop(5_000);
    await expect(commit.submit('a 3')).rejects.toEqual(unavailable);
    end.open();
    expect(await Promise.all(answers)).toEqual(['A 1', 'A 2']);
    await stopped;
  });

  it('gives up after the grace what still waits, and does not wait for what is held', async () => {
    const { commit } = committing(deferring(() => true));
    const answers = Promise.allSettled(['a 1', 'a 2'].map((job) => commit.submit(job)));
    const startedAt = performance.now();
    await commit.stop(30);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect((await answers).map((end) => end.status === 'rejected' && end.reason)).toEqual([
      unavailable,
      unavailable,
    ]);
  });

  it('stops at once where nothing is under way', async () => {
    const { commit } = committing(allDone);
    await commit.submit('a 1');
    await commit.stop(0);
    await expect(commit.submit('a 2')).rejects.toEqual(unavailable);
  });
});
