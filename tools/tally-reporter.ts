import { appendFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Ends a run with one line that a machine can read: `12 passed, 0 failed, 3 skipped`.
 * A file that could not be loaded and an error outside every test count as failed.
 * With TALLY_FILE set, the line is also appended there, for a caller that adds up several runs.
 */
export class TallyReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      if (module.errors().length > 0) count.failed += 1;
    }
    // A run that was broken off proves nothing, whatever its tests said until then.
    count.failed += count.pending;
    if (reason !== 'passed' && count.failed === 0) count.failed = 1;
    const line = `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`;
    console.log(`\n${line}`);
    const file = process.env['TALLY_FILE'];
    if (file) appendFileSync(file, `${line}\n`);
  }
}
