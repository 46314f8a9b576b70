import type {
  Content,
  CustomContent,
  DraftContent,
  RecalledContent,
  SystemContent,
  TextContent,
} from '../domain/timeline/timeline.ts';
import { builder, notes, type JsonValue } from './builder.ts';
import { MemberRoleType } from './member.ts';
import { RedPacketContentType } from './red-packet.ts';
import { UserType } from './user.ts';

const TextContentType = builder.objectRef<TextContent>('TextContent').implement({
  description: 'Plain text.',
  fields: (t) => ({
    text: t.exposeString('text', { description: 'As it was written. 1 to 16,384 bytes of UTF-8.' }),
  }),
});

const CustomContentType = builder.objectRef<CustomContent>('CustomContent').implement({
  description: 'A type that the app defines; FastIM stores and delivers it as it is.',
  fields: (t) => ({
    type: t.exposeString('type', { description: "The app's name for it." }),
    data: t.field({
      type: 'JSON',
      description: 'As it was sent.',
      resolve: ({ data }) => data as JsonValue,
    }),
  }),
});

const SystemEventType = builder.enumType('SystemEvent', {
  description: 'More may come: a client shows what it does not know as it pleases.',
  values: {
    CREATED: { description: 'A group began, with these first members.' },
    JOINED: { description: 'Members were added.' },
    LEFT: { description: 'A member left.' },
    REMOVED: { description: 'A member was removed.' },
    RENAMED: { description: 'The title was set.' },
    ROLE_CHANGED: { description: 'A member got another role.' },
  } as const,
});

const SystemContentType = builder.objectRef<SystemContent>('SystemContent').implement({
  description: 'Something that happened to the conversation.',
  fields: (t) => ({
    event: t.expose('event', { type: SystemEventType, description: 'What happened.' }),
    actor: t.field({
      type: UserType,
      nullable: true,
      description: 'Who did it.',
      resolve: ({ actorId }) => ({ userId: actorId }),
    }),
    users: t.field({
      type: [UserType],
      description:
        'To whom: the first members of a new group, who joined, left, was removed, got a role; else empty. Without the actor where others are meant.',
      extensions: notes({ cost: 20 }),
      resolve: ({ userIds }) => userIds.map((userId) => ({ userId })),
    }),
    title: t.exposeString('title', {
      nullable: true,
      description: 'The title, where it was set or changed.',
    }),
    role: t.expose('role', {
      type: MemberRoleType,
      nullable: true,
      description: 'The new role, where one changed.',
    }),
  }),
});

const RecalledContentType = builder.objectRef<RecalledContent>('RecalledContent').implement({
  description: 'What is left of a message that was withdrawn; what it said is erased.',
  fields: (t) => ({
    recalledBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who withdrew it.',
      resolve: ({ recalledBy }) => ({ userId: recalledBy }),
    }),
  }),
});

const typeNames: Readonly<Record<Content['kind'], string>> = {
  TEXT: 'TextContent',
  CUSTOM: 'CustomContent',
  RED_PACKET: 'RedPacketContent',
  SYSTEM: 'SystemContent',
  RECALLED: 'RecalledContent',
};

/** What a message says. */
export const MessageContentType = builder.unionType('MessageContent', {
  description: 'What a message says. More kinds may come.',
  types: [
    TextContentType,
    CustomContentType,
    RedPacketContentType,
    SystemContentType,
    RecalledContentType,
  ],
  resolveType: ({ kind }) => typeNames[kind],
});

const TextContentInput = builder.inputType('TextContentInput', {
  description: '1 to 16,384 bytes of UTF-8.',
  fields: (t) => ({ text: t.string({ description: 'It is kept as it is.' }) }),
});

const CustomContentInput = builder.inputType('CustomContentInput', {
  description: 'At most 16,384 bytes as JSON.',
  fields: (t) => ({
    type: t.string({ description: "The app's name for it. 1 to 64 characters." }),
    data: t.field({
      type: 'JSON',
      description: 'At most 16,384 bytes of UTF-8 as JSON, nesting 32 levels at most.',
    }),
  }),
});

/** What a member may write. */
export const MessageContentInput = builder.inputType('MessageContentInput', {
  description: 'What a message says: exactly one kind.',
  isOneOf: true,
  fields: (t) => ({
    text: t.field({ type: TextContentInput, required: false, description: 'Plain text.' }),
    custom: t.field({
      type: CustomContentInput,
      required: false,
      description: 'A type that the app defines; FastIM stores and delivers it as it is.',
    }),
  }),
});

/** What the domain takes of `MessageContentInput`. */
export function contentOf(input: typeof MessageContentInput.$inferInput): DraftContent {
  return input.text
    ? { kind: 'TEXT', text: input.text.text }
    : { kind: 'CUSTOM', type: input.custom.type, data: input.custom.data };
}
