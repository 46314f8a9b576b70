import {
  getNamedType,
  isInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/resolvers/schema.ts';
import { rules } from '../support/authorisation-rules.ts';
import {
  allCases,
  argumentsOf,
  expectedOutcome,
  isAsExpected,
  outcomeOf,
  type Case,
} from '../support/authorisation-cases.ts';
import { actorNames, openWorld, type Actor, type World } from '../support/authorisation-world.ts';
import { addMembers, conversationOf, messageOf } from '../support/chat.ts';
import { post, type TestUser } from '../support/clients.ts';
import { unlimited } from '../support/budgets.ts';
import { serverKeys } from '../support/money.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { coordinates, fieldAt } from '../support/schema-walk.ts';

const schema = buildSchema();
const settings = {
  apps: ['default', 'other'],
  groups: { largeAboveMembers: 5 },
  sessionPolicy: 'unlimited',
  budgets: unlimited,
  serverKeys,
} as const;

describe('the rules of who may see what', () => {
  it('have thought of every field, and of no other', () => {
    expect([...rules.keys()].sort()).toEqual(coordinates(schema).sort());
  });

  it('know arguments for every field that has some', () => {
    for (const coordinate of coordinates(schema)) {
      expect(() => argumentsOf(schema, coordinate), coordinate).not.toThrow();
    }
  });

  it('come to every type', () => {
    expect(allCases(schema).unreachable).toEqual([]);
  });
});

describe('what is asked', () => {
  const { cases } = allCases(schema);
  let server: TestServer;
  let world: World;

  beforeAll(async () => {
    server = await startTestServer(settings);
    world = await openWorld(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(actorNames)(
    'is answered by the rules to: %s',
    async (name) => {
      const actor = world.actors[name];
      const wrong: string[] = [];
      const ask = async (asked: Case): Promise<void> => {
        const expected = expectedOutcome(schema, asked, actor);
        const { outcome, query, answer } = await outcomeOf(schema, asked, world, actor);
        if (!isAsExpected(asked, expected, outcome)) {
          wrong.push(
            `${asked.name}\n  ${query}\n  ${outcome}, not ${expected}: ${answer.slice(0, 300)}`,
          );
        }
        for (const leak of leaksIn(answer, query, actor, world)) {
          wrong.push(`${asked.name}\n  ${query}\n  shows ${leak}`);
        }
      };
      const of = (root: string) => cases.filter(({ name: way }) => way.startsWith(`${root}:`));
      await Promise.all([
        inTurn(of('Subscription'), ask),
        ...parts(of('Query'), 4).map((part) => inTurn(part, ask)),
      ]);
      // Afterwards, since they change what there is to see.
      await Promise.all(parts(of('Mutation'), 4).map((part) => inTurn(part, ask)));
      expect(wrong.slice(0, 20).join('\n'), `${wrong.length} of ${cases.length}`).toBe('');
    },
    120_000,
  );
});

/** Global ids as they stand in a question. */
const ids = /"([ucsmrw]_[0-9a-z]+(?:_[0-9a-z]+)?)"/g;

/** An id of the same type and shard that nothing has. */
const unknown = (id: string): string => `${id.slice(0, 5)}000${id.slice(8)}`;

describe('ids that lead nowhere for who asks', () => {
  const roots = allCases(schema).cases.filter(
    ({ path, end }) => path.length === 1 && (end?.fields[0] ?? '__typename') === '__typename',
  );
  let server: TestServer;
  let world: World;

  beforeAll(async () => {
    server = await startTestServer(settings);
    world = await openWorld(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** What is answered, and to which fields. */
  const ask = async (actor: Actor, asked: Case, change: (id: string) => string) => {
    const { answer, outcome, query } = await outcomeOf(schema, asked, world, actor, (text) =>
      text.replace(ids, (_whole, id: string) => `"${change(id)}"`),
    );
    return { outcome, query, answer: answer.replaceAll(/"column":\d+|:\n\n/g, '') };
  };
  const withIds = roots.filter(({ path }) =>
    fieldsWithIds(schema).includes(path[0]?.coordinate ?? ''),
  );
  // Streams first: some of the others make the former member one again, for a moment.
  const forEach = async (work: (asked: Case) => Promise<void>): Promise<void> => {
    const isStream = ({ name }: Case): boolean => name.startsWith('Subscription:');
    await Promise.all(withIds.filter(isStream).map(work));
    const others = withIds.filter((asked) => !isStream(asked));
    await Promise.all(parts(others, 4).map((part) => inTurn(part, work)));
  };

  it.each(['stranger', "other app's user", 'former member'] as const)(
    'are answered like unknown ones to: %s',
    async (name) => {
      const actor = world.actors[name];
      await forEach(async (asked) => {
        if (expectedOutcome(schema, asked, actor) === 'value') return;
        const [real, guessed] = [
          await ask(actor, asked, (id) => id),
          await ask(actor, asked, unknown),
        ];
        expect(real.query).toMatch(ids);
        expect(real.answer, real.query).toBe(guessed.answer);
      });
    },
  );

  it("are answered like unknown ones where they are another conversation's", async () => {
    const { owner } = world.actors;
    const swap = (id: string): string => id.replace(world.group.slice(2), world.direct.slice(2));
    await forEach(async (asked) => {
      const call = await ask(owner, asked, (id) => id);
      if (!call.query.includes(world.group.slice(2)) || asked.path[0]?.variant.startsWith('retry'))
        return;
      const [swapped, guessed] = [
        await ask(owner, asked, swap),
        await ask(owner, asked, (id) => (id.includes(world.group.slice(2)) ? unknown(id) : id)),
      ];
      expect(swapped.answer, swapped.query).toBe(guessed.answer);
    });
  });

  it('are refused where they are of another type, or none', async () => {
    const { member } = world.actors;
    const others = { u: 'c', c: 'u', s: 'u', m: 's', r: 'w', w: 'r' } as const;
    const another = (id: string): string => others[id[0] as keyof typeof others] + id.slice(1);
    const wrong = [another, (id: string) => `${id}!`, () => '', (id: string) => id.toUpperCase()];
    await forEach(async (asked) => {
      const isQuery = asked.path[0]?.coordinate.startsWith('Query.');
      for (const change of wrong) {
        const { outcome, query } = await ask(member, asked, change);
        expect(outcome, query).toBe(isQuery ? 'hidden' : 'INVALID_ARGUMENT');
      }
    });
  });

  it('are those of messages that others may see: before the joining, and beyond the last', async () => {
    const { owner, stranger } = world.actors;
    const group = await world.freshGroup();
    const newcomer = stranger.user ?? expect.fail('nobody');
    await addMembers(owner.user ?? newcomer, group, [newcomer]);
    const joinedSeq = (await conversationOf(newcomer, group))?.me.joinedSeq ?? 0;
    expect(joinedSeq).toBeGreaterThan(3);
    for (const seq of [1, joinedSeq - 1, joinedSeq + 1, 2 ** 31 - 1]) {
      expect(await messageOf(newcomer, group, seq)).toBeNull();
      const id = `m_${group.slice(2)}_${seq.toString(36)}`;
      expect(await byNode(server, newcomer, id)).toEqual({ node: null });
    }
    expect(await messageOf(newcomer, group, joinedSeq)).not.toBeNull();
  });
});

async function byNode(server: TestServer, user: TestUser, id: string) {
  const query = 'query ($id: ID!) { node(id: $id) { id } }';
  const { data } = await post<{ node: unknown }, object>(
    server,
    query,
    { id },
    user.auth.accessToken,
  );
  return data ?? expect.fail('no data');
}

function fieldsWithIds(of: GraphQLSchema): string[] {
  const isId = (type: GraphQLInputType): boolean => {
    const named = getNamedType(type);
    if (named.name === 'ID') return true;
    return (
      isInputObjectType(named) && Object.values(named.getFields()).some((field) => isId(field.type))
    );
  };
  return coordinates(of).filter(
    (coordinate) =>
      /^(Query|Mutation|Subscription)\./.test(coordinate) &&
      fieldAt(of, coordinate).args.some(({ type }) => isId(type)),
  );
}

/** What an answer shows and the actor may not know; what they asked with they know. */
function leaksIn(answer: string, query: string, actor: Actor, { secrets }: World): string[] {
  return secrets
    .filter(
      ({ text, mayKnow }) => !mayKnow(actor) && answer.includes(text) && !query.includes(text),
    )
    .map(({ text }) => text);
}

async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await work(item);
}

function parts<T>(items: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, part) =>
    items.filter((_item, index) => index % count === part),
  );
}
