import { print, type FormattedExecutionResult } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { TestUser } from './clients.ts';
import { Recording } from './recording.ts';

/** A subscription as server-sent events, recorded like one over a socket. */
export function subscribeEvents<Data, Variables>(
  user: TestUser,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Recording<Data> {
  return new Recording<Data>((recorder) => {
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      const response = await fetch(`${user.server.url}/graphql`, {
        method: 'POST',
        signal: abort.signal,
        headers: {
          accept: 'text/event-stream',
          'content-type': 'application/json',
          authorization: `Bearer ${user.auth.accessToken}`,
        },
        body: JSON.stringify({ query: print(document), variables }),
      });
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw new Error(`no event stream, but ${response.status}`);
      }
      for await (const { event, data } of eventsOf(response)) {
        if (event === 'complete') {
          recorder.end('complete');
          return;
        }
        const result = JSON.parse(data) as FormattedExecutionResult<Data>;
        if (result.errors) recorder.error(result.errors);
        if (result.data) recorder.event(result.data);
      }
    };
    read().then(
      () => recorder.end('closed'),
      () => recorder.end('closed'),
    );
    return () => abort.abort();
  });
}

async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: string }> {
  let text = '';
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (!chunk || chunk.done) return;
    text += decoder.decode(chunk.value, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const event = /^event: ?(.*)$/m.exec(block)?.[1];
      if (event !== undefined) yield { event, data: /^data: ?(.*)$/m.exec(block)?.[1] ?? '' };
    }
  }
}
