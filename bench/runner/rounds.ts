/**
 * Measures two contenders in turn, A B B A A B …, so that what drifts (a warm cache, a fuller disk, a neighbour)
 * meets both alike.
 * @returns a pair for each round.
 */
export async function abba<A, B>(
  rounds: number,
  a: (round: number) => Promise<A>,
  b: (round: number) => Promise<B>,
): Promise<{ readonly a: A; readonly b: B }[]> {
  const pairs: { a: A; b: B }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) {
      const first = await a(round);
      pairs.push({ a: first, b: await b(round) });
    } else {
      const first = await b(round);
      pairs.push({ a: await a(round), b: first });
    }
  }
  return pairs;
}

/** As `abba` for any number of contenders: every other round goes backwards. */
export async function thereAndBack<T>(
  rounds: number,
  contenders: readonly ((round: number) => Promise<T>)[],
): Promise<T[][]> {
  const all: T[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    const results = new Map<number, T>();
    const order = [...contenders.keys()];
    for (const index of round % 2 === 0 ? order : order.reverse()) {
      const contender = contenders[index];
      if (contender) results.set(index, await contender(round));
    }
    all.push([...results].sort(([one], [other]) => one - other).map(([, result]) => result));
  }
  return all;
}
