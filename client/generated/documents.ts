// Written by codegen.ts from schema/operations/: do not edit.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> =
  T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** What a conversation is. */
export type ConversationKind =
  /** Between two users, or notes to self: one for each pair, for ever. */
  | 'DIRECT'
  /** Of any number of members, with an owner. */
  | 'GROUP';

/** What a member of a group may do. In a direct conversation both are MEMBER. */
export type MemberRole =
  /** One at all times: gives roles, removes anybody, renames. */
  | 'OWNER'
  /** Removes plain members, renames. */
  | 'ADMIN'
  /** Reads, writes, adds members. */
  | 'MEMBER';

/** How a red packet is split. */
export type RedPacketKind =
  /** Random shares. */
  | 'LUCKY'
  /** Equal shares. */
  | 'EQUAL';

/** What has become of a red packet. */
export type RedPacketState =
  /** There are shares to claim. */
  | 'OPEN'
  /** Every share is claimed. */
  | 'EXHAUSTED'
  /** Its time was over first: what was left went back to the sender. */
  | 'EXPIRED';

/** More may come: a client shows what it does not know as it pleases. */
export type SystemEvent =
  /** A group began, with these first members. */
  | 'CREATED'
  /** Members were added. */
  | 'JOINED'
  /** A member left. */
  | 'LEFT'
  /** A member was removed. */
  | 'REMOVED'
  /** The title was set. */
  | 'RENAMED'
  /** A member got another role. */
  | 'ROLE_CHANGED';

/** What kind of device a session is on. IOS and ANDROID are one class, each other one by itself: by default a sign-in ends the sessions of its class. */
export type Platform =
  /** A phone or tablet with iOS. */
  | 'IOS'
  /** A phone or tablet with Android. */
  | 'ANDROID'
  /** A browser. */
  | 'WEB'
  /** A desktop application. */
  | 'DESKTOP'
  /** Anything else, such as a script. */
  | 'OTHER';

/** Why a balance changed. */
export type WalletEntryKind =
  /** Money came from outside. */
  | 'TOP_UP'
  /** The user sent a red packet; the amount is negative. */
  | 'RED_PACKET_SENT'
  /** The user took a share. */
  | 'RED_PACKET_CLAIMED'
  /** What nobody had claimed of their packet, or one that could not be sent. */
  | 'RED_PACKET_REFUNDED';

/** Who wants to connect. */
export type GateInput = {
  /** The app (tenant). */
  readonly appId?: string;
  /** The client's version, for canary rules. */
  readonly clientVersion?: string | null | undefined;
  /** Made once by the installation and kept by it; keeps canary rules stable. */
  readonly deviceId?: string | null | undefined;
};

/** What to change in the viewer's profile. */
export type UpdateProfileInput = {
  /** 1 to 64 characters. */
  readonly displayName: string;
};

/** Money that comes from outside. */
export type CreditWalletInput = {
  /** A user of the key's app. */
  readonly userId: string;
  /** At least 1. */
  readonly amount: number;
  /** 1 to 64 characters, made once per credit and kept over retries. */
  readonly key: string;
  /** For the books; 1 to 256 characters. */
  readonly reason: string;
};

/** A new user, and the device that they sign in with. */
export type RegisterInput = {
  /** The app (tenant) to join; user names are unique within it. */
  readonly appId?: string;
  /** 3 to 32 of a-z, 0-9, '_' and '.'; unique in the app, without regard to case. */
  readonly username: string;
  /** 8 to 256 characters. */
  readonly password: string;
  /** 1 to 64 characters; the user name where it is left out. */
  readonly displayName?: string | null | undefined;
  /** The device that signs in. */
  readonly device: DeviceInput;
};

/** The device that signs in. */
export type DeviceInput = {
  /** Made once by the installation and kept by it. 1 to 128 characters. */
  readonly id: string;
  /** What its user calls it, for the list of sessions. 1 to 128 characters. */
  readonly name?: string | null | undefined;
  /** The kind of device. */
  readonly platform?: Platform;
};

/** A user's name and password, and the device that they sign in with. */
export type LoginInput = {
  /** The app (tenant) of the user. */
  readonly appId?: string;
  /** Without regard to case. */
  readonly username: string;
  /** As it was given at registration. */
  readonly password: string;
  /** The device that signs in. */
  readonly device: DeviceInput;
};

/** What to change of a group. */
export type UpdateGroupInput = {
  /** The group. */
  readonly conversationId: string;
  /** The new title, 1 to 128 characters. */
  readonly title: string;
};

/** Whom to add to a group. */
export type AddMembersInput = {
  /** The group. */
  readonly conversationId: string;
  /** At most 1,000; who is a member already stays as they are. */
  readonly userIds: ReadonlyArray<string>;
};

/** Whom to remove from a group. */
export type RemoveMemberInput = {
  /** The group. */
  readonly conversationId: string;
  /** A member other than the viewer, who would use `leaveGroup`. */
  readonly userId: string;
};

/** Whom to give which role. */
export type SetMemberRoleInput = {
  /** The group. */
  readonly conversationId: string;
  /** The member. */
  readonly userId: string;
  /** OWNER hands the group over: the viewer becomes ADMIN. */
  readonly role: MemberRole;
};

/** A new group. */
export type CreateGroupInput = {
  /** Makes the call idempotent per viewer. 1 to 64 characters. */
  readonly clientRequestId: string;
  /** 1 to 128 characters. */
  readonly title: string;
  /** Besides the viewer, who becomes the owner. A set: order and repeats are no matter. */
  readonly memberIds: ReadonlyArray<string>;
};

/** A red packet to send. */
export type SendRedPacketInput = {
  /** Where to. */
  readonly conversationId: string;
  /** 1 to 64 characters, made by the client once per packet and kept over retries. */
  readonly clientMessageId: string;
  /** How it is split. */
  readonly kind?: RedPacketKind;
  /** At least one minor unit for each share. An EQUAL total must divide by count. */
  readonly total: number;
  /** How many shares; at most 100, unless the app says otherwise. */
  readonly count: number;
  /** At most 128 characters. */
  readonly greeting?: string | null | undefined;
  /** Only this member may claim; count must be 1. */
  readonly recipientId?: string | null | undefined;
};

/** How a claim ended. */
export type ClaimStatus =
  /** The viewer took a share. */
  | 'CLAIMED'
  /** The viewer had taken one before. */
  | 'ALREADY_CLAIMED'
  /** All shares were taken. */
  | 'EXHAUSTED'
  /** The packet's time was over. */
  | 'EXPIRED';

/** A message to send. */
export type SendMessageInput = {
  /** Where to. */
  readonly conversationId: string;
  /** 1 to 64 characters, made by the client once per message and kept over retries. */
  readonly clientMessageId: string;
  /** What it says. */
  readonly content: MessageContentInput;
  /** The seq of a message that the viewer may see. */
  readonly replyToSeq?: number | null | undefined;
};

/** What a message says: exactly one kind. */
export type MessageContentInput =
  | {
      /** Plain text. */
      readonly text: TextContentInput;
      readonly custom?: never;
    }
  | {
      readonly text?: never; /** A type that the app defines; FastIM stores and delivers it as it is. */
      readonly custom: CustomContentInput;
    };

/** 1 to 16,384 bytes of UTF-8. */
export type TextContentInput = {
  /** It is kept as it is. */
  readonly text: string;
};

/** At most 16,384 bytes as JSON. */
export type CustomContentInput = {
  /** The app's name for it. 1 to 64 characters. */
  readonly type: string;
  /** At most 16,384 bytes of UTF-8 as JSON, nesting 32 levels at most. */
  readonly data: unknown;
};

/** The message to recall. */
export type RecallMessageInput = {
  /** Where it stands. */
  readonly conversationId: string;
  /** Its position there. */
  readonly seq: number;
};

/** The message to edit, and what it shall say. */
export type EditMessageInput = {
  /** Where it stands. */
  readonly conversationId: string;
  /** Its position there. */
  readonly seq: number;
  /** Of the same kind as before; of custom content, of the same type. */
  readonly content: MessageContentInput;
};

/** How far the viewer has read. */
export type MarkReadInput = {
  /** The conversation. */
  readonly conversationId: string;
  /** Everything up to here is read. */
  readonly seq: number;
};

export type RegisterMutationVariables = Exact<{
  input: RegisterInput;
}>;

export type RegisterMutation = {
  readonly register: {
    readonly accessToken: string;
    readonly accessTokenExpiresAt: string;
    readonly refreshToken: string;
    readonly viewer: {
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
      readonly session: {
        readonly id: string;
        readonly deviceId: string;
        readonly deviceName: string | null;
        readonly platform: Platform;
        readonly createdAt: string;
        readonly lastSeenAt: string;
        readonly isCurrent: boolean;
        readonly isOnline: boolean;
      };
    };
    readonly displacedSessions: ReadonlyArray<{
      readonly id: string;
      readonly deviceId: string;
      readonly deviceName: string | null;
      readonly platform: Platform;
      readonly createdAt: string;
      readonly lastSeenAt: string;
      readonly isCurrent: boolean;
      readonly isOnline: boolean;
    }>;
  };
};

export type LoginMutationVariables = Exact<{
  input: LoginInput;
}>;

export type LoginMutation = {
  readonly login: {
    readonly accessToken: string;
    readonly accessTokenExpiresAt: string;
    readonly refreshToken: string;
    readonly viewer: {
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
      readonly session: {
        readonly id: string;
        readonly deviceId: string;
        readonly deviceName: string | null;
        readonly platform: Platform;
        readonly createdAt: string;
        readonly lastSeenAt: string;
        readonly isCurrent: boolean;
        readonly isOnline: boolean;
      };
    };
    readonly displacedSessions: ReadonlyArray<{
      readonly id: string;
      readonly deviceId: string;
      readonly deviceName: string | null;
      readonly platform: Platform;
      readonly createdAt: string;
      readonly lastSeenAt: string;
      readonly isCurrent: boolean;
      readonly isOnline: boolean;
    }>;
  };
};

export type RefreshSessionMutationVariables = Exact<{
  refreshToken: string;
}>;

