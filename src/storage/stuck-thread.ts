import { SqlError } from './sql.ts';

/** A thread has not answered for long: it is in native code, from which nothing brings it back. */
export class StuckThreadError extends SqlError {
  override name = 'StuckThreadError';

  constructor(message: string) {
    super('connection', message);
  }
}

/**
 * Ends this process for that reason: with the exit code, or killed where a thread is stuck, since `process.exit` would wait
 * for the thread and so perhaps for ever.
 */
export function endProcess(reason: unknown, exitCode: number): void {
  if (reason instanceof StuckThreadError) process.kill(process.pid, 'SIGKILL');
  else process.exit(exitCode);
}
