import type { IncomingMessage } from 'node:http';
import type { GraphQLError } from 'graphql';
import { readText, requestError } from './params.ts';

/**
 * The body of a request, read as UTF-8. Of one that is too long the rest is thrown away as it comes.
 * @returns null where the other side is gone before its end.
 * @throws {GraphQLError} where it is longer than `bytesMax`, or no UTF-8.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<string | null> {
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
      const whole = parts.length === 1 && first ? first : Buffer.concat(parts);
      try {
        resolve(readText(whole));
      } catch (error) {
        reject(error as GraphQLError);
      }
    });
    request.once('close', () => resolve(null));
  });
}