export type RefreshSessionMutation = {
  readonly refreshSession: {
    readonly accessToken: string;
    readonly accessTokenExpiresAt: string;
    readonly refreshToken: string;
    readonly viewer: {
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
      readonly session: {
        readonly id: string;
        readonly deviceId: string;
        readonly deviceName: string | null;
        readonly platform: Platform;
        readonly createdAt: string;
        readonly lastSeenAt: string;
        readonly isCurrent: boolean;
        readonly isOnline: boolean;
      };
    };
    readonly displacedSessions: ReadonlyArray<{
      readonly id: string;
      readonly deviceId: string;
      readonly deviceName: string | null;
      readonly platform: Platform;
      readonly createdAt: string;
      readonly lastSeenAt: string;
      readonly isCurrent: boolean;
      readonly isOnline: boolean;
    }>;
  };
};

export type LogoutMutationVariables = Exact<{
  sessionId?: string | null | undefined;
}>;

export type LogoutMutation = { readonly logout: { readonly session: { readonly id: string } } };

export type UpdateProfileMutationVariables = Exact<{
  input: UpdateProfileInput;
}>;

export type UpdateProfileMutation = {
  readonly updateProfile: {
    readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
  };
};

export type FindUserQueryVariables = Exact<{
  username: string;
}>;

export type FindUserQuery = {
  readonly user: {
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
  } | null;
};

export type GateQueryVariables = Exact<{
  input?: GateInput;
}>;

export type GateQuery = {
  readonly gate: {
    readonly url: string;
    readonly httpUrl: string;
    readonly gateId: string;
    readonly expiresAt: string;
    readonly alternates: ReadonlyArray<string>;
  };
};

export type ColdStartQueryVariables = Exact<{
  first?: number;
}>;

export type ColdStartQuery = {
  readonly viewer: {
    readonly unreadCount: number;
    readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
    readonly session: {
      readonly id: string;
      readonly deviceId: string;
      readonly deviceName: string | null;
      readonly platform: Platform;
      readonly createdAt: string;
      readonly lastSeenAt: string;
      readonly isCurrent: boolean;
      readonly isOnline: boolean;
    };
    readonly sessions: ReadonlyArray<{
      readonly id: string;
      readonly deviceId: string;
      readonly deviceName: string | null;
      readonly platform: Platform;
      readonly createdAt: string;
      readonly lastSeenAt: string;
      readonly isCurrent: boolean;
      readonly isOnline: boolean;
    }>;
    readonly inbox: { readonly endCursor: string };
    readonly conversations: {
      readonly edges: ReadonlyArray<{
        readonly cursor: string;
        readonly node: {
          readonly id: string;
          readonly kind: ConversationKind;
          readonly title: string | null;
          readonly createdAt: string;
          readonly lastSeq: number;
          readonly changeSeq: number;
          readonly memberCount: number;
          readonly lastMessage: {
            readonly id: string;
            readonly seq: number;
            readonly clientMessageId: string | null;
            readonly createdAt: string;
            readonly editedAt: string | null;
            readonly recalledAt: string | null;
            readonly changeSeq: number;
            readonly replyToSeq: number | null;
            readonly conversation: { readonly id: string };
            readonly sender: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly content:
              | { readonly __typename: 'TextContent'; readonly text: string }
              | {
                  readonly __typename: 'CustomContent';
                  readonly type: string;
                  readonly data: unknown;
                }
              | {
                  readonly __typename: 'RedPacketContent';
                  readonly redPacket: {
                    readonly id: string;
                    readonly kind: RedPacketKind;
                    readonly state: RedPacketState;
                    readonly greeting: string;
                    readonly total: number;
                    readonly count: number;
                    readonly claimedCount: number;
                    readonly claimedTotal: number;
                    readonly createdAt: string;
                    readonly expiresAt: string;
                    readonly refundedTotal: number;
                    readonly sender: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    };
                    readonly recipient: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    } | null;
                  };
                }
              | {
                  readonly __typename: 'SystemContent';
                  readonly event: SystemEvent;
                  readonly title: string | null;
                  readonly role: MemberRole | null;
                  readonly actor: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                  readonly users: ReadonlyArray<{
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  }>;
                }
              | {
                  readonly __typename: 'RecalledContent';
                  readonly recalledBy: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                };
          } | null;
          readonly me: {
            readonly unreadCount: number | null;
            readonly role: MemberRole;
            readonly joinedAt: string;
            readonly joinedSeq: number;
            readonly readSeq: number;
            readonly user: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            };
          };
        };
      }>;
      readonly pageInfo: {
        readonly hasNextPage: boolean;
        readonly hasPreviousPage: boolean;
        readonly startCursor: string | null;
        readonly endCursor: string | null;
      };
    };
  };
};

export type ConversationListQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
}>;

export type ConversationListQuery = {
  readonly viewer: {
    readonly unreadCount: number;
    readonly conversations: {
      readonly edges: ReadonlyArray<{
        readonly cursor: string;
        readonly node: {
          readonly id: string;
          readonly kind: ConversationKind;
          readonly title: string | null;
          readonly createdAt: string;
          readonly lastSeq: number;
          readonly changeSeq: number;
          readonly memberCount: number;
          readonly lastMessage: {
            readonly id: string;
            readonly seq: number;
            readonly clientMessageId: string | null;
            readonly createdAt: string;
            readonly editedAt: string | null;
            readonly recalledAt: string | null;
            readonly changeSeq: number;
            readonly replyToSeq: number | null;
            readonly conversation: { readonly id: string };
            readonly sender: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly content:
              | { readonly __typename: 'TextContent'; readonly text: string }
              | {
                  readonly __typename: 'CustomContent';
                  readonly type: string;
                  readonly data: unknown;
                }
              | {
                  readonly __typename: 'RedPacketContent';
                  readonly redPacket: {
                    readonly id: string;
                    readonly kind: RedPacketKind;
                    readonly state: RedPacketState;
                    readonly greeting: string;
                    readonly total: number;
                    readonly count: number;
                    readonly claimedCount: number;
                    readonly claimedTotal: number;
                    readonly createdAt: string;
                    readonly expiresAt: string;
                    readonly refundedTotal: number;
                    readonly sender: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    };
                    readonly recipient: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    } | null;
                  };
                }
              | {
                  readonly __typename: 'SystemContent';
                  readonly event: SystemEvent;
                  readonly title: string | null;
                  readonly role: MemberRole | null;
                  readonly actor: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                  readonly users: ReadonlyArray<{
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  }>;
                }
              | {
                  readonly __typename: 'RecalledContent';
                  readonly recalledBy: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                };
          } | null;
          readonly me: {
            readonly unreadCount: number | null;
            readonly role: MemberRole;
            readonly joinedAt: string;
            readonly joinedSeq: number;
            readonly readSeq: number;
            readonly user: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            };
          };
        };
      }>;
      readonly pageInfo: {
        readonly hasNextPage: boolean;
        readonly hasPreviousPage: boolean;
        readonly startCursor: string | null;
        readonly endCursor: string | null;
      };
    };
  };
};

export type ConversationQueryVariables = Exact<{
  id: string;
}>;

export type ConversationQuery = {
  readonly conversation: {
    readonly id: string;
    readonly kind: ConversationKind;
    readonly title: string | null;
    readonly createdAt: string;
    readonly lastSeq: number;
    readonly changeSeq: number;
    readonly memberCount: number;
    readonly lastMessage: {
      readonly id: string;
      readonly seq: number;
      readonly clientMessageId: string | null;
      readonly createdAt: string;
      readonly editedAt: string | null;
      readonly recalledAt: string | null;
      readonly changeSeq: number;
      readonly replyToSeq: number | null;
      readonly conversation: { readonly id: string };
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
      readonly content:
        | { readonly __typename: 'TextContent'; readonly text: string }
        | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
        | {
            readonly __typename: 'RedPacketContent';
            readonly redPacket: {
              readonly id: string;
              readonly kind: RedPacketKind;
              readonly state: RedPacketState;
              readonly greeting: string;
              readonly total: number;
              readonly count: number;
              readonly claimedCount: number;
              readonly claimedTotal: number;
              readonly createdAt: string;
              readonly expiresAt: string;
              readonly refundedTotal: number;
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              };
              readonly recipient: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
          }
        | {
            readonly __typename: 'SystemContent';
            readonly event: SystemEvent;
            readonly title: string | null;
            readonly role: MemberRole | null;
            readonly actor: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly users: ReadonlyArray<{
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            }>;
          }
        | {
            readonly __typename: 'RecalledContent';
            readonly recalledBy: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
    } | null;
    readonly me: {
      readonly unreadCount: number | null;
      readonly role: MemberRole;
      readonly joinedAt: string;
      readonly joinedSeq: number;
      readonly readSeq: number;
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
    };
  } | null;
};

export type MembersQueryVariables = Exact<{
  conversationId: string;
  first?: number;
  after?: string | null | undefined;
}>;

export type MembersQuery = {
  readonly conversation: {
    readonly id: string;
    readonly members: {
      readonly edges: ReadonlyArray<{
        readonly cursor: string;
        readonly node: {
          readonly role: MemberRole;
          readonly joinedAt: string;
          readonly joinedSeq: number;
          readonly readSeq: number;
          readonly user: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          };
        };
      }>;
      readonly pageInfo: {
        readonly hasNextPage: boolean;
        readonly hasPreviousPage: boolean;
        readonly startCursor: string | null;
        readonly endCursor: string | null;
      };
    };
  } | null;
};

export type OpenDirectMutationVariables = Exact<{
  userId: string;
}>;

export type OpenDirectMutation = {
  readonly openDirect: {
    readonly conversation: {
      readonly id: string;
      readonly kind: ConversationKind;
      readonly title: string | null;
      readonly createdAt: string;
      readonly lastSeq: number;
      readonly changeSeq: number;
      readonly memberCount: number;
      readonly lastMessage: {
        readonly id: string;
        readonly seq: number;
        readonly clientMessageId: string | null;
        readonly createdAt: string;
        readonly editedAt: string | null;
        readonly recalledAt: string | null;
        readonly changeSeq: number;
        readonly replyToSeq: number | null;
        readonly conversation: { readonly id: string };
        readonly sender: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        } | null;
        readonly content:
          | { readonly __typename: 'TextContent'; readonly text: string }
          | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
          | {
              readonly __typename: 'RedPacketContent';
              readonly redPacket: {
                readonly id: string;
                readonly kind: RedPacketKind;
                readonly state: RedPacketState;
                readonly greeting: string;
                readonly total: number;
                readonly count: number;
                readonly claimedCount: number;
                readonly claimedTotal: number;
                readonly createdAt: string;
                readonly expiresAt: string;
                readonly refundedTotal: number;
                readonly sender: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                };
                readonly recipient: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
            }
          | {
              readonly __typename: 'SystemContent';
              readonly event: SystemEvent;
              readonly title: string | null;
              readonly role: MemberRole | null;
              readonly actor: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
              readonly users: ReadonlyArray<{
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              }>;
            }
          | {
              readonly __typename: 'RecalledContent';
              readonly recalledBy: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
      } | null;
      readonly me: {
        readonly unreadCount: number | null;
        readonly role: MemberRole;
        readonly joinedAt: string;
        readonly joinedSeq: number;
        readonly readSeq: number;
        readonly user: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        };
      };
    };
  };
};

