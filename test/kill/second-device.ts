import { LogoutDocument, RefreshSessionDocument } from '../../client/generated/documents.ts';
import { ask, post, signIn, TestFault, type Reachable, type TestUser } from '../support/clients.ts';
import type { SessionEnded } from '../support/history.ts';
import { InboxClient } from './inbox-client.ts';
import { pause, type Random } from './random.ts';

/** A session that was ended, until it is known to be let in nowhere any more. */
interface Over {
  readonly user: TestUser;
  readonly device: InboxClient;
  readonly overAtMs: number;
}

export interface SecondDeviceDeps {
  readonly random: Random;
  /** Where it signs in; perhaps another node each time. */
  readonly server: Reachable;
  /** Every node. */
  readonly nodes: () => readonly Reachable[];
}

const viewerText = '{ viewer { user { id } } }';

/**
 * The other device of a client: it signs in, opens the inbox, and after a while its session is ended: from the first device,
 * or by the next sign-in on this one.
 */
export class SecondDevice {
  /** What was let in after its end, by a call that asks the shard itself. */
  readonly intrusions: string[] = [];
  readonly #first: InboxClient;
  readonly #deps: SecondDeviceDeps;
  readonly #ended: SessionEnded[] = [];
  readonly #overs = new Set<Over>();
  #isPaused = true;
  #running: Promise<void> = Promise.resolve();
  #current: { readonly user: TestUser; readonly device: InboxClient } | null = null;

  constructor(first: InboxClient, deps: SecondDeviceDeps) {
    this.#first = first;
    this.#deps = deps;
  }

  /** The sessions that were ended and are known to be let in nowhere. */
  get ended(): readonly SessionEnded[] {
    return this.#ended;
  }

  start(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#running = this.#run();
  }

  /** Ends with the session there is; a node has to be there. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#isPaused = true;
    const devices = [...this.#overs].map(({ device }) => device);
    if (this.#current) devices.push(this.#current.device);
    await Promise.all(devices.map((device) => device.stop()));
  }

  /** Those of the ended sessions that are let in, now that all is well. */
  async late(): Promise<string[]> {
    const late: string[] = [];
    for (const over of [...this.#overs]) {
      const why = await this.#stillServed(over);
      if (why === null) this.#close(over);
      else late.push(`${nameOf(over.user)}, ended, ${why}`);
    }
    return late;
  }

  async #run(): Promise<void> {
    while (!this.#isPaused) {
      const user = await this.#signedIn();
      if (!user) return;
      // The session before was of the same device.
      if (this.#current) this.#over(this.#current);
      const device = new InboxClient(user, this.#deps.random.fork());
      device.start();
      this.#current = { user, device };
      await this.#live(this.#deps.random.between(500, 4_000));
      if (this.#deps.random.chance(0.5) || this.#isPaused) await this.#logOut(this.#current);
    }
  }

  async #live(ms: number): Promise<void> {
    const endsAtMs = Date.now() + ms;
    while (!this.#isPaused && Date.now() < endsAtMs) await pause(100);
  }

  async #signedIn(): Promise<TestUser | null> {
    const device = { id: 'second', platform: 'WEB' } as const;
    while (!this.#isPaused) {
      const { username } = this.#first.user;
      const user = await signIn(this.#deps.server, username, device).catch(() => null);
      if (user) return user;
      await pause(this.#deps.random.between(50, 300));
    }
    return null;
  }

  async #logOut(current: { readonly user: TestUser; readonly device: InboxClient }): Promise<void> {
    const sessionId = current.user.auth.viewer.session.id;
    for (;;) {
      try {
        await this.#first.user.query(LogoutDocument, { sessionId });
        break;
      } catch (error) {
        // A try before has ended it.
        if (error instanceof TestFault && error.code === 'NOT_FOUND') break;
      }
      await pause(this.#deps.random.between(50, 300));
    }
    this.#over(current);
    this.#current = null;
    await this.#tryToRefresh(current.user);
  }

  #over(current: { readonly user: TestUser; readonly device: InboxClient }): void {
    this.#overs.add({ ...current, overAtMs: Date.now() });
  }

  async #tryToRefresh({ auth, server }: TestUser): Promise<void> {
    try {
      await ask(server, RefreshSessionDocument, { refreshToken: auth.refreshToken });
      this.intrusions.push(`${auth.viewer.session.id} was refreshed after its end`);
    } catch {
      // Refused, or nobody there.
    }
  }

  async #stillServed({ user, device }: Over): Promise<string | null> {
    if (device.end === null) return 'has its inbox open';
    for (const node of this.#deps.nodes()) {
      const { accessToken } = user.auth;
      const { data } = await post<{ viewer: object | null }, object>(
        node,
        viewerText,
        {},
        accessToken,
      );
      if (data?.viewer) return `is let in by ${node.url}`;
    }
    return null;
  }

  #close(over: Over): void {
    this.#overs.delete(over);
    const { user, device, overAtMs } = over;
    let lastHeardAtMs = -Infinity;
    for (const event of device.events) {
      if (event.kind !== 'opened') lastHeardAtMs = Math.max(lastHeardAtMs, event.atMs ?? 0);
    }
    this.#ended.push({ session: nameOf(user), overAtMs, lastHeardAtMs });
    void device.stop();
  }
}

function nameOf({ username, auth }: TestUser): string {
  return `${username}'s session ${auth.viewer.session.id}`;
}
