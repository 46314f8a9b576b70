import { requireAuthority, type Context } from './context.ts';
import type { GateTicket, HeldRules, KnownGate } from '../domain/lsb/lsb.ts';
import { Fault } from '../lib/fault.ts';
import { builder } from './builder.ts';

const GateInput = builder.inputType('GateInput', {
  description: 'Who wants to connect.',
  fields: (t) => ({
    appId: t.string({ defaultValue: 'default', description: 'The app (tenant).' }),
    clientVersion: t.string({
      required: false,
      description: "The client's version, for canary rules.",
    }),
    deviceId: t.string({
      required: false,
      description: 'Made once by the installation and kept by it; keeps canary rules stable.',
    }),
  }),
});

const GateTicketType = builder.objectRef<GateTicket>('GateTicket').implement({
  description: 'Where to connect.',
  fields: (t) => ({
    url: t.exposeString('url', {
      description: "ws:// or wss:// URL of the gate's GraphQL endpoint.",
    }),
    httpUrl: t.exposeString('httpUrl', { description: 'http:// or https:// URL of the same.' }),
    gateId: t.exposeString('gateId', { description: 'The name of the gate.' }),
    expiresAt: t.expose('expiresAtMs', { type: 'DateTime', description: 'Ask again after this.' }),
    alternates: t.exposeStringList('alternates', {
      description:
        'WebSocket URLs of other gates to try, best first, when this one does not answer.',
    }),
  }),
});

builder.queryField('gate', (t) =>
  t.field({
    type: GateTicketType,
    description:
      'The load-balancing service (LSB): which gate to dial now. The least loaded gate that is ready, not\n' +
      "draining, serves the caller's app and matches the canary rules. Needs no access token.",
    args: {
      input: t.arg({
        type: GateInput,
        defaultValue: {} as { appId: string },
        description: 'Who wants to connect.',
      }),
    },
    resolve: (_root, { input }, context) => {
      // The default of the argument is taken as it stands: the defaults of its fields are not filled in.
      const {
        appId = 'default',
        clientVersion = null,
        deviceId = null,
      } = input as Partial<typeof input>;
      return context.gates.ticket({ appId, clientVersion, deviceId });
    },
  }),
);

const GateStateType = builder.enumType('GateState', {
  description: 'Whether a gate takes new connections.',
  values: {
    OPEN: { description: 'It does.' },
    DRAINING: { description: 'It is about to stop: nobody is sent there.' },
    NOT_READY: {
      description: 'A shard does not answer it: clients are sent there for want of better.',
    },
  } as const,
});

const GateType = builder.objectRef<KnownGate>('Gate').implement({
  description: 'A gate, as it last reported to the others.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'The name of its node.' }),
    httpUrl: t.exposeString('httpUrl', { description: 'Where clients find it.' }),
    state: t.expose('state', {
      type: GateStateType,
      description: 'Whether clients are sent there.',
    }),
    apps: t.exposeStringList('apps', { description: 'Whose clients are sent there.' }),
    track: t.exposeString('track', {
      description: 'What its operator calls the release that it runs.',
    }),
    weight: t.exposeInt('weight', {
      description: 'How many connections it bears, next to others.',
    }),
    connections: t.exposeInt('connections', { description: 'How many it has.' }),
    tickets: t.exposeInt('tickets', {
      description: 'How many clients were sent there that are not among these yet.',
    }),
  }),
});

const GateRulesType = builder.objectRef<HeldRules>('GateRules').implement({
  description: 'Which clients are sent to which track.',
  fields: (t) => ({
    rules: t.field({
      type: 'JSON',
      description: 'As they were set; docs/operating.md says what they mean.',
      resolve: ({ rules }) => rules,
    }),
    revision: t.exposeInt('revision', {
      description: 'One more with each change; 0: none were ever set.',
    }),
    changedAt: t.expose('changedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When they were set.',
    }),
  }),
});

const SetGateRulesPayload = builder.objectRef<HeldRules>('SetGateRulesPayload').implement({
  description: 'Answers `setGateRules`.',
  fields: (t) => ({
    gateRules: t.field({
      type: GateRulesType,
      description: 'As they hold from now on.',
      resolve: (held) => held,
    }),
  }),
});

builder.queryField('gates', (t) =>
  t.field({
    type: [GateType],
    description: "All gates that the others know of. For the operator's key alone.",
    resolve: (_root, _args, context) => operatorsGates(context).known(),
  }),
);

builder.queryField('gateRules', (t) =>
  t.field({
    type: GateRulesType,
    description: "The rules of the LSB. For the operator's key alone.",
    resolve: (_root, _args, context) => operatorsGates(context).rules(),
  }),
);

builder.mutationField('setGateRules', (t) =>
  t.field({
    type: SetGateRulesPayload,
    description:
      "Puts other rules of the LSB in place of those that hold. For the operator's key alone, over HTTP. Durable; every node follows\n" +
      'them within seconds. Rules that are wrong are fault INVALID_ARGUMENT, which names every mistake, and the old ones stay.',
    args: {
      rules: t.arg({ type: 'JSON', description: 'All of them, as docs/operating.md says.' }),
    },
    resolve: (_root, { rules }, context) => operatorsGates(context).replaceRules(rules),
  }),
);

/**
 * What only the operator may ask.
 * @throws {Fault} UNAUTHENTICATED, FORBIDDEN
 */
function operatorsGates(context: Context): Context['gates'] {
  if (requireAuthority(context).appId === null) return context.gates;
  throw new Fault('FORBIDDEN', "This needs the operator's key.");
}