export type CreateGroupMutationVariables = Exact<{
  input: CreateGroupInput;
}>;

export type CreateGroupMutation = {
  readonly createGroup: {
    readonly conversation: {
      readonly id: string;
      readonly kind: ConversationKind;
      readonly title: string | null;
      readonly createdAt: string;
      readonly lastSeq: number;
      readonly changeSeq: number;
      readonly memberCount: number;
      readonly lastMessage: {
        readonly id: string;
        readonly seq: number;
        readonly clientMessageId: string | null;
        readonly createdAt: string;
        readonly editedAt: string | null;
        readonly recalledAt: string | null;
        readonly changeSeq: number;
        readonly replyToSeq: number | null;
        readonly conversation: { readonly id: string };
        readonly sender: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        } | null;
        readonly content:
          | { readonly __typename: 'TextContent'; readonly text: string }
          | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
          | {
              readonly __typename: 'RedPacketContent';
              readonly redPacket: {
                readonly id: string;
                readonly kind: RedPacketKind;
                readonly state: RedPacketState;
                readonly greeting: string;
                readonly total: number;
                readonly count: number;
                readonly claimedCount: number;
                readonly claimedTotal: number;
                readonly createdAt: string;
                readonly expiresAt: string;
                readonly refundedTotal: number;
                readonly sender: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                };
                readonly recipient: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
            }
          | {
              readonly __typename: 'SystemContent';
              readonly event: SystemEvent;
              readonly title: string | null;
              readonly role: MemberRole | null;
              readonly actor: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
              readonly users: ReadonlyArray<{
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              }>;
            }
          | {
              readonly __typename: 'RecalledContent';
              readonly recalledBy: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
      } | null;
      readonly me: {
        readonly unreadCount: number | null;
        readonly role: MemberRole;
        readonly joinedAt: string;
        readonly joinedSeq: number;
        readonly readSeq: number;
        readonly user: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        };
      };
    };
  };
};

export type UpdateGroupMutationVariables = Exact<{
  input: UpdateGroupInput;
}>;

export type UpdateGroupMutation = {
  readonly updateGroup: {
    readonly conversation: {
      readonly id: string;
      readonly kind: ConversationKind;
      readonly title: string | null;
      readonly createdAt: string;
      readonly lastSeq: number;
      readonly changeSeq: number;
      readonly memberCount: number;
    };
  };
};

export type AddMembersMutationVariables = Exact<{
  input: AddMembersInput;
}>;

export type AddMembersMutation = {
  readonly addMembers: {
    readonly conversation: {
      readonly id: string;
      readonly kind: ConversationKind;
      readonly title: string | null;
      readonly createdAt: string;
      readonly lastSeq: number;
      readonly changeSeq: number;
      readonly memberCount: number;
    };
  };
};

export type RemoveMemberMutationVariables = Exact<{
  input: RemoveMemberInput;
}>;

export type RemoveMemberMutation = {
  readonly removeMember: {
    readonly conversation: {
      readonly id: string;
      readonly kind: ConversationKind;
      readonly title: string | null;
      readonly createdAt: string;
      readonly lastSeq: number;
      readonly changeSeq: number;
      readonly memberCount: number;
    };
  };
};

export type LeaveGroupMutationVariables = Exact<{
  conversationId: string;
}>;

export type LeaveGroupMutation = { readonly leaveGroup: { readonly conversationId: string } };

export type SetMemberRoleMutationVariables = Exact<{
  input: SetMemberRoleInput;
}>;

export type SetMemberRoleMutation = {
  readonly setMemberRole: {
    readonly member: {
      readonly role: MemberRole;
      readonly joinedAt: string;
      readonly joinedSeq: number;
      readonly readSeq: number;
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
    };
  };
};

export type UserPartsFragment = {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
};

export type SessionPartsFragment = {
  readonly id: string;
  readonly deviceId: string;
  readonly deviceName: string | null;
  readonly platform: Platform;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly isCurrent: boolean;
  readonly isOnline: boolean;
};

export type MessagePartsFragment = {
  readonly id: string;
  readonly seq: number;
  readonly clientMessageId: string | null;
  readonly createdAt: string;
  readonly editedAt: string | null;
  readonly recalledAt: string | null;
  readonly changeSeq: number;
  readonly replyToSeq: number | null;
  readonly conversation: { readonly id: string };
  readonly sender: {
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
  } | null;
  readonly content:
    | { readonly __typename: 'TextContent'; readonly text: string }
    | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
    | {
        readonly __typename: 'RedPacketContent';
        readonly redPacket: {
          readonly id: string;
          readonly kind: RedPacketKind;
          readonly state: RedPacketState;
          readonly greeting: string;
          readonly total: number;
          readonly count: number;
          readonly claimedCount: number;
          readonly claimedTotal: number;
          readonly createdAt: string;
          readonly expiresAt: string;
          readonly refundedTotal: number;
          readonly sender: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          };
          readonly recipient: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
        };
      }
    | {
        readonly __typename: 'SystemContent';
        readonly event: SystemEvent;
        readonly title: string | null;
        readonly role: MemberRole | null;
        readonly actor: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        } | null;
        readonly users: ReadonlyArray<{
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        }>;
      }
    | {
        readonly __typename: 'RecalledContent';
        readonly recalledBy: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        } | null;
      };
};

type ContentParts_TextContent_Fragment = {
  readonly __typename: 'TextContent';
  readonly text: string;
};

type ContentParts_CustomContent_Fragment = {
  readonly __typename: 'CustomContent';
  readonly type: string;
  readonly data: unknown;
};

type ContentParts_RedPacketContent_Fragment = {
  readonly __typename: 'RedPacketContent';
  readonly redPacket: {
    readonly id: string;
    readonly kind: RedPacketKind;
    readonly state: RedPacketState;
    readonly greeting: string;
    readonly total: number;
    readonly count: number;
    readonly claimedCount: number;
    readonly claimedTotal: number;
    readonly createdAt: string;
    readonly expiresAt: string;
    readonly refundedTotal: number;
    readonly sender: {
      readonly id: string;
      readonly username: string;
      readonly displayName: string;
    };
    readonly recipient: {
      readonly id: string;
      readonly username: string;
      readonly displayName: string;
    } | null;
  };
};

type ContentParts_SystemContent_Fragment = {
  readonly __typename: 'SystemContent';
  readonly event: SystemEvent;
  readonly title: string | null;
  readonly role: MemberRole | null;
  readonly actor: {
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
  } | null;
  readonly users: ReadonlyArray<{
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
  }>;
};

type ContentParts_RecalledContent_Fragment = {
  readonly __typename: 'RecalledContent';
  readonly recalledBy: {
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
  } | null;
};

export type ContentPartsFragment =
  | ContentParts_TextContent_Fragment
  | ContentParts_CustomContent_Fragment
  | ContentParts_RedPacketContent_Fragment
  | ContentParts_SystemContent_Fragment
  | ContentParts_RecalledContent_Fragment;

export type RedPacketPartsFragment = {
  readonly id: string;
  readonly kind: RedPacketKind;
  readonly state: RedPacketState;
  readonly greeting: string;
  readonly total: number;
  readonly count: number;
  readonly claimedCount: number;
  readonly claimedTotal: number;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly refundedTotal: number;
  readonly sender: { readonly id: string; readonly username: string; readonly displayName: string };
  readonly recipient: {
    readonly id: string;
    readonly username: string;
    readonly displayName: string;
  } | null;
};

export type RedPacketClaimPartsFragment = {
  readonly amount: number;
  readonly claimedAt: string;
  readonly isBest: boolean;
  readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
};

export type WalletEntryPartsFragment = {
  readonly id: string;
  readonly kind: WalletEntryKind;
  readonly amount: number;
  readonly createdAt: string;
  readonly redPacket: {
    readonly id: string;
    readonly conversation: { readonly id: string };
  } | null;
};

export type MemberPartsFragment = {
  readonly role: MemberRole;
  readonly joinedAt: string;
  readonly joinedSeq: number;
  readonly readSeq: number;
  readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
};

export type ConversationPartsFragment = {
  readonly id: string;
  readonly kind: ConversationKind;
  readonly title: string | null;
  readonly createdAt: string;
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly memberCount: number;
};

export type ConversationListPartsFragment = {
  readonly id: string;
  readonly kind: ConversationKind;
  readonly title: string | null;
  readonly createdAt: string;
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly memberCount: number;
  readonly lastMessage: {
    readonly id: string;
    readonly seq: number;
    readonly clientMessageId: string | null;
    readonly createdAt: string;
    readonly editedAt: string | null;
    readonly recalledAt: string | null;
    readonly changeSeq: number;
    readonly replyToSeq: number | null;
    readonly conversation: { readonly id: string };
    readonly sender: {
      readonly id: string;
      readonly username: string;
      readonly displayName: string;
    } | null;
    readonly content:
      | { readonly __typename: 'TextContent'; readonly text: string }
      | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
      | {
          readonly __typename: 'RedPacketContent';
          readonly redPacket: {
            readonly id: string;
            readonly kind: RedPacketKind;
            readonly state: RedPacketState;
            readonly greeting: string;
            readonly total: number;
            readonly count: number;
            readonly claimedCount: number;
            readonly claimedTotal: number;
            readonly createdAt: string;
            readonly expiresAt: string;
            readonly refundedTotal: number;
            readonly sender: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            };
            readonly recipient: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
        }
      | {
          readonly __typename: 'SystemContent';
          readonly event: SystemEvent;
          readonly title: string | null;
          readonly role: MemberRole | null;
          readonly actor: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly users: ReadonlyArray<{
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          }>;
        }
      | {
          readonly __typename: 'RecalledContent';
          readonly recalledBy: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
        };
  } | null;
  readonly me: {
    readonly unreadCount: number | null;
    readonly role: MemberRole;
    readonly joinedAt: string;
    readonly joinedSeq: number;
    readonly readSeq: number;
    readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
  };
};

