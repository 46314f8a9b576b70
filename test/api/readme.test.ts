import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CreateGroupDocument } from '../../client/generated/documents.ts';
import { signUp } from '../support/clients.ts';
import { freePort } from '../support/process.ts';
import { startTestServer } from '../support/server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fastim-readme-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The blocks of a language under a heading. */
async function blocks(heading: string, language: string): Promise<string[]> {
  const text = await readFile(path.join(root, 'README.md'), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const fences = section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...fences].map(([, block = '']) => block);
}

/** Runs a command to its end in a process group of its own, of which nothing is left afterwards. */
async function run(
  command: string,
  args: readonly string[],
  {
    cwd,
    env,
    until,
  }: { cwd: string; env: Record<string, string>; until?: (output: string) => boolean },
) {
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const pid = child.pid!;
  const end = (): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // All of it is gone already.
    }
  };
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (until?.(output)) end();
    });
  }
  const timer = setTimeout(end, 150_000);
  const closed = once(child, 'close');
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  end();
  await closed;
  return { code, output };
}

describe('the README', { timeout: 170_000 }, () => {
  test('its tour, word for word: two people talk, over a crash of the server', async () => {
    // The same program as dist/main.js, as the sources are now.
    await mkdir(path.join(folder, 'dist'));
    await writeFile(
      path.join(folder, 'dist', 'main.js'),
      `import { register } from '${import.meta.resolve('tsx/esm/api')}';\nregister();\n` +
        `await import('${new URL('../../src/main.ts', import.meta.url).href}');\n`,
    );
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    const port = String(await freePort());
    const env = { PORT: port, TMPDIR: folder, HOME: folder };
    const { code, output } = await run('bash', ['-c', (await blocks('A tour', 'sh')).join('')], {
      cwd: folder,
      env,
    });

    // Ann's stream and Bob's answers may share a line: they write at the same time.
    const answers = output
      .split(/(?=\{"data":)/)
      .flatMap((text) => /^\{"data":.*\}/.exec(text)?.[0] ?? []);
    const told = answers.map((line) => (JSON.parse(line) as { data?: Answer }).data ?? {});
    const sent = told.flatMap(({ sendMessage }) => sendMessage ?? []);
    const events = told.flatMap(({ inbox }) => inbox ?? []);
    expect(sent, output).toEqual([
      { isDuplicate: false, message: { seq: 1 } },
      { isDuplicate: false, message: { seq: 2 } },
      { isDuplicate: true, message: { seq: 1 } },
      { isDuplicate: false, message: { seq: 3 } },
    ]);
    expect(events.map(({ __typename, message }) => message?.content.text ?? __typename)).toEqual([
      'InboxHeartbeat',
      'ConversationChanged',
      'Hello, Ann!',
      'Hello, Bob!',
      'Are you still there?',
      'InboxHeartbeat',
    ]);
    expect(code).toBe(0);
  });

  test.each(['@apollo/client', '@urql/core'])(
    'its clients, word for word but for token and port: %s hears what happens, over a restart',
    async (library) => {
      await using server = await startTestServer();
      await using ann = await signUp(server, 'ann');
      const app = (await blocks('In an app', 'ts')).find((block) => block.includes(library)) ?? '';
      const place = path.join(folder, path.basename(library));
      await mkdir(place);
      await symlink(path.join(root, 'node_modules'), path.join(place, 'node_modules'));
      await writeFile(path.join(place, 'package.json'), '{"type":"module"}');
      // As browsers have it, and newer Nodes.
      const browser =
        "import { WebSocket } from 'ws';\nObject.assign(globalThis, { WebSocket });\n";
      await writeFile(path.join(place, 'browser.ts'), browser);
      const text = app
        .replace(`'…'`, JSON.stringify(ann.auth.accessToken))
        .replaceAll('127.0.0.1:4000', new URL(server.url).host);
      await writeFile(path.join(place, 'app.ts'), `import './browser.ts';\n${text}`);
      await copyFile(path.join(root, 'client', 'live.ts'), path.join(place, 'live.ts'));
      const changesIn = (told: string): number => told.split('ConversationChanged').length - 1;
      const beginGroup = () =>
        ann.query(CreateGroupDocument, {
          input: { clientRequestId: 'group', title: 'Group', memberIds: [] },
        });
      let isSent = false;
      let isRestarted = false;
      const { output } = await run(
        process.execPath,
        ['--import', import.meta.resolve('tsx'), 'app.ts'],
        {
          cwd: place,
          env: { HOME: folder },
          until: (told) => {
            if (told.includes('InboxHeartbeat') && !isSent) {
              isSent = true;
              void ann.directWith(ann);
            }
            if (changesIn(told) === 1 && !isRestarted) {
              isRestarted = true;
              // Before the client dials again.
              void server.restart().then(beginGroup);
            }
            return changesIn(told) === 2;
          },
        },
      );
      expect(changesIn(output), output).toBe(2);
    },
  );

  test('its first command gives a server, and says where it is', async () => {
    const port = String(await freePort());
    const data = path.join(folder, 'started');
    const env = {
      PORT: port,
      DATA_DIR: data,
      DATABASE_URLS: '',
      HOME: folder,
      PUBLIC_URL: '',
      HOST: '',
    };
    const address = `http://127.0.0.1:${port}/graphql`;
    const { output } = await run('npm', ['start'], {
      cwd: root,
      env,
      until: (text) => text.includes(`for GraphiQL: ${address}`),
    });
    expect(output).toContain(`FastIM serves GraphQL on ${address}`);
  });
});

interface Answer {
  readonly sendMessage?: {
    readonly isDuplicate: boolean;
    readonly message: { readonly seq: number };
  };
  readonly inbox?: {
    readonly __typename: string;
    readonly message?: { readonly content: { readonly text: string } };
  };
}
