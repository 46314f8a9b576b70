import type { Redis } from 'ioredis';

/**
 * Asks a connection now and then whether it lives, and has it come back anew where it does not answer: one that died
 * without a word would be silent for ever. The client's commandTimeout says how long an answer may take.
 * @returns what ends the asking.
 */
export function startPulse(client: Redis, pingMs: number): () => void {
  let isCut = false;
  const onClose = (): void => {
    isCut = false;
  };
  const onSilence = (): void => {
    if (isCut || client.status !== 'ready') return;
    isCut = true;
    client.disconnect(true);
  };
  client.on('close', onClose);
  const timer = setInterval(() => {
    if (client.status === 'ready' && !isCut) client.ping().catch(onSilence);
  }, pingMs);
  return () => {
    clearInterval(timer);
    client.off('close', onClose);
  };
}