export type AuthPartsFragment = {
  readonly accessToken: string;
  readonly accessTokenExpiresAt: string;
  readonly refreshToken: string;
  readonly viewer: {
    readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
    readonly session: {
      readonly id: string;
      readonly deviceId: string;
      readonly deviceName: string | null;
      readonly platform: Platform;
      readonly createdAt: string;
      readonly lastSeenAt: string;
      readonly isCurrent: boolean;
      readonly isOnline: boolean;
    };
  };
  readonly displacedSessions: ReadonlyArray<{
    readonly id: string;
    readonly deviceId: string;
    readonly deviceName: string | null;
    readonly platform: Platform;
    readonly createdAt: string;
    readonly lastSeenAt: string;
    readonly isCurrent: boolean;
    readonly isOnline: boolean;
  }>;
};

type InboxEventParts_MessageAdded_Fragment = {
  readonly __typename: 'MessageAdded';
  readonly cursor: string;
  readonly at: string;
  readonly message: {
    readonly id: string;
    readonly seq: number;
    readonly clientMessageId: string | null;
    readonly createdAt: string;
    readonly editedAt: string | null;
    readonly recalledAt: string | null;
    readonly changeSeq: number;
    readonly replyToSeq: number | null;
    readonly conversation: { readonly id: string };
    readonly sender: {
      readonly id: string;
      readonly username: string;
      readonly displayName: string;
    } | null;
    readonly content:
      | { readonly __typename: 'TextContent'; readonly text: string }
      | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
      | {
          readonly __typename: 'RedPacketContent';
          readonly redPacket: {
            readonly id: string;
            readonly kind: RedPacketKind;
            readonly state: RedPacketState;
            readonly greeting: string;
            readonly total: number;
            readonly count: number;
            readonly claimedCount: number;
            readonly claimedTotal: number;
            readonly createdAt: string;
            readonly expiresAt: string;
            readonly refundedTotal: number;
            readonly sender: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            };
            readonly recipient: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
        }
      | {
          readonly __typename: 'SystemContent';
          readonly event: SystemEvent;
          readonly title: string | null;
          readonly role: MemberRole | null;
          readonly actor: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly users: ReadonlyArray<{
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          }>;
        }
      | {
          readonly __typename: 'RecalledContent';
          readonly recalledBy: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
        };
  };
};

type InboxEventParts_MessageChanged_Fragment = {
  readonly __typename: 'MessageChanged';
  readonly changeSeq: number;
  readonly cursor: string;
  readonly at: string;
  readonly message: {
    readonly id: string;
    readonly seq: number;
    readonly clientMessageId: string | null;
    readonly createdAt: string;
    readonly editedAt: string | null;
    readonly recalledAt: string | null;
    readonly changeSeq: number;
    readonly replyToSeq: number | null;
    readonly conversation: { readonly id: string };
    readonly sender: {
      readonly id: string;
      readonly username: string;
      readonly displayName: string;
    } | null;
    readonly content:
      | { readonly __typename: 'TextContent'; readonly text: string }
      | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
      | {
          readonly __typename: 'RedPacketContent';
          readonly redPacket: {
            readonly id: string;
            readonly kind: RedPacketKind;
            readonly state: RedPacketState;
            readonly greeting: string;
            readonly total: number;
            readonly count: number;
            readonly claimedCount: number;
            readonly claimedTotal: number;
            readonly createdAt: string;
            readonly expiresAt: string;
            readonly refundedTotal: number;
            readonly sender: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            };
            readonly recipient: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
        }
      | {
          readonly __typename: 'SystemContent';
          readonly event: SystemEvent;
          readonly title: string | null;
          readonly role: MemberRole | null;
          readonly actor: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly users: ReadonlyArray<{
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          }>;
        }
      | {
          readonly __typename: 'RecalledContent';
          readonly recalledBy: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
        };
  };
};

type InboxEventParts_ReadAdvanced_Fragment = {
  readonly __typename: 'ReadAdvanced';
  readonly readSeq: number;
  readonly cursor: string;
  readonly at: string;
  readonly conversation: { readonly id: string };
  readonly user: { readonly id: string };
};

type InboxEventParts_ConversationChanged_Fragment = {
  readonly __typename: 'ConversationChanged';
  readonly cursor: string;
  readonly at: string;
  readonly conversation: {
    readonly id: string;
    readonly kind: ConversationKind;
    readonly title: string | null;
    readonly createdAt: string;
    readonly lastSeq: number;
    readonly changeSeq: number;
    readonly memberCount: number;
  };
};

type InboxEventParts_ConversationRemoved_Fragment = {
  readonly __typename: 'ConversationRemoved';
  readonly conversationId: string;
  readonly cursor: string;
  readonly at: string;
};

type InboxEventParts_ConversationAdvanced_Fragment = {
  readonly __typename: 'ConversationAdvanced';
  readonly lastSeq: number;
  readonly changeSeq: number;
  readonly cursor: string;
  readonly at: string;
  readonly conversation: { readonly id: string };
};

type InboxEventParts_WalletChanged_Fragment = {
  readonly __typename: 'WalletChanged';
  readonly balance: number;
  readonly cursor: string;
  readonly at: string;
  readonly entry: {
    readonly id: string;
    readonly kind: WalletEntryKind;
    readonly amount: number;
    readonly createdAt: string;
    readonly redPacket: {
      readonly id: string;
      readonly conversation: { readonly id: string };
    } | null;
  };
};

type InboxEventParts_InboxHeartbeat_Fragment = {
  readonly __typename: 'InboxHeartbeat';
  readonly cursor: string;
  readonly at: string;
};

type InboxEventParts_InboxReset_Fragment = {
  readonly __typename: 'InboxReset';
  readonly cursor: string;
  readonly at: string;
};

export type InboxEventPartsFragment =
  | InboxEventParts_MessageAdded_Fragment
  | InboxEventParts_MessageChanged_Fragment
  | InboxEventParts_ReadAdvanced_Fragment
  | InboxEventParts_ConversationChanged_Fragment
  | InboxEventParts_ConversationRemoved_Fragment
  | InboxEventParts_ConversationAdvanced_Fragment
  | InboxEventParts_WalletChanged_Fragment
  | InboxEventParts_InboxHeartbeat_Fragment
  | InboxEventParts_InboxReset_Fragment;

export type PageInfoPartsFragment = {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
};

export type InboxSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;

export type InboxSubscription = {
  readonly inbox:
    | {
        readonly __typename: 'MessageAdded';
        readonly cursor: string;
        readonly at: string;
        readonly message: {
          readonly id: string;
          readonly seq: number;
          readonly clientMessageId: string | null;
          readonly createdAt: string;
          readonly editedAt: string | null;
          readonly recalledAt: string | null;
          readonly changeSeq: number;
          readonly replyToSeq: number | null;
          readonly conversation: { readonly id: string };
          readonly sender: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly content:
            | { readonly __typename: 'TextContent'; readonly text: string }
            | {
                readonly __typename: 'CustomContent';
                readonly type: string;
                readonly data: unknown;
              }
            | {
                readonly __typename: 'RedPacketContent';
                readonly redPacket: {
                  readonly id: string;
                  readonly kind: RedPacketKind;
                  readonly state: RedPacketState;
                  readonly greeting: string;
                  readonly total: number;
                  readonly count: number;
                  readonly claimedCount: number;
                  readonly claimedTotal: number;
                  readonly createdAt: string;
                  readonly expiresAt: string;
                  readonly refundedTotal: number;
                  readonly sender: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  };
                  readonly recipient: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                };
              }
            | {
                readonly __typename: 'SystemContent';
                readonly event: SystemEvent;
                readonly title: string | null;
                readonly role: MemberRole | null;
                readonly actor: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
                readonly users: ReadonlyArray<{
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                }>;
              }
            | {
                readonly __typename: 'RecalledContent';
                readonly recalledBy: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
        };
      }
    | {
        readonly __typename: 'MessageChanged';
        readonly cursor: string;
        readonly at: string;
        readonly changeSeq: number;
        readonly message: {
          readonly id: string;
          readonly seq: number;
          readonly clientMessageId: string | null;
          readonly createdAt: string;
          readonly editedAt: string | null;
          readonly recalledAt: string | null;
          readonly changeSeq: number;
          readonly replyToSeq: number | null;
          readonly conversation: { readonly id: string };
          readonly sender: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly content:
            | { readonly __typename: 'TextContent'; readonly text: string }
            | {
                readonly __typename: 'CustomContent';
                readonly type: string;
                readonly data: unknown;
              }
            | {
                readonly __typename: 'RedPacketContent';
                readonly redPacket: {
                  readonly id: string;
                  readonly kind: RedPacketKind;
                  readonly state: RedPacketState;
                  readonly greeting: string;
                  readonly total: number;
                  readonly count: number;
                  readonly claimedCount: number;
                  readonly claimedTotal: number;
                  readonly createdAt: string;
                  readonly expiresAt: string;
                  readonly refundedTotal: number;
                  readonly sender: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  };
                  readonly recipient: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                };
              }
            | {
                readonly __typename: 'SystemContent';
                readonly event: SystemEvent;
                readonly title: string | null;
                readonly role: MemberRole | null;
                readonly actor: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
                readonly users: ReadonlyArray<{
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                }>;
              }
            | {
                readonly __typename: 'RecalledContent';
                readonly recalledBy: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
        };
      }
    | {
        readonly __typename: 'ReadAdvanced';
        readonly cursor: string;
        readonly at: string;
        readonly readSeq: number;
        readonly conversation: { readonly id: string };
        readonly user: { readonly id: string };
      }
    | {
        readonly __typename: 'ConversationChanged';
        readonly cursor: string;
        readonly at: string;
        readonly conversation: {
          readonly id: string;
          readonly kind: ConversationKind;
          readonly title: string | null;
          readonly createdAt: string;
          readonly lastSeq: number;
          readonly changeSeq: number;
          readonly memberCount: number;
        };
      }
    | {
        readonly __typename: 'ConversationRemoved';
        readonly cursor: string;
        readonly at: string;
        readonly conversationId: string;
      }
    | {
        readonly __typename: 'ConversationAdvanced';
        readonly cursor: string;
        readonly at: string;
        readonly lastSeq: number;
        readonly changeSeq: number;
        readonly conversation: { readonly id: string };
      }
    | {
        readonly __typename: 'WalletChanged';
        readonly cursor: string;
        readonly at: string;
        readonly balance: number;
        readonly entry: {
          readonly id: string;
          readonly kind: WalletEntryKind;
          readonly amount: number;
          readonly createdAt: string;
          readonly redPacket: {
            readonly id: string;
            readonly conversation: { readonly id: string };
          } | null;
        };
      }
    | { readonly __typename: 'InboxHeartbeat'; readonly cursor: string; readonly at: string }
    | { readonly __typename: 'InboxReset'; readonly cursor: string; readonly at: string };
};

