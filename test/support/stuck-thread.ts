// A process of its own, of which a thread is in native code for ever; for test/contract/storage-sqlite.test.ts.
import { SqliteThread } from '../../src/storage/sqlite-thread.ts';
import { endProcess } from '../../src/storage/stuck-thread.ts';

const [file = ''] = process.argv.slice(2);
const thread = new SqliteThread({
  data: { file, isReader: false },
  stuckAfterMs: 400,
  callsMax: 10,
  onLost: (reason) => {
    console.log(reason.message);
    endProcess(reason, 1);
  },
});
await thread.start();
const text =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n';
await thread.call({ kind: 'query', text, params: [] });
