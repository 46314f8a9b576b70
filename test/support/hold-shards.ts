// A process that starts the shards of its first argument (JSON), says so, writes without end, and
// waits to be killed.
import { systemClock } from '../../src/lib/clock.ts';
import { Shards, type ShardsConfig } from '../../src/storage/shards.ts';

const config = JSON.parse(process.argv[2] ?? '{}') as ShardsConfig;
const shards = new Shards(config, { clock: systemClock, onLost: () => process.exit(1) });
await shards.start();
const { sql } = shards.ofSlot(0);
for (let number = 1; ; number += 1) {
  await sql.transaction(async (tx) => {
    await tx.execute(
      'INSERT INTO MessageChange (conversationId, changeSeq, seq) VALUES (1, ?, 1), (2, ?, 1)',
      [number, number],
    );
  });
  // What was said here was acknowledged before.
  process.stdout.write(`${number}\n`);
}
