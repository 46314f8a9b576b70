import {
  isLeafType,
  getNamedType,
  type FormattedExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import {
  better,
  calls,
  mayBeNull,
  rules,
  silent,
  type Arguments,
  type Reader,
  type Scene,
} from './authorisation-rules.ts';
import type { Actor, World } from './authorisation-world.ts';
import {
  compositeTypes,
  entrances,
  fieldAt,
  isList,
  leaves,
  operationText,
  type Path,
  type Step,
} from './schema-walk.ts';

/** A question: some fields of what stands at the end of a path; none: the path's last field itself. */
export interface Case {
  readonly name: string;
  readonly path: Path;
  readonly end: { readonly on: string; readonly fields: readonly string[] } | null;
}

/** `value`: there is one; `hidden`: nothing is there, and no error says why; else the faults' codes. */
export type Outcome = string;

const roots: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);
const withoutArguments: readonly Arguments[] = [{ name: '', text: () => '' }];

/** The choices of arguments of a field. @throws where nobody has thought of them. */
export function argumentsOf(schema: GraphQLSchema, coordinate: string): readonly Arguments[] {
  const known = calls[coordinate];
  if (known) return known;
  if (fieldAt(schema, coordinate).args.length > 0) throw new Error(`${coordinate} has arguments`);
  return withoutArguments;
}

/**
 * Every field of every type by the shortest way to it; and by every other way to the type all its fields at once; and
 * every root field in each of its variants. Types that no way leads to are told.
 */
export function allCases(schema: GraphQLSchema): { cases: Case[]; unreachable: string[] } {
  const ways = entrances(schema, (coordinate) => argumentsOf(schema, coordinate));
  const cases: Case[] = [];
  const unreachable: string[] = [];
  for (const type of compositeTypes(schema)) {
    const fields = Object.keys(type.getFields());
    if (roots.has(type.name)) {
      for (const field of fields) cases.push(...ofRoot(schema, `${type.name}.${field}`));
      continue;
    }
    const [shortest, ...others] = ways.get(type.name) ?? [];
    if (!shortest) {
      unreachable.push(type.name);
      continue;
    }
    for (const field of fields) {
      const path = byBetterWay(shortest.path, `${type.name}.${field}`);
      cases.push(caseOf(path, { on: type.name, fields: [field] }));
    }
    for (const { path } of others) {
      cases.push(caseOf(byBetterWay(path), { on: type.name, fields }));
    }
  }
  return { cases: [...cases, ...ofRetries(schema)], unreachable };
}

function ofRoot(schema: GraphQLSchema, coordinate: string): Case[] {
  return argumentsOf(schema, coordinate).map(({ name, only }) => {
    const [on] = only ?? [];
    const step = { coordinate, variant: name, on: null };
    return on === undefined || on === 'Node'
      ? caseOf([step], null)
      : caseOf([step], { on, fields: ['__typename'] });
  });
}

/** How one who has been removed still comes to a message of theirs, and from there to the conversation. */
function ofRetries(schema: GraphQLSchema): Case[] {
  const toMessage: Path = [
    { coordinate: 'Mutation.sendMessage', variant: 'retry of an own one', on: null },
    { coordinate: 'SendMessagePayload.message', variant: '', on: null },
  ];
  const toConversation = [
    ...toMessage,
    { coordinate: 'Message.conversation', variant: '', on: null },
  ];
  const each = (on: string, path: Path): Case[] =>
    Object.keys(
      compositeTypes(schema)
        .find(({ name }) => name === on)
        ?.getFields() ?? {},
    ).map((field) => caseOf(path, { on, fields: [field] }));
  return [...each('Message', toMessage), ...each('Conversation', toConversation)];
}

function byBetterWay(path: Path, asked = ''): Path {
  const passed = [asked, ...path.map(({ coordinate }) => coordinate)];
  const variant = passed
    .map((coordinate) => better.get(coordinate) ?? better.get(coordinate.split('.')[0] ?? ''))
    .find((known) => known !== undefined);
  if (variant === undefined) return path;
  return path.map((step) => (step.coordinate === 'Query.node' ? { ...step, variant } : step));
}

function caseOf(path: Path, end: Case['end']): Case {
  const way = path.map(({ coordinate, variant, on }) =>
    `${on ?? ''} ${coordinate.split('.')[1]} ${variant}`.trim(),
  );
  const asked = end ? `${end.on}.${end.fields.length === 1 ? String(end.fields[0]) : '*'}` : '';
  return { name: `${path[0]?.coordinate.split('.')[0]}: ${way.join(' > ')} > ${asked}`, path, end };
}

