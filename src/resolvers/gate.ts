import type { GateTicket } from '../context.ts';
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
