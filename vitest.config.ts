import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';
import { isUnheardSetupFailure } from './src/storage/mariadb-pool.ts';
import { ChaosLast } from './tools/chaos-last.ts';
import { TallyReporter } from './tools/tally-reporter.ts';

export default defineConfig({
  // As Node resolves it: else our files get another copy than Pothos does, and graphql refuses.
  resolve: {
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
  },
  test: {
    include: [
      'test/{unit,contract,api,kill,cluster,browser,sim,types,architecture,fuzz}/**/*.test.ts',
    ],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: ChaosLast },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    reporters: ['default', new TallyReporter()],
    // What one test leaves in a global must not help the next one.
    restoreMocks: true,
    // As src/main.ts has it.
    onUnhandledError: (error) =>
      isUnheardSetupFailure(Object.assign(new Error(error.message), error)) ? false : undefined,
    unstubEnvs: true,
  },
});
