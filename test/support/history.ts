/**
 * What clients did and saw, and what the store held in the end: all that the checker needs to hold a server to its
 * promises. Users and conversations go by their decimal ids.
 */
export interface History {
  /** What clients asked for, in the order in which the answers came. */
  readonly calls: readonly Call[];
  /** What each inbox subscription showed, over all its reconnects. */
  readonly views: readonly View[];
  /** What was stored when nothing was under way any more. */
  readonly store: Store;
  /** When the inbox logs were lost, by the clock of `Seen`: each may reset a view once. None: nothing may. */
  readonly forgotAtMs?: readonly number[];
  /** Sessions that were ended while their inbox was open. */
  readonly ended?: readonly SessionEnded[];
  /** When something was wrong, so that an end might be heard of late. */
  readonly troubles?: readonly Trouble[];
}

/** By the clock of `Seen`. */
export interface SessionEnded {
  readonly session: string;
  /** When whoever ended it was answered. */
  readonly overAtMs: number;
  /** When the last event came; -Infinity: none did. */
  readonly lastHeardAtMs: number;
}

export interface Trouble {
  readonly fromMs: number;
  readonly toMs: number;
}

/** After jepsen: done; not done; or unknown, since the answer was lost: it may or may not have been done. */
export type Result = 'ok' | 'fail' | 'info';

export type Call = {
  readonly user: string;
  readonly conversation: string;
  readonly result: Result;
} & (
  | {
      readonly kind: 'send';
      /** The clientMessageId; retries have the same. */
      readonly key: string;
      readonly text: string;
      /** Where `ok`. */
      readonly seq: number | null;
    }
  | {
      readonly kind: 'edit' | 'recall';
      readonly seq: number;
      /** The text that it shall have; null: it is recalled. */
      readonly text: string | null;
      /** Where `ok`: of the message as it was then. */
      readonly changeSeq: number | null;
    }
  | {
      readonly kind: 'read';
      readonly seq: number;
      /** Where `ok`. */
      readonly readSeq: number | null;
    }
  /** Somebody who was removed tried to go on; `ok`: they could. */
  | { readonly kind: 'intrude'; readonly what: string }
  | {
      readonly kind: 'join' | 'remove';
      readonly subject: string;
      /** When it was asked for, by the clock of `Seen`. */
      readonly askedAtMs?: number;
    }
);

export interface View {
  readonly user: string;
  readonly events: readonly Seen[];
}

/** A message as somebody saw it. */
export interface Shown {
  readonly seq: number;
  /** Of a system message its actor. */
  readonly sender: string;
  /** Null for a system message. */
  readonly key: string | null;
  /** Null where it is recalled. */
  readonly text: string | null;
  readonly changeSeq: number;
}

/**
 * Something that a subscription said. `position`: the offset that the event's cursor names; `atMs`: when it was heard, by the
 * one clock of all clients.
 */
export type Seen =
  /** The client subscribed, from there on; null: from now on. */
  | { readonly kind: 'opened'; readonly after: number | null }
  | ({ readonly position: number; readonly atMs?: number } & (
      | { readonly kind: 'added'; readonly conversation: string; readonly message: Shown }
      | {
          readonly kind: 'changed';
          readonly conversation: string;
          readonly changeSeq: number;
          readonly message: Shown;
        }
      | {
          readonly kind: 'read';
          readonly conversation: string;
          readonly user: string;
          readonly readSeq: number;
        }
      /** It changed: whoever hears of it is a member. */
      | { readonly kind: 'conversation' | 'removed'; readonly conversation: string }
      | { readonly kind: 'heartbeat' }
      | { readonly kind: 'reset' }
      /** After a reset: what the client was answered when it asked afresh. What it heard meanwhile comes after it. */
      | { readonly kind: 'snapshot'; readonly conversations: readonly Pulled[] }
    ));

/** A conversation as its member pulled it, from where their copy of it ended. */
export interface Pulled {
  readonly conversation: string;
  readonly joinedSeq: number;
  readonly lastSeq: number;
  readonly changeSeq: number;
  /** New ones and changed ones. */
  readonly messages: readonly Shown[];
  readonly reads: readonly { readonly user: string; readonly readSeq: number }[];
}

export interface Store {
  readonly conversations: readonly StoredConversation[];
  /** The inbox logs, as far as they reach back. */
  readonly logs: readonly StoredLog[];
  readonly undoneOutboxRows: number;
  readonly untoldReads: number;
}

export interface StoredConversation {
  readonly id: string;
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly messages: readonly Shown[];
  readonly members: readonly StoredMember[];
}

export interface StoredMember {
  readonly user: string;
  readonly joinedSeq: number;
  readonly readSeq: number;
  /** What the API answered them. */
  readonly unreadCount: number | null;
}

export interface StoredLog {
  readonly user: string;
  /** Nothing was trimmed yet. */
  readonly isWhole: boolean;
  /** Of messages, in their order. */
  readonly runs: readonly LoggedRun[];
}

export interface LoggedRun {
  readonly conversation: string;
  readonly firstSeq: number;
  readonly count: number;
}