export type InboxPageQueryVariables = Exact<{
  after?: string | null | undefined;
  first?: number;
}>;

export type InboxPageQuery = {
  readonly viewer: {
    readonly inbox: {
      readonly endCursor: string;
      readonly hasMore: boolean;
      readonly events: ReadonlyArray<
        | {
            readonly __typename: 'MessageAdded';
            readonly cursor: string;
            readonly at: string;
            readonly message: {
              readonly id: string;
              readonly seq: number;
              readonly clientMessageId: string | null;
              readonly createdAt: string;
              readonly editedAt: string | null;
              readonly recalledAt: string | null;
              readonly changeSeq: number;
              readonly replyToSeq: number | null;
              readonly conversation: { readonly id: string };
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
              readonly content:
                | { readonly __typename: 'TextContent'; readonly text: string }
                | {
                    readonly __typename: 'CustomContent';
                    readonly type: string;
                    readonly data: unknown;
                  }
                | {
                    readonly __typename: 'RedPacketContent';
                    readonly redPacket: {
                      readonly id: string;
                      readonly kind: RedPacketKind;
                      readonly state: RedPacketState;
                      readonly greeting: string;
                      readonly total: number;
                      readonly count: number;
                      readonly claimedCount: number;
                      readonly claimedTotal: number;
                      readonly createdAt: string;
                      readonly expiresAt: string;
                      readonly refundedTotal: number;
                      readonly sender: {
                        readonly id: string;
                        readonly username: string;
                        readonly displayName: string;
                      };
                      readonly recipient: {
                        readonly id: string;
                        readonly username: string;
                        readonly displayName: string;
                      } | null;
                    };
                  }
                | {
                    readonly __typename: 'SystemContent';
                    readonly event: SystemEvent;
                    readonly title: string | null;
                    readonly role: MemberRole | null;
                    readonly actor: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    } | null;
                    readonly users: ReadonlyArray<{
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    }>;
                  }
                | {
                    readonly __typename: 'RecalledContent';
                    readonly recalledBy: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    } | null;
                  };
            };
          }
        | {
            readonly __typename: 'MessageChanged';
            readonly cursor: string;
            readonly at: string;
            readonly changeSeq: number;
            readonly message: {
              readonly id: string;
              readonly seq: number;
              readonly clientMessageId: string | null;
              readonly createdAt: string;
              readonly editedAt: string | null;
              readonly recalledAt: string | null;
              readonly changeSeq: number;
              readonly replyToSeq: number | null;
              readonly conversation: { readonly id: string };
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
              readonly content:
                | { readonly __typename: 'TextContent'; readonly text: string }
                | {
                    readonly __typename: 'CustomContent';
                    readonly type: string;
                    readonly data: unknown;
                  }
                | {
                    readonly __typename: 'RedPacketContent';
                    readonly redPacket: {
                      readonly id: string;
                      readonly kind: RedPacketKind;
                      readonly state: RedPacketState;
                      readonly greeting: string;
                      readonly total: number;
                      readonly count: number;
                      readonly claimedCount: number;
                      readonly claimedTotal: number;
                      readonly createdAt: string;
                      readonly expiresAt: string;
                      readonly refundedTotal: number;
                      readonly sender: {
                        readonly id: string;
                        readonly username: string;
                        readonly displayName: string;
                      };
                      readonly recipient: {
                        readonly id: string;
                        readonly username: string;
                        readonly displayName: string;
                      } | null;
                    };
                  }
                | {
                    readonly __typename: 'SystemContent';
                    readonly event: SystemEvent;
                    readonly title: string | null;
                    readonly role: MemberRole | null;
                    readonly actor: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    } | null;
                    readonly users: ReadonlyArray<{
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    }>;
                  }
                | {
                    readonly __typename: 'RecalledContent';
                    readonly recalledBy: {
                      readonly id: string;
                      readonly username: string;
                      readonly displayName: string;
                    } | null;
                  };
            };
          }
        | {
            readonly __typename: 'ReadAdvanced';
            readonly cursor: string;
            readonly at: string;
            readonly readSeq: number;
            readonly conversation: { readonly id: string };
            readonly user: { readonly id: string };
          }
        | {
            readonly __typename: 'ConversationChanged';
            readonly cursor: string;
            readonly at: string;
            readonly conversation: {
              readonly id: string;
              readonly kind: ConversationKind;
              readonly title: string | null;
              readonly createdAt: string;
              readonly lastSeq: number;
              readonly changeSeq: number;
              readonly memberCount: number;
            };
          }
        | {
            readonly __typename: 'ConversationRemoved';
            readonly cursor: string;
            readonly at: string;
            readonly conversationId: string;
          }
        | {
            readonly __typename: 'ConversationAdvanced';
            readonly cursor: string;
            readonly at: string;
            readonly lastSeq: number;
            readonly changeSeq: number;
            readonly conversation: { readonly id: string };
          }
        | {
            readonly __typename: 'WalletChanged';
            readonly cursor: string;
            readonly at: string;
            readonly balance: number;
            readonly entry: {
              readonly id: string;
              readonly kind: WalletEntryKind;
              readonly amount: number;
              readonly createdAt: string;
              readonly redPacket: {
                readonly id: string;
                readonly conversation: { readonly id: string };
              } | null;
            };
          }
        | { readonly __typename: 'InboxHeartbeat'; readonly cursor: string; readonly at: string }
        | { readonly __typename: 'InboxReset'; readonly cursor: string; readonly at: string }
      >;
    };
  };
};

export type ConversationEventsSubscriptionVariables = Exact<{
  id: string;
  afterSeq?: number | null | undefined;
  afterChangeSeq?: number | null | undefined;
}>;

export type ConversationEventsSubscription = {
  readonly conversation:
    | {
        readonly __typename: 'ConversationMessageAdded';
        readonly message: {
          readonly id: string;
          readonly seq: number;
          readonly clientMessageId: string | null;
          readonly createdAt: string;
          readonly editedAt: string | null;
          readonly recalledAt: string | null;
          readonly changeSeq: number;
          readonly replyToSeq: number | null;
          readonly conversation: { readonly id: string };
          readonly sender: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly content:
            | { readonly __typename: 'TextContent'; readonly text: string }
            | {
                readonly __typename: 'CustomContent';
                readonly type: string;
                readonly data: unknown;
              }
            | {
                readonly __typename: 'RedPacketContent';
                readonly redPacket: {
                  readonly id: string;
                  readonly kind: RedPacketKind;
                  readonly state: RedPacketState;
                  readonly greeting: string;
                  readonly total: number;
                  readonly count: number;
                  readonly claimedCount: number;
                  readonly claimedTotal: number;
                  readonly createdAt: string;
                  readonly expiresAt: string;
                  readonly refundedTotal: number;
                  readonly sender: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  };
                  readonly recipient: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                };
              }
            | {
                readonly __typename: 'SystemContent';
                readonly event: SystemEvent;
                readonly title: string | null;
                readonly role: MemberRole | null;
                readonly actor: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
                readonly users: ReadonlyArray<{
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                }>;
              }
            | {
                readonly __typename: 'RecalledContent';
                readonly recalledBy: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
        };
      }
    | {
        readonly __typename: 'ConversationMessageChanged';
        readonly changeSeq: number;
        readonly message: {
          readonly id: string;
          readonly seq: number;
          readonly clientMessageId: string | null;
          readonly createdAt: string;
          readonly editedAt: string | null;
          readonly recalledAt: string | null;
          readonly changeSeq: number;
          readonly replyToSeq: number | null;
          readonly conversation: { readonly id: string };
          readonly sender: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly content:
            | { readonly __typename: 'TextContent'; readonly text: string }
            | {
                readonly __typename: 'CustomContent';
                readonly type: string;
                readonly data: unknown;
              }
            | {
                readonly __typename: 'RedPacketContent';
                readonly redPacket: {
                  readonly id: string;
                  readonly kind: RedPacketKind;
                  readonly state: RedPacketState;
                  readonly greeting: string;
                  readonly total: number;
                  readonly count: number;
                  readonly claimedCount: number;
                  readonly claimedTotal: number;
                  readonly createdAt: string;
                  readonly expiresAt: string;
                  readonly refundedTotal: number;
                  readonly sender: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  };
                  readonly recipient: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                };
              }
            | {
                readonly __typename: 'SystemContent';
                readonly event: SystemEvent;
                readonly title: string | null;
                readonly role: MemberRole | null;
                readonly actor: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
                readonly users: ReadonlyArray<{
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                }>;
              }
            | {
                readonly __typename: 'RecalledContent';
                readonly recalledBy: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
        };
      }
    | {
        readonly __typename: 'ConversationCaughtUp';
        readonly lastSeq: number;
        readonly changeSeq: number;
      };
};

export type TypingSubscriptionVariables = Exact<{
  conversationId: string;
}>;

export type TypingSubscription = {
  readonly typing: {
    readonly isTyping: boolean;
    readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
  };
};

export type PresenceSubscriptionVariables = Exact<{
  userIds: ReadonlyArray<string> | string;
}>;

export type PresenceSubscription = {
  readonly presence: {
    readonly isOnline: boolean;
    readonly lastSeenAt: string | null;
    readonly user: { readonly id: string; readonly username: string; readonly displayName: string };
  };
};

