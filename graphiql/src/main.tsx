import 'graphiql/style.css';
import './style.css';
import type { Fetcher } from '@graphiql/toolkit';
import { createRoot } from 'react-dom/client';
import { httpHeaders, identify, post } from './endpoint.ts';
import { Executions } from './executions.ts';
import { Live } from './live.ts';
import { Page } from './page.tsx';
import { SignIn } from './sign-in.ts';
import { windowStorage } from './window-storage.ts';

const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

const signIn = new SignIn({
  storage: sessionStorage,
  now: () => Date.now(),
  refresh: (refreshToken) => {
    const query = `mutation refresh($refreshToken: String!) {
      refreshSession(refreshToken: $refreshToken) { accessToken accessTokenExpiresAt refreshToken }
    }`;
    return post({ query, variables: { refreshToken } }, {});
  },
  whoAmI: async (accessToken) => {
    const answer = await post({ query: '{ viewer { user { username } } }' }, bearer(accessToken));
    return (answer as { data?: { viewer?: { user?: { username?: string } } } | null }).data?.viewer
      ?.user?.username;
  },
});
const executions = new Executions({ live: new Live({ signIn }), signIn });

const introspect: Fetcher = async (request, options) => {
  const identity = await identify(options?.headers ?? {}, signIn);
  return (await post(request, httpHeaders(identity))) as Awaited<ReturnType<Fetcher>> & object;
};

/** The session ends on the server as well: its subscriptions are seen to close. */
async function signOut(): Promise<void> {
  const current = signIn.current();
  signIn.forget();
  if (!current) return;
  const query = 'mutation { logout { session { id } } }';
  await post({ query }, bearer(current.accessToken)).catch(() => undefined);
}

const root = document.getElementById('page');
if (root) {
  createRoot(root).render(
    <Page
      executions={executions}
      signIn={signIn}
      signOut={() => void signOut()}
      storage={windowStorage()}
      introspect={introspect}
    />,
  );
}
