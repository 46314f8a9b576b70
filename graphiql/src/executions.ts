import { httpHeaders, identify, post, type GraphqlRequest, type Headers } from './endpoint.ts';
import type { Live } from './live.ts';
import type { SignIn } from './sign-in.ts';

/** What a tab has run last. */
export interface Execution {
  readonly state: 'waiting' | 'live' | 'done';
  /** What its response pane shows. */
  readonly response: string;
}

/** How many events of a subscription stay on display. */
const shownEvents = 100;

/**
 * The running operations, one per tab: a subscription goes on while other tabs are in front.
 * (GraphiQL's own execution context knows one for the whole page, and ends it at a change of tab.)
 */
export class Executions {
  readonly #byTab = new Map<string, { execution: Execution; stop: () => void }>();
  readonly #listeners = new Set<() => void>();
  readonly #deps: { live: Live; signIn: SignIn };

  constructor(deps: { live: Live; signIn: SignIn }) {
    this.#deps = deps;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  of(tabId: string): Execution | undefined {
    return this.#byTab.get(tabId)?.execution;
  }

  /** Runs a query or mutation; what the tab ran before is stopped. */
  async run(tabId: string, request: GraphqlRequest, pane: Headers): Promise<void> {
    const stopping = new AbortController();
    const show = this.#begin(tabId, () => {
      stopping.abort();
      show({ state: 'done', response: pretty({ status: 'stopped waiting for the answer' }) });
    });
    const answer = await this.#post(request, pane, stopping.signal);
    if (stopping.signal.aborted) return;
    this.#deps.signIn.learn(answer);
    show({ state: 'done', response: pretty(answer) });
  }

  /** Starts a subscription, whose events pile up in the response pane, the newest on top. */
  async follow(tabId: string, request: GraphqlRequest, pane: Headers): Promise<void> {
    const events: unknown[] = [];
    let received = 0;
    let status = 'connecting';
    const render = (state: Execution['state'], more: Record<string, unknown> = {}): void =>
      show({ state, response: pretty({ status, received, ...more, events }) });
    let unsubscribe = (): void => undefined;
    const stopping = new AbortController();
    const show = this.#begin(tabId, () => {
      stopping.abort();
      status = 'stopped';
      render('done');
      unsubscribe();
    });
    const identity = await identify(pane, this.#deps.signIn);
    if (stopping.signal.aborted) return;
    unsubscribe = this.#deps.live.subscribe(request, identity, {
      status: (text) => {
        if (text === status && text === 'live') return;
        status = text;
        render('live');
      },
      event: (result) => {
        received += 1;
        events.unshift(result);
        events.length = Math.min(events.length, shownEvents);
        render('live');
      },
      ended: (text, errors) => {
        status = text;
        render('done', errors ? { errors } : {});
      },
    });
  }

  /** Shows a text in place of an answer, such as a mistake found before sending. */
  refuse(tabId: string, message: string): void {
    this.#begin(tabId, () => undefined)({ state: 'done', response: message });
  }

  stop(tabId: string): void {
    const running = this.#byTab.get(tabId);
    if (running && running.execution.state !== 'done') running.stop();
  }

  /** Ends and forgets what belongs to tabs that are no more. */
  keepOnly(tabIds: ReadonlySet<string>): void {
    for (const tabId of this.#byTab.keys()) {
      if (tabIds.has(tabId)) continue;
      this.stop(tabId);
      this.#byTab.delete(tabId);
    }
  }

  async #post(request: GraphqlRequest, pane: Headers, signal: AbortSignal): Promise<unknown> {
    try {
      const identity = await identify(pane, this.#deps.signIn);
      return await post(request, httpHeaders(identity), signal);
    } catch (error) {
      return { errors: [{ message: error instanceof Error ? error.message : String(error) }] };
    }
  }

  #begin(tabId: string, stop: () => void): (next: Execution) => void {
    this.stop(tabId);
    const running = { execution: { state: 'waiting', response: '' } as Execution, stop };
    this.#byTab.set(tabId, running);
    this.#tell();
    return (next) => {
      running.execution = next;
      if (this.#byTab.get(tabId) === running) this.#tell();
    };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
