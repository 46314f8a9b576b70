import { setTimeout as pause } from 'node:timers/promises';
import { InboxDocument } from '../../client/generated/documents.ts';
import { TestSocket, type TestUser } from './clients.ts';
import { inboxOf, type InboxRecording } from './live.ts';

export interface Hint {
  readonly retryAfterMs: number;
  readonly url?: string;
}

/** A client that goes where a 4604 sends it, and on from its cursor there. */
export class MovingClient {
  readonly hints: Hint[] = [];
  readonly #user: TestUser;
  #url: string;
  readonly #recordings: InboxRecording[] = [];
  #socket: TestSocket | undefined;

  constructor(user: TestUser, url: string) {
    this.#user = user;
    this.#url = url;
  }

  /** The texts that came, in order, over all connections. */
  get texts(): string[] {
    return this.#recordings.flatMap(inboxOf).flatMap((event) => {
      if (event.__typename !== 'MessageAdded') return [];
      const { content } = event.message;
      return content.__typename === 'TextContent' ? [content.text] : [];
    });
  }

  /** Resolves when something came to it, here or where it was sent meanwhile. */
  async come(): Promise<void> {
    const after = this.#recordings.flatMap(inboxOf).at(-1)?.cursor ?? null;
    const socket = new TestSocket({ url: this.#url }, { accessToken: this.#user.auth.accessToken });
    this.#socket = socket;
    await socket.acknowledged;
    const recording = socket.subscribe(InboxDocument, { after });
    this.#recordings.push(recording);
    const isMoved = socket.closed.then(async ({ code, reason }) => {
      if (code !== 4604) return false;
      const hint = JSON.parse(reason) as Hint;
      this.hints.push(hint);
      // Where it is named none it stays away, and the test says so.
      if (hint.url === undefined) return false;
      await pause(hint.retryAfterMs);
      this.#url = hint.url.replace(/^ws/, 'http').replace(/\/graphql$/, '');
      await this.come();
      return true;
    });
    const first: Promise<unknown> = recording.waitFor(1, 30_000);
    await Promise.race([first, isMoved.then((hasCome) => hasCome || first)]);
  }

  /** Where it is, or is about to go. */
  get url(): string {
    return this.#url;
  }

  async leave(): Promise<void> {
    await this.#socket?.close();
  }
}