export type HistoryQueryVariables = Exact<{
  conversationId: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;

export type HistoryQuery = {
  readonly conversation: {
    readonly id: string;
    readonly messages: {
      readonly edges: ReadonlyArray<{
        readonly cursor: string;
        readonly node: {
          readonly readCount: number;
          readonly id: string;
          readonly seq: number;
          readonly clientMessageId: string | null;
          readonly createdAt: string;
          readonly editedAt: string | null;
          readonly recalledAt: string | null;
          readonly changeSeq: number;
          readonly replyToSeq: number | null;
          readonly conversation: { readonly id: string };
          readonly sender: {
            readonly id: string;
            readonly username: string;
            readonly displayName: string;
          } | null;
          readonly content:
            | { readonly __typename: 'TextContent'; readonly text: string }
            | {
                readonly __typename: 'CustomContent';
                readonly type: string;
                readonly data: unknown;
              }
            | {
                readonly __typename: 'RedPacketContent';
                readonly redPacket: {
                  readonly id: string;
                  readonly kind: RedPacketKind;
                  readonly state: RedPacketState;
                  readonly greeting: string;
                  readonly total: number;
                  readonly count: number;
                  readonly claimedCount: number;
                  readonly claimedTotal: number;
                  readonly createdAt: string;
                  readonly expiresAt: string;
                  readonly refundedTotal: number;
                  readonly sender: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  };
                  readonly recipient: {
                    readonly id: string;
                    readonly username: string;
                    readonly displayName: string;
                  } | null;
                };
              }
            | {
                readonly __typename: 'SystemContent';
                readonly event: SystemEvent;
                readonly title: string | null;
                readonly role: MemberRole | null;
                readonly actor: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
                readonly users: ReadonlyArray<{
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                }>;
              }
            | {
                readonly __typename: 'RecalledContent';
                readonly recalledBy: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
        };
      }>;
      readonly pageInfo: {
        readonly hasNextPage: boolean;
        readonly hasPreviousPage: boolean;
        readonly startCursor: string | null;
        readonly endCursor: string | null;
      };
    };
  } | null;
};

export type MessageQueryVariables = Exact<{
  conversationId: string;
  seq: number;
}>;

export type MessageQuery = {
  readonly conversation: {
    readonly id: string;
    readonly message: {
      readonly readCount: number;
      readonly id: string;
      readonly seq: number;
      readonly clientMessageId: string | null;
      readonly createdAt: string;
      readonly editedAt: string | null;
      readonly recalledAt: string | null;
      readonly changeSeq: number;
      readonly replyToSeq: number | null;
      readonly replyTo: {
        readonly id: string;
        readonly seq: number;
        readonly clientMessageId: string | null;
        readonly createdAt: string;
        readonly editedAt: string | null;
        readonly recalledAt: string | null;
        readonly changeSeq: number;
        readonly replyToSeq: number | null;
        readonly conversation: { readonly id: string };
        readonly sender: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        } | null;
        readonly content:
          | { readonly __typename: 'TextContent'; readonly text: string }
          | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
          | {
              readonly __typename: 'RedPacketContent';
              readonly redPacket: {
                readonly id: string;
                readonly kind: RedPacketKind;
                readonly state: RedPacketState;
                readonly greeting: string;
                readonly total: number;
                readonly count: number;
                readonly claimedCount: number;
                readonly claimedTotal: number;
                readonly createdAt: string;
                readonly expiresAt: string;
                readonly refundedTotal: number;
                readonly sender: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                };
                readonly recipient: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
            }
          | {
              readonly __typename: 'SystemContent';
              readonly event: SystemEvent;
              readonly title: string | null;
              readonly role: MemberRole | null;
              readonly actor: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
              readonly users: ReadonlyArray<{
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              }>;
            }
          | {
              readonly __typename: 'RecalledContent';
              readonly recalledBy: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
      } | null;
      readonly conversation: { readonly id: string };
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
      readonly content:
        | { readonly __typename: 'TextContent'; readonly text: string }
        | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
        | {
            readonly __typename: 'RedPacketContent';
            readonly redPacket: {
              readonly id: string;
              readonly kind: RedPacketKind;
              readonly state: RedPacketState;
              readonly greeting: string;
              readonly total: number;
              readonly count: number;
              readonly claimedCount: number;
              readonly claimedTotal: number;
              readonly createdAt: string;
              readonly expiresAt: string;
              readonly refundedTotal: number;
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              };
              readonly recipient: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
          }
        | {
            readonly __typename: 'SystemContent';
            readonly event: SystemEvent;
            readonly title: string | null;
            readonly role: MemberRole | null;
            readonly actor: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly users: ReadonlyArray<{
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            }>;
          }
        | {
            readonly __typename: 'RecalledContent';
            readonly recalledBy: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
    } | null;
  } | null;
};

export type MessageChangesQueryVariables = Exact<{
  conversationId: string;
  after: number;
  first?: number;
}>;

export type MessageChangesQuery = {
  readonly conversation: {
    readonly id: string;
    readonly messageChanges: {
      readonly endChangeSeq: number;
      readonly hasMore: boolean;
      readonly messages: ReadonlyArray<{
        readonly id: string;
        readonly seq: number;
        readonly clientMessageId: string | null;
        readonly createdAt: string;
        readonly editedAt: string | null;
        readonly recalledAt: string | null;
        readonly changeSeq: number;
        readonly replyToSeq: number | null;
        readonly conversation: { readonly id: string };
        readonly sender: {
          readonly id: string;
          readonly username: string;
          readonly displayName: string;
        } | null;
        readonly content:
          | { readonly __typename: 'TextContent'; readonly text: string }
          | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
          | {
              readonly __typename: 'RedPacketContent';
              readonly redPacket: {
                readonly id: string;
                readonly kind: RedPacketKind;
                readonly state: RedPacketState;
                readonly greeting: string;
                readonly total: number;
                readonly count: number;
                readonly claimedCount: number;
                readonly claimedTotal: number;
                readonly createdAt: string;
                readonly expiresAt: string;
                readonly refundedTotal: number;
                readonly sender: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                };
                readonly recipient: {
                  readonly id: string;
                  readonly username: string;
                  readonly displayName: string;
                } | null;
              };
            }
          | {
              readonly __typename: 'SystemContent';
              readonly event: SystemEvent;
              readonly title: string | null;
              readonly role: MemberRole | null;
              readonly actor: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
              readonly users: ReadonlyArray<{
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              }>;
            }
          | {
              readonly __typename: 'RecalledContent';
              readonly recalledBy: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
      }>;
    };
  } | null;
};

export type SendMessageMutationVariables = Exact<{
  input: SendMessageInput;
}>;

export type SendMessageMutation = {
  readonly sendMessage: {
    readonly isDuplicate: boolean;
    readonly message: {
      readonly id: string;
      readonly seq: number;
      readonly clientMessageId: string | null;
      readonly createdAt: string;
      readonly editedAt: string | null;
      readonly recalledAt: string | null;
      readonly changeSeq: number;
      readonly replyToSeq: number | null;
      readonly conversation: { readonly id: string };
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
      readonly content:
        | { readonly __typename: 'TextContent'; readonly text: string }
        | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
        | {
            readonly __typename: 'RedPacketContent';
            readonly redPacket: {
              readonly id: string;
              readonly kind: RedPacketKind;
              readonly state: RedPacketState;
              readonly greeting: string;
              readonly total: number;
              readonly count: number;
              readonly claimedCount: number;
              readonly claimedTotal: number;
              readonly createdAt: string;
              readonly expiresAt: string;
              readonly refundedTotal: number;
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              };
              readonly recipient: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
          }
        | {
            readonly __typename: 'SystemContent';
            readonly event: SystemEvent;
            readonly title: string | null;
            readonly role: MemberRole | null;
            readonly actor: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly users: ReadonlyArray<{
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            }>;
          }
        | {
            readonly __typename: 'RecalledContent';
            readonly recalledBy: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
    };
  };
};

export type EditMessageMutationVariables = Exact<{
  input: EditMessageInput;
}>;

export type EditMessageMutation = {
  readonly editMessage: {
    readonly message: {
      readonly id: string;
      readonly seq: number;
      readonly clientMessageId: string | null;
      readonly createdAt: string;
      readonly editedAt: string | null;
      readonly recalledAt: string | null;
      readonly changeSeq: number;
      readonly replyToSeq: number | null;
      readonly conversation: { readonly id: string };
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
      readonly content:
        | { readonly __typename: 'TextContent'; readonly text: string }
        | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
        | {
            readonly __typename: 'RedPacketContent';
            readonly redPacket: {
              readonly id: string;
              readonly kind: RedPacketKind;
              readonly state: RedPacketState;
              readonly greeting: string;
              readonly total: number;
              readonly count: number;
              readonly claimedCount: number;
              readonly claimedTotal: number;
              readonly createdAt: string;
              readonly expiresAt: string;
              readonly refundedTotal: number;
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              };
              readonly recipient: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
          }
        | {
            readonly __typename: 'SystemContent';
            readonly event: SystemEvent;
            readonly title: string | null;
            readonly role: MemberRole | null;
            readonly actor: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly users: ReadonlyArray<{
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            }>;
          }
        | {
            readonly __typename: 'RecalledContent';
            readonly recalledBy: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
    };
  };
};

export type RecallMessageMutationVariables = Exact<{
  input: RecallMessageInput;
}>;

export type RecallMessageMutation = {
  readonly recallMessage: {
    readonly message: {
      readonly id: string;
      readonly seq: number;
      readonly clientMessageId: string | null;
      readonly createdAt: string;
      readonly editedAt: string | null;
      readonly recalledAt: string | null;
      readonly changeSeq: number;
      readonly replyToSeq: number | null;
      readonly conversation: { readonly id: string };
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
      readonly content:
        | { readonly __typename: 'TextContent'; readonly text: string }
        | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
        | {
            readonly __typename: 'RedPacketContent';
            readonly redPacket: {
              readonly id: string;
              readonly kind: RedPacketKind;
              readonly state: RedPacketState;
              readonly greeting: string;
              readonly total: number;
              readonly count: number;
              readonly claimedCount: number;
              readonly claimedTotal: number;
              readonly createdAt: string;
              readonly expiresAt: string;
              readonly refundedTotal: number;
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              };
              readonly recipient: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
          }
        | {
            readonly __typename: 'SystemContent';
            readonly event: SystemEvent;
            readonly title: string | null;
            readonly role: MemberRole | null;
            readonly actor: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly users: ReadonlyArray<{
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            }>;
          }
        | {
            readonly __typename: 'RecalledContent';
            readonly recalledBy: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
    };
  };
};

export type MarkReadMutationVariables = Exact<{
  input: MarkReadInput;
}>;

export type MarkReadMutation = {
  readonly markRead: {
    readonly member: {
      readonly unreadCount: number | null;
      readonly role: MemberRole;
      readonly joinedAt: string;
      readonly joinedSeq: number;
      readonly readSeq: number;
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
    };
  };
};

export type SetTypingMutationVariables = Exact<{
  conversationId: string;
  isTyping: boolean;
}>;

export type SetTypingMutation = { readonly setTyping: { readonly conversationId: string } };

export type WalletQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
}>;

export type WalletQuery = {
  readonly viewer: {
    readonly wallet: {
      readonly balance: number;
      readonly entries: {
        readonly edges: ReadonlyArray<{
          readonly cursor: string;
          readonly node: {
            readonly id: string;
            readonly kind: WalletEntryKind;
            readonly amount: number;
            readonly createdAt: string;
            readonly redPacket: {
              readonly id: string;
              readonly conversation: { readonly id: string };
            } | null;
          };
        }>;
        readonly pageInfo: {
          readonly hasNextPage: boolean;
          readonly hasPreviousPage: boolean;
          readonly startCursor: string | null;
          readonly endCursor: string | null;
        };
      };
    };
  };
};

export type RedPacketQueryVariables = Exact<{
  id: string;
}>;

export type RedPacketQuery = {
  readonly redPacket: {
    readonly id: string;
    readonly kind: RedPacketKind;
    readonly state: RedPacketState;
    readonly greeting: string;
    readonly total: number;
    readonly count: number;
    readonly claimedCount: number;
    readonly claimedTotal: number;
    readonly createdAt: string;
    readonly expiresAt: string;
    readonly refundedTotal: number;
    readonly conversation: { readonly id: string };
    readonly claims: ReadonlyArray<{
      readonly amount: number;
      readonly claimedAt: string;
      readonly isBest: boolean;
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
    }>;
    readonly myClaim: {
      readonly amount: number;
      readonly claimedAt: string;
      readonly isBest: boolean;
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
    } | null;
    readonly sender: {
      readonly id: string;
      readonly username: string;
      readonly displayName: string;
    };
    readonly recipient: {
      readonly id: string;
      readonly username: string;
      readonly displayName: string;
    } | null;
  } | null;
};

export type SendRedPacketMutationVariables = Exact<{
  input: SendRedPacketInput;
}>;

export type SendRedPacketMutation = {
  readonly sendRedPacket: {
    readonly isDuplicate: boolean;
    readonly message: {
      readonly id: string;
      readonly seq: number;
      readonly clientMessageId: string | null;
      readonly createdAt: string;
      readonly editedAt: string | null;
      readonly recalledAt: string | null;
      readonly changeSeq: number;
      readonly replyToSeq: number | null;
      readonly conversation: { readonly id: string };
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
      readonly content:
        | { readonly __typename: 'TextContent'; readonly text: string }
        | { readonly __typename: 'CustomContent'; readonly type: string; readonly data: unknown }
        | {
            readonly __typename: 'RedPacketContent';
            readonly redPacket: {
              readonly id: string;
              readonly kind: RedPacketKind;
              readonly state: RedPacketState;
              readonly greeting: string;
              readonly total: number;
              readonly count: number;
              readonly claimedCount: number;
              readonly claimedTotal: number;
              readonly createdAt: string;
              readonly expiresAt: string;
              readonly refundedTotal: number;
              readonly sender: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              };
              readonly recipient: {
                readonly id: string;
                readonly username: string;
                readonly displayName: string;
              } | null;
            };
          }
        | {
            readonly __typename: 'SystemContent';
            readonly event: SystemEvent;
            readonly title: string | null;
            readonly role: MemberRole | null;
            readonly actor: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
            readonly users: ReadonlyArray<{
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            }>;
          }
        | {
            readonly __typename: 'RecalledContent';
            readonly recalledBy: {
              readonly id: string;
              readonly username: string;
              readonly displayName: string;
            } | null;
          };
    };
    readonly redPacket: {
      readonly id: string;
      readonly kind: RedPacketKind;
      readonly state: RedPacketState;
      readonly greeting: string;
      readonly total: number;
      readonly count: number;
      readonly claimedCount: number;
      readonly claimedTotal: number;
      readonly createdAt: string;
      readonly expiresAt: string;
      readonly refundedTotal: number;
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
      readonly recipient: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
    };
  };
};

export type ClaimRedPacketMutationVariables = Exact<{
  redPacketId: string;
}>;

export type ClaimRedPacketMutation = {
  readonly claimRedPacket: {
    readonly status: ClaimStatus;
    readonly creditPending: boolean;
    readonly claim: {
      readonly amount: number;
      readonly claimedAt: string;
      readonly isBest: boolean;
      readonly user: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
    } | null;
    readonly redPacket: {
      readonly id: string;
      readonly kind: RedPacketKind;
      readonly state: RedPacketState;
      readonly greeting: string;
      readonly total: number;
      readonly count: number;
      readonly claimedCount: number;
      readonly claimedTotal: number;
      readonly createdAt: string;
      readonly expiresAt: string;
      readonly refundedTotal: number;
      readonly sender: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      };
      readonly recipient: {
        readonly id: string;
        readonly username: string;
        readonly displayName: string;
      } | null;
    };
  };
};

export type CreditWalletMutationVariables = Exact<{
  input: CreditWalletInput;
}>;

export type CreditWalletMutation = {
  readonly creditWallet: {
    readonly isDuplicate: boolean;
    readonly balance: number;
    readonly entry: {
      readonly id: string;
      readonly kind: WalletEntryKind;
      readonly amount: number;
      readonly createdAt: string;
      readonly redPacket: {
        readonly id: string;
        readonly conversation: { readonly id: string };
      } | null;
    };
  };
};

const fragments = {
  UserParts: `fragment UserParts on User {
  id
  username
  displayName
}`,
  SessionParts: `fragment SessionParts on Session {
  id
  deviceId
  deviceName
  platform
  createdAt
  lastSeenAt
  isCurrent
  isOnline
}`,
  MessageParts: `fragment MessageParts on Message {
  id
  conversation {
    id
  }
  seq
  sender {
    ...UserParts
  }
  clientMessageId
  content {
    ...ContentParts
  }
  createdAt
  editedAt
  recalledAt
  changeSeq
  replyToSeq
}`,
  ContentParts: `fragment ContentParts on MessageContent {
  __typename
  ... on TextContent {
    text
  }
  ... on CustomContent {
    type
    data
  }
  ... on RedPacketContent {
    redPacket {
      ...RedPacketParts
    }
  }
  ... on SystemContent {
    event
    actor {
      ...UserParts
    }
    users {
      ...UserParts
    }
    title
    role
  }
  ... on RecalledContent {
    recalledBy {
      ...UserParts
    }
  }
}`,
  RedPacketParts: `fragment RedPacketParts on RedPacket {
  id
  sender {
    ...UserParts
  }
  recipient {
    ...UserParts
  }
  kind
  state
  greeting
  total
  count
  claimedCount
  claimedTotal
  createdAt
  expiresAt
  refundedTotal
}`,
  RedPacketClaimParts: `fragment RedPacketClaimParts on RedPacketClaim {
  user {
    ...UserParts
  }
  amount
  claimedAt
  isBest
}`,
  WalletEntryParts: `fragment WalletEntryParts on WalletEntry {
  id
  kind
  amount
  createdAt
  redPacket {
    id
    conversation {
      id
    }
  }
}`,
  MemberParts: `fragment MemberParts on Member {
  user {
    ...UserParts
  }
  role
  joinedAt
  joinedSeq
  readSeq
}`,
  ConversationParts: `fragment ConversationParts on Conversation {
  id
  kind
  title
  createdAt
  lastSeq
  changeSeq
  memberCount
}`,
  ConversationListParts: `fragment ConversationListParts on Conversation {
  ...ConversationParts
  lastMessage {
    ...MessageParts
  }
  me {
    ...MemberParts
    unreadCount
  }
}`,
  AuthParts: `fragment AuthParts on AuthPayload {
  accessToken
  accessTokenExpiresAt
  refreshToken
  viewer {
    user {
      ...UserParts
    }
    session {
      ...SessionParts
    }
  }
  displacedSessions {
    ...SessionParts
  }
}`,
  InboxEventParts: `fragment InboxEventParts on InboxEvent {
  __typename
  cursor
  at
  ... on MessageAdded {
    message {
      ...MessageParts
    }
  }
  ... on MessageChanged {
    changeSeq
    message {
      ...MessageParts
    }
  }
  ... on ReadAdvanced {
    conversation {
      id
    }
    user {
      id
    }
    readSeq
  }
  ... on ConversationChanged {
    conversation {
      ...ConversationParts
    }
  }
  ... on ConversationRemoved {
    conversationId
  }
  ... on WalletChanged {
    entry {
      ...WalletEntryParts
    }
    balance
  }
  ... on ConversationAdvanced {
    conversation {
      id
    }
    lastSeq
    changeSeq
  }
}`,
  PageInfoParts: `fragment PageInfoParts on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`,
} as const;
type FragmentName = keyof typeof fragments;
function document<R, V>(operation: string, ...spread: FragmentName[]): TypedDocumentNode<R, V> {
  const texts = [operation, ...spread.map((name) => fragments[name])];
  return parse(texts.join('\n'), { noLocation: true });
}
export const RegisterDocument = document<RegisterMutation, RegisterMutationVariables>(
  `mutation Register($input: RegisterInput!) {
  register(input: $input) {
    ...AuthParts
  }
}`,
  'UserParts',
  'SessionParts',
  'AuthParts',
);
export const LoginDocument = document<LoginMutation, LoginMutationVariables>(
  `mutation Login($input: LoginInput!) {
  login(input: $input) {
    ...AuthParts
  }
}`,
  'UserParts',
  'SessionParts',
  'AuthParts',
);
export const RefreshSessionDocument = document<
  RefreshSessionMutation,
  RefreshSessionMutationVariables
>(
  `mutation RefreshSession($refreshToken: String!) {
  refreshSession(refreshToken: $refreshToken) {
    ...AuthParts
  }
}`,
  'UserParts',
  'SessionParts',
  'AuthParts',
);
export const LogoutDocument = document<
  LogoutMutation,
  LogoutMutationVariables
>(`mutation Logout($sessionId: ID) {
  logout(sessionId: $sessionId) {
    session {
      id
    }
  }
}`);
export const UpdateProfileDocument = document<
  UpdateProfileMutation,
  UpdateProfileMutationVariables
>(
  `mutation UpdateProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    user {
      ...UserParts
    }
  }
}`,
  'UserParts',
);
export const FindUserDocument = document<FindUserQuery, FindUserQueryVariables>(
  `query FindUser($username: String!) {
  user(username: $username) {
    ...UserParts
  }
}`,
  'UserParts',
);
export const GateDocument = document<
  GateQuery,
  GateQueryVariables
>(`query Gate($input: GateInput! = {}) {
  gate(input: $input) {
    url
    httpUrl
    gateId
    expiresAt
    alternates
  }
}`);
export const ColdStartDocument = document<ColdStartQuery, ColdStartQueryVariables>(
  `query ColdStart($first: Int! = 50) {
  viewer {
    user {
      ...UserParts
    }
    session {
      ...SessionParts
    }
    sessions {
      ...SessionParts
    }
    unreadCount
    inbox(first: 0) {
      endCursor
    }
    conversations(first: $first) {
      edges {
        cursor
        node {
          ...ConversationListParts
        }
      }
      pageInfo {
        ...PageInfoParts
      }
    }
  }
}`,
  'UserParts',
  'SessionParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'MemberParts',
  'ConversationParts',
  'ConversationListParts',
  'PageInfoParts',
);
export const ConversationListDocument = document<
  ConversationListQuery,
  ConversationListQueryVariables
>(
  `query ConversationList($first: Int! = 50, $after: String) {
  viewer {
    unreadCount
    conversations(first: $first, after: $after) {
      edges {
        cursor
        node {
          ...ConversationListParts
        }
      }
      pageInfo {
        ...PageInfoParts
      }
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'MemberParts',
  'ConversationParts',
  'ConversationListParts',
  'PageInfoParts',
);
export const ConversationDocument = document<ConversationQuery, ConversationQueryVariables>(
  `query Conversation($id: ID!) {
  conversation(id: $id) {
    ...ConversationListParts
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'MemberParts',
  'ConversationParts',
  'ConversationListParts',
);
export const MembersDocument = document<MembersQuery, MembersQueryVariables>(
  `query Members($conversationId: ID!, $first: Int! = 50, $after: String) {
  conversation(id: $conversationId) {
    id
    members(first: $first, after: $after) {
      edges {
        cursor
        node {
          ...MemberParts
        }
      }
      pageInfo {
        ...PageInfoParts
      }
    }
  }
}`,
  'UserParts',
  'MemberParts',
  'PageInfoParts',
);
export const OpenDirectDocument = document<OpenDirectMutation, OpenDirectMutationVariables>(
  `mutation OpenDirect($userId: ID!) {
  openDirect(userId: $userId) {
    conversation {
      ...ConversationListParts
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'MemberParts',
  'ConversationParts',
  'ConversationListParts',
);
export const CreateGroupDocument = document<CreateGroupMutation, CreateGroupMutationVariables>(
  `mutation CreateGroup($input: CreateGroupInput!) {
  createGroup(input: $input) {
    conversation {
      ...ConversationListParts
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'MemberParts',
  'ConversationParts',
  'ConversationListParts',
);
export const UpdateGroupDocument = document<UpdateGroupMutation, UpdateGroupMutationVariables>(
  `mutation UpdateGroup($input: UpdateGroupInput!) {
  updateGroup(input: $input) {
    conversation {
      ...ConversationParts
    }
  }
}`,
  'ConversationParts',
);
export const AddMembersDocument = document<AddMembersMutation, AddMembersMutationVariables>(
  `mutation AddMembers($input: AddMembersInput!) {
  addMembers(input: $input) {
    conversation {
      ...ConversationParts
    }
  }
}`,
  'ConversationParts',
);
export const RemoveMemberDocument = document<RemoveMemberMutation, RemoveMemberMutationVariables>(
  `mutation RemoveMember($input: RemoveMemberInput!) {
  removeMember(input: $input) {
    conversation {
      ...ConversationParts
    }
  }
}`,
  'ConversationParts',
);
export const LeaveGroupDocument = document<
  LeaveGroupMutation,
  LeaveGroupMutationVariables
>(`mutation LeaveGroup($conversationId: ID!) {
  leaveGroup(conversationId: $conversationId) {
    conversationId
  }
}`);
export const SetMemberRoleDocument = document<
  SetMemberRoleMutation,
  SetMemberRoleMutationVariables
>(
  `mutation SetMemberRole($input: SetMemberRoleInput!) {
  setMemberRole(input: $input) {
    member {
      ...MemberParts
    }
  }
}`,
  'UserParts',
  'MemberParts',
);
export const InboxDocument = document<InboxSubscription, InboxSubscriptionVariables>(
  `subscription Inbox($after: InboxCursor) {
  inbox(after: $after) {
    __typename
    cursor
    at
    ...InboxEventParts
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'WalletEntryParts',
  'ConversationParts',
  'InboxEventParts',
);
export const InboxPageDocument = document<InboxPageQuery, InboxPageQueryVariables>(
  `query InboxPage($after: InboxCursor, $first: Int! = 200) {
  viewer {
    inbox(after: $after, first: $first) {
      events {
        __typename
        cursor
        at
        ...InboxEventParts
      }
      endCursor
      hasMore
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'WalletEntryParts',
  'ConversationParts',
  'InboxEventParts',
);
export const ConversationEventsDocument = document<
  ConversationEventsSubscription,
  ConversationEventsSubscriptionVariables
>(
  `subscription ConversationEvents($id: ID!, $afterSeq: Int, $afterChangeSeq: Int) {
  conversation(id: $id, afterSeq: $afterSeq, afterChangeSeq: $afterChangeSeq) {
    __typename
    ... on ConversationMessageAdded {
      message {
        ...MessageParts
      }
    }
    ... on ConversationMessageChanged {
      changeSeq
      message {
        ...MessageParts
      }
    }
    ... on ConversationCaughtUp {
      lastSeq
      changeSeq
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
);
export const TypingDocument = document<TypingSubscription, TypingSubscriptionVariables>(
  `subscription Typing($conversationId: ID!) {
  typing(conversationId: $conversationId) {
    user {
      ...UserParts
    }
    isTyping
  }
}`,
  'UserParts',
);
export const PresenceDocument = document<PresenceSubscription, PresenceSubscriptionVariables>(
  `subscription Presence($userIds: [ID!]!) {
  presence(userIds: $userIds) {
    user {
      ...UserParts
    }
    isOnline
    lastSeenAt
  }
}`,
  'UserParts',
);
export const HistoryDocument = document<HistoryQuery, HistoryQueryVariables>(
  `query History($conversationId: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  conversation(id: $conversationId) {
    id
    messages(first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          ...MessageParts
          readCount
        }
      }
      pageInfo {
        ...PageInfoParts
      }
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
  'PageInfoParts',
);
export const MessageDocument = document<MessageQuery, MessageQueryVariables>(
  `query Message($conversationId: ID!, $seq: Int!) {
  conversation(id: $conversationId) {
    id
    message(seq: $seq) {
      ...MessageParts
      readCount
      replyTo {
        ...MessageParts
      }
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
);
export const MessageChangesDocument = document<MessageChangesQuery, MessageChangesQueryVariables>(
  `query MessageChanges($conversationId: ID!, $after: Int!, $first: Int! = 50) {
  conversation(id: $conversationId) {
    id
    messageChanges(after: $after, first: $first) {
      messages {
        ...MessageParts
      }
      endChangeSeq
      hasMore
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
);
export const SendMessageDocument = document<SendMessageMutation, SendMessageMutationVariables>(
  `mutation SendMessage($input: SendMessageInput!) {
  sendMessage(input: $input) {
    isDuplicate
    message {
      ...MessageParts
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
);
export const EditMessageDocument = document<EditMessageMutation, EditMessageMutationVariables>(
  `mutation EditMessage($input: EditMessageInput!) {
  editMessage(input: $input) {
    message {
      ...MessageParts
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
);
export const RecallMessageDocument = document<
  RecallMessageMutation,
  RecallMessageMutationVariables
>(
  `mutation RecallMessage($input: RecallMessageInput!) {
  recallMessage(input: $input) {
    message {
      ...MessageParts
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
);
export const MarkReadDocument = document<MarkReadMutation, MarkReadMutationVariables>(
  `mutation MarkRead($input: MarkReadInput!) {
  markRead(input: $input) {
    member {
      ...MemberParts
      unreadCount
    }
  }
}`,
  'UserParts',
  'MemberParts',
);
export const SetTypingDocument = document<
  SetTypingMutation,
  SetTypingMutationVariables
>(`mutation SetTyping($conversationId: ID!, $isTyping: Boolean!) {
  setTyping(conversationId: $conversationId, isTyping: $isTyping) {
    conversationId
  }
}`);
export const WalletDocument = document<WalletQuery, WalletQueryVariables>(
  `query Wallet($first: Int! = 50, $after: String) {
  viewer {
    wallet {
      balance
      entries(first: $first, after: $after) {
        edges {
          cursor
          node {
            ...WalletEntryParts
          }
        }
        pageInfo {
          ...PageInfoParts
        }
      }
    }
  }
}`,
  'WalletEntryParts',
  'PageInfoParts',
);
export const RedPacketDocument = document<RedPacketQuery, RedPacketQueryVariables>(
  `query RedPacket($id: ID!) {
  redPacket(id: $id) {
    ...RedPacketParts
    conversation {
      id
    }
    claims {
      ...RedPacketClaimParts
    }
    myClaim {
      ...RedPacketClaimParts
    }
  }
}`,
  'UserParts',
  'RedPacketParts',
  'RedPacketClaimParts',
);
export const SendRedPacketDocument = document<
  SendRedPacketMutation,
  SendRedPacketMutationVariables
>(
  `mutation SendRedPacket($input: SendRedPacketInput!) {
  sendRedPacket(input: $input) {
    isDuplicate
    message {
      ...MessageParts
    }
    redPacket {
      ...RedPacketParts
    }
  }
}`,
  'UserParts',
  'MessageParts',
  'ContentParts',
  'RedPacketParts',
);
export const ClaimRedPacketDocument = document<
  ClaimRedPacketMutation,
  ClaimRedPacketMutationVariables
>(
  `mutation ClaimRedPacket($redPacketId: ID!) {
  claimRedPacket(redPacketId: $redPacketId) {
    status
    claim {
      ...RedPacketClaimParts
    }
    creditPending
    redPacket {
      ...RedPacketParts
    }
  }
}`,
  'UserParts',
  'RedPacketParts',
  'RedPacketClaimParts',
);
export const CreditWalletDocument = document<CreditWalletMutation, CreditWalletMutationVariables>(
  `mutation CreditWallet($input: CreditWalletInput!) {
  creditWallet(input: $input) {
    isDuplicate
    entry {
      ...WalletEntryParts
    }
    balance
  }
}`,
  'WalletEntryParts',
);
