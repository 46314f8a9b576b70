import { Socket } from 'node:net';

type Written = (error?: Error | null) => void;

/**
 * A socket on which all that is written in one turn leaves in one system call: the statements of a phase are many small
 * writes, and each would cost as much as the whole phase.
 */
export class TurnSocket extends Socket {
  #isGathering = false;

  override write(chunk: Uint8Array | string, onWritten?: Written): boolean;
  override write(chunk: string, encoding?: BufferEncoding, onWritten?: Written): boolean;
  override write(
    chunk: Uint8Array | string,
    encoding?: BufferEncoding | Written,
    onWritten?: Written,
  ): boolean {
    this.#gather();
    return typeof encoding === 'string'
      ? super.write(chunk, encoding, onWritten)
      : super.write(chunk, encoding ?? onWritten);
  }

  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.uncork();
    });
  }
}