/** What a case's answer must be for an actor, by the rules alone. */
export function expectedOutcome(schema: GraphQLSchema, { path, end }: Case, who: Actor): Outcome {
  let actor = who;
  let isInList = false;
  for (const step of path) {
    const { coordinate } = step;
    const refusal = refusalOf(step, actor, isInList || isList(schema, step.coordinate));
    if (refusal !== null) return refusal;
    actor = after(coordinate, actor);
    isInList ||= isList(schema, coordinate) || coordinate.startsWith('Subscription.');
  }
  const outcomes = (end?.fields ?? []).map((field) => {
    if (!end || field.startsWith('__')) return 'value';
    const step = { coordinate: `${end.on}.${field}`, variant: '', on: null };
    return refusalOf(step, actor, isInList || isList(schema, step.coordinate)) ?? 'value';
  });
  const codes = outcomes.filter((outcome) => outcome !== 'value' && outcome !== 'hidden');
  if (codes.length > 0) return [...new Set(codes)].sort().join(' ');
  return outcomes.length === 0 || outcomes.includes('value') ? 'value' : 'hidden';
}

const signsIn: ReadonlySet<string> = new Set([
  'Mutation.register',
  'Mutation.login',
  'Mutation.refreshSession',
]);
/** Who a signed-in payload is read for, and the creator of what was just created. */
function after(coordinate: string, actor: Actor): Actor {
  if (signsIn.has(coordinate)) return guest;
  const isCreation = coordinate === 'Mutation.createGroup' || coordinate === 'Mutation.openDirect';
  return isCreation ? { ...actor, role: 'OWNER' } : actor;
}

const guest: Actor = {
  name: 'stranger',
  token: null,
  user: null,
  app: 'default',
  role: null,
  isFormer: false,
  cursor: null,
};

function refusalOf({ coordinate, variant }: Step, actor: Actor, isInList: boolean): Outcome | null {
  const ofField = rules.get(coordinate);
  if (!ofField) throw new Error(`no rule for ${coordinate}`);
  const call = calls[coordinate]?.find(({ name }) => name === variant);
  const [kind = ''] = coordinate.split('.');
  const isRoot = roots.has(kind);
  const isSignedIn = actor === guest || actor.user !== null;
  const isServer = ofField === 'server' || ofField === 'operator';
  if (isServer && actor.name === 'operator') return null;
  if (isServer && actor.name === "app's server") {
    return ofField === 'server' ? null : 'FORBIDDEN';
  }
  if (isRoot && ofField !== 'anyone' && !isSignedIn) return 'UNAUTHENTICATED';
  if (isServer) return 'FORBIDDEN';
  const reader = call?.reader ?? ofField;
  if (may(reader, actor, isSignedIn)) return null;
  if (silent.has(coordinate) || isInList || kind === 'Query') return 'hidden';
  const isOfRole = reader === 'admin' || reader === 'owner' || reader === 'author';
  return isOfRole && actor.role !== null ? 'FORBIDDEN' : 'NOT_FOUND';
}

function may(reader: Reader, actor: Actor, isSignedIn: boolean): boolean {
  const { role } = actor;
  switch (reader) {
    case 'anyone':
    case 'inherits':
      return true;
    case 'server':
    case 'operator':
      return false;
    case 'signedIn':
      return isSignedIn;
    case 'sameApp':
      return isSignedIn && actor.app === 'default';
    case 'self':
    case 'author':
      return role === 'MEMBER';
    case 'member':
      return role !== null;
    case 'former':
      return actor.isFormer;
    case 'onceMember':
    case 'involved':
      return role !== null || actor.isFormer;
    case 'admin':
      return role === 'ADMIN' || role === 'OWNER';
    case 'owner':
      return role === 'OWNER';
  }
}

/** Of a question that was asked. */
export interface Answered {
  readonly outcome: Outcome;
  readonly query: string;
  readonly answer: string;
}

