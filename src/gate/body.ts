import type { IncomingMessage } from 'node:http';
import { requestError } from './params.ts';

/**
 * The body of a request. Of one that is too long the rest is thrown away as it comes.
 * @returns null where the other side is gone before its end.
 * @throws {GraphQLError} where it is longer than `bytesMax`.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= bytesMax) {
        parts.push(part);
      } else {
        parts.length = 0;
        reject(requestError(413, `A request has at most ${bytesMax} bytes.`));
      }
    });
    request.once('end', () => {
      const [first] = parts;
      resolve(parts.length === 1 && first ? first : Buffer.concat(parts));
    });
    request.once('close', () => resolve(null));
  });
}
