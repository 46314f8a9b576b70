import { VoidRun } from '../runner/void.ts';
import { textOf } from '../servers/people.ts';
import type { Deliveries, Told } from './deliveries.ts';
import type { Done } from './done.ts';
import type { LoadSocket, Waiting } from './socket.ts';

/** How a contender is asked to send, and what its answer says. */
export interface SendApi<Answer> {
  payload(conversationId: string, clientMessageId: string, text: string): string;
  acknowledged(answer: Answer): Told & { readonly clientMessageId: string };
}

/** Where the id of a message comes in what is prepared once for all messages of a sender. */
const hole = '@@@@@@@@@@@@@@';
const idOf = (n: number): string => `client_${String(n).padStart(hole.length - 7, '0')}`;

/** One who sends into a group of their own, where one other member is connected and checks. */
export class Sender<Answer = never> {
  readonly conversationId: string;
  readonly socket: LoadSocket;
  readonly #deliveries: Deliveries;
  readonly #api: SendApi<Answer>;
  readonly #payload: (id: string) => string;
  readonly #text: (id: string) => string;
  #sent = 0;

  constructor(
    api: SendApi<Answer>,
    conversationId: string,
    deps: { readonly socket: LoadSocket; readonly deliveries: Deliveries; readonly chars: number },
  ) {
    this.conversationId = conversationId;
    this.socket = deps.socket;
    this.#deliveries = deps.deliveries;
    this.#api = api;
    const text = textOf(`${conversationId} ${hole}`, deps.chars);
    this.#text = filled(text);
    this.#payload = filled(api.payload(conversationId, hole, text));
  }

  /** Sends the next message, whose text is of its own, and checks its acknowledgement. */
  send(done: Done): void {
    const id = idOf((this.#sent += 1));
    this.socket.ask(this.#payload(id), new Sending(this, id, done));
  }

  /** @throws {VoidRun} where the answer tells another message than the one that was sent. */
  acknowledged(id: string, answer: Answer): void {
    const message = this.#api.acknowledged(answer);
    if (
      message.clientMessageId !== id ||
      message.conversationId !== this.conversationId ||
      message.text !== this.#text(id)
    ) {
      throw new VoidRun(`${id} of ${this.conversationId} was acknowledged as another message`);
    }
    this.#deliveries.acknowledged(message);
  }
}

/** One message under way. An object of a class, since closures cost more under tsx, which names each one made. */
class Sending<Answer> implements Waiting<Answer> {
  readonly #sender: Sender<Answer>;
  readonly #id: string;
  readonly #done: Done;

  constructor(sender: Sender<Answer>, id: string, done: Done) {
    this.#sender = sender;
    this.#id = id;
    this.#done = done;
  }

  answered(answer: Answer): void {
    this.#sender.acknowledged(this.#id, answer);
    this.#done();
  }

  failed(error: Error): void {
    this.#done(error);
  }
}

/** Puts an id into the holes of a text. */
function filled(text: string): (id: string) => string {
  const [head = '', ...others] = text.split(hole);
  return (id) => {
    let all = head;
    for (const other of others) all += id + other;
    return all;
  };
}