/** Asks, as the actor. @param change of the text that is asked. */
export async function outcomeOf(
  schema: GraphQLSchema,
  asked: Case,
  world: World,
  actor: Actor,
  change: ((query: string) => string) | null = null,
): Promise<Answered> {
  const mayBeHidden = change !== null || expectedOutcome(schema, asked, actor) === 'hidden';
  const quietMs = mayBeHidden ? quietHiddenMs : quietShownMs;
  const isFresh = asked.path.some(
    ({ coordinate, variant }) =>
      calls[coordinate]?.find(({ name }) => name === variant)?.isFresh === true,
  );
  const group = isFresh && actor.user ? await world.freshGroup() : world.group;
  const written = await queryOf(schema, asked, { world, actor, group });
  const query = change ? change(written) : written;
  const isStream = query.startsWith('subscription');
  const names = asked.path.map(({ coordinate }) => coordinate.split('.')[1] ?? '');
  const found = (result: FormattedExecutionResult): unknown[] =>
    (asked.end?.fields ?? ['__typename']).flatMap((field) =>
      leaves(result.data, [...names, field]),
    );
  if (names[0] === 'typing') await setTyping(world, group);
  const response = await fetch(`${world.server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(isStream ? { accept: 'text/event-stream' } : {}),
      ...(actor.token === null ? {} : { authorization: `Bearer ${actor.token}` }),
    },
    body: JSON.stringify({ query }),
  });
  const { results, answer } = isStream
    ? await streamed(response, quietMs, (result) => found(result).length > 0)
    : ofText(await response.text());
  const errors = results.flatMap((result) => result.errors ?? []);
  const codes = new Set(errors.map(({ extensions }) => String(extensions?.['code'])));
  const isThere = results.some((result) => found(result).length > 0);
  const outcome = codes.size > 0 ? [...codes].sort().join(' ') : isThere ? 'value' : 'hidden';
  return { outcome, query, answer };
}

/** Whether what came will do: a field that may be null in this world shows nothing to those who may have it. */
export function isAsExpected({ path, end }: Case, expected: Outcome, outcome: Outcome): boolean {
  if (outcome === expected) return true;
  const asked = end?.fields.length === 1 ? `${end.on}.${String(end.fields[0])}` : '';
  const isOwnRetry =
    path[0]?.variant === 'retry of an own one' && /edited|recalled|replyTo/.test(asked);
  const isNull = mayBeNull.has(asked) || path.some(({ coordinate }) => mayBeNull.has(coordinate));
  return expected === 'value' && outcome === 'hidden' && (isNull || isOwnRetry);
}

async function queryOf(schema: GraphQLSchema, { path, end }: Case, scene: Scene): Promise<string> {
  const texts = new Map<Step, string>();
  let { actor } = scene;
  for (const step of path) {
    const call = argumentsOf(schema, step.coordinate).find(({ name }) => name === step.variant);
    texts.set(step, (await call?.text({ ...scene, actor })) ?? '');
    actor = after(step.coordinate, actor);
  }
  const fields: string[] = [];
  for (const name of end?.fields ?? ['__typename']) {
    const coordinate = end ? `${end.on}.${name}` : '';
    if (name.startsWith('__')) {
      fields.push(name);
      continue;
    }
    const [call] = argumentsOf(schema, coordinate);
    const args = (await call?.text({ ...scene, actor })) ?? '';
    const isLeaf = isLeafType(getNamedType(fieldAt(schema, coordinate).type));
    fields.push(`${name}${args}${isLeaf ? '' : ' { __typename }'}`);
  }
  const last = path.at(-1);
  const on = end?.on ?? (last ? getNamedType(fieldAt(schema, last.coordinate).type).name : '');
  const text = operationText(schema, path, { on, fields }, (step) => texts.get(step) ?? '');
  // So that the reader knows where a stream has said all that it has to say.
  return text.startsWith('subscription')
    ? text.replace(/^(subscription \{ \w+(?:\(.*?\))?) \{/, '$1 { __typename')
    : text;
}

function setTyping({ server, other }: World, group: string): Promise<unknown> {
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${other.auth.accessToken}`,
    },
    body: JSON.stringify({
      query: `mutation { setTyping(conversationId: ${JSON.stringify(group)}, isTyping: true) { conversationId } }`,
    }),
  });
}

function ofText(answer: string): { results: FormattedExecutionResult[]; answer: string } {
  return { results: [JSON.parse(answer) as FormattedExecutionResult], answer };
}

function isLast({ data }: FormattedExecutionResult): boolean {
  return leaves(Object.values(data ?? {}), ['__typename']).some(
    (name) => name === 'InboxHeartbeat' || name === 'ConversationCaughtUp',
  );
}

/** Where nothing says that there is nothing more, this is long enough to wait for what must not come. */
const quietHiddenMs = 400;
const quietShownMs = 5_000;

async function streamed(
  response: Response,
  quietMs: number,
  isEnough: (result: FormattedExecutionResult) => boolean,
): Promise<{ results: FormattedExecutionResult[]; answer: string }> {
  const results: FormattedExecutionResult[] = [];
  const reader = response.body?.getReader();
  const timer = setTimeout(() => void reader?.cancel(), quietMs);
  const decoder = new TextDecoder();
  let answer = '';
  try {
    for (let read = 0; reader;) {
      const { done, value } = await reader.read();
      if (done) break;
      timer.refresh();
      answer += decoder.decode(value, { stream: true });
      const events = answer.split('\n\n');
      for (; read < events.length - 1; read += 1) {
        const data = /^data: (.*)$/m.exec(events[read] ?? '')?.[1];
        if (data !== undefined) results.push(JSON.parse(data) as FormattedExecutionResult);
      }
      const isOver = results.some((result) => isEnough(result) || isLast(result));
      if (isOver) break;
    }
  } finally {
    clearTimeout(timer);
    await reader?.cancel().catch(() => undefined);
  }
  return { results, answer };
}
