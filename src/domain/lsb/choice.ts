import { loadOf, stableTrack, type KnownGate } from './model.ts';

/** Up to so many clients on their way to one gate are nothing to worry about. */
const ticketsUnbounded = 8;
/** Beyond so many times its share of those on their way a gate is passed over. */
const sharesMax = 1.8;

/**
 * Which of several gates somebody should dial: the less loaded of two, drawn by weight. To take the least loaded of all would
 * send everybody to the same one, as long as reports are old; so even an empty gate gets no more than some of a rush: less than
 * twice its share of all who are on their way.
 * @returns null where there is none.
 */
export function chooseGate(gates: readonly KnownGate[], random: () => number): KnownGate | null {
  const calm = gates.filter((gate) => !isRushed(gate, gates));
  const among = calm.length > 0 ? calm : gates;
  const first = draw(among, random);
  const second = draw(
    among.filter((gate) => gate !== first),
    random,
  );
  if (!first || !second) return first;
  return loadOf(second) < loadOf(first) ? second : first;
}

/** Those of the track; else of the stable one; else any. What is not ready comes after all that is, what drains never. */
export function bestOf(serving: readonly KnownGate[], track: string): readonly KnownGate[] {
  const open = serving.filter(({ state }) => state === 'OPEN');
  const gates = open.length > 0 ? open : serving.filter(({ state }) => state === 'NOT_READY');
  for (const wanted of [track, stableTrack]) {
    const found = gates.filter((gate) => gate.track === wanted);
    if (found.length > 0) return found;
  }
  return gates;
}

/** In the order in which they should be tried; so drawn that not all try the same one next. */
export function inOrderOfChoice(
  gates: readonly KnownGate[],
  random: () => number,
  most: number,
): KnownGate[] {
  const order: KnownGate[] = [];
  let left = gates;
  while (order.length < most) {
    const next = chooseGate(left, random);
    if (!next) break;
    order.push(next);
    left = left.filter((gate) => gate !== next);
  }
  return order;
}

function isRushed({ tickets, weight }: KnownGate, gates: readonly KnownGate[]): boolean {
  if (tickets <= ticketsUnbounded) return false;
  return tickets > sharesMax * sum(gates, (gate) => gate.tickets) * (weight / weightOf(gates));
}

function draw(gates: readonly KnownGate[], random: () => number): KnownGate | null {
  let at = random() * weightOf(gates);
  for (const gate of gates) {
    at -= gate.weight;
    if (at < 0) return gate;
  }
  return gates.at(-1) ?? null;
}

function weightOf(gates: readonly KnownGate[]): number {
  return sum(gates, ({ weight }) => weight);
}

function sum(gates: readonly KnownGate[], of: (gate: KnownGate) => number): number {
  return gates.reduce((total, gate) => total + of(gate), 0);
}
