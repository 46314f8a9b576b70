import { Agent, request } from 'node:http';
import { VoidRun } from '../runner/void.ts';
import { Refusal } from './socket.ts';

/** Keeps its connections open, as browsers and SDKs do. */
export class LoadHttp {
  readonly #agent: Agent;
  readonly #url: string;

  constructor(serverUrl: string, connections: number) {
    this.#url = `${serverUrl}/graphql`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /**
   * @param payload the body, as `operation` makes it.
   * @throws {Refusal}
   */
  request<Data>(payload: string, accessToken: string): Promise<Data> {
    return new Promise<Data>((resolve, reject) => {
      const call = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
            accept: 'application/json',
            authorization: `Bearer ${accessToken}`,
          },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(parts).toString('utf8');
            if (response.statusCode !== 200) {
              reject(new VoidRun(`HTTP ${response.statusCode ?? 0}: ${text.slice(0, 200)}`));
              return;
            }
            const answer = JSON.parse(text) as { data: Data; errors?: [] };
            if (answer.errors) reject(new Refusal(answer.errors));
            else resolve(answer.data);
          });
        },
      );
      call.on('error', reject);
      call.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
