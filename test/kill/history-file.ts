import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Writes as JSON what may be too long for one text: each element of a list, and of the lists in it, on a line of its own. */
export async function keepHistory(file: string, history: object): Promise<void> {
  await pipeline(Readable.from(gathered(piecesOf(history, 0))), createWriteStream(file));
}

const chunkChars = 1_000_000;

function* gathered(pieces: Iterable<string>): Generator<string> {
  let chunk: string[] = [];
  let chars = 0;
  for (const piece of pieces) {
    chunk.push(piece);
    chars += piece.length;
    if (chars < chunkChars) continue;
    yield chunk.join('');
    chunk = [];
    chars = 0;
  }
  yield chunk.join('');
}

/** Lists nest that deep before a value is written in one piece. */
const levels = 4;

function* piecesOf(value: unknown, level: number): Generator<string> {
  if (level >= levels || typeof value !== 'object' || value === null) {
    yield JSON.stringify(value) ?? 'null';
    return;
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  yield isList ? '[' : '{';
  for (const [index, [name, one]] of entries.entries()) {
    yield `${index > 0 ? ',\n' : ''}${isList ? '' : `${JSON.stringify(name)}:`}`;
    yield* piecesOf(one, level + 1);
  }
  yield isList ? ']' : '}';
}
