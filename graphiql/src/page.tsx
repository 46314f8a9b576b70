import { DOC_EXPLORER_PLUGIN, DocExplorerContextProvider } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryContextProvider } from '@graphiql/plugin-history';
import {
  EditorContextProvider,
  PluginContextProvider,
  SchemaContextProvider,
  StorageContextProvider,
} from '@graphiql/react';
import type { Fetcher, Storage as PageStorage } from '@graphiql/toolkit';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { useSyncExternalStore, type ReactNode } from 'react';
import { exampleTabs } from './examples.ts';
import { ExecutionProvider } from './execution-provider.tsx';
import type { Executions } from './executions.ts';
import type { SignIn } from './sign-in.ts';

const plugins = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN];
const tabs = [...exampleTabs];

/** GraphiQL's parts, with an execution context of our own in the place of its own. */
export function Page(props: {
  executions: Executions;
  signIn: SignIn;
  signOut: () => void;
  storage: PageStorage;
  introspect: Fetcher;
}): ReactNode {
  return (
    <StorageContextProvider storage={props.storage}>
      <EditorContextProvider defaultTabs={tabs} defaultQuery="" shouldPersistHeaders>
        <SchemaContextProvider fetcher={props.introspect} inputValueDeprecation schemaDescription>
          <ExecutionProvider executions={props.executions}>
            <PluginContextProvider plugins={plugins} referencePlugin={DOC_EXPLORER_PLUGIN}>
              <HistoryContextProvider>
                <DocExplorerContextProvider>
                  <GraphiQLInterface
                    defaultEditorToolsVisibility
                    showPersistHeadersSettings={false}
                  >
                    <GraphiQL.Logo>
                      <Notice signIn={props.signIn} signOut={props.signOut} />
                    </GraphiQL.Logo>
                  </GraphiQLInterface>
                </DocExplorerContextProvider>
              </HistoryContextProvider>
            </PluginContextProvider>
          </ExecutionProvider>
        </SchemaContextProvider>
      </EditorContextProvider>
    </StorageContextProvider>
  );
}

function Notice({ signIn, signOut }: { signIn: SignIn; signOut: () => void }): ReactNode {
  const current = useSyncExternalStore(signIn.subscribe, signIn.current);
  return (
    <span className="fastim-notice">
      {current && (
        <span className="fastim-signed-in" role="status">
          signed in as <b>{current.username ?? '…'}</b>
          <button type="button" onClick={signOut}>
            sign out
          </button>
        </span>
      )}
      <span className="fastim-name">FastIM</span>
    </span>
  );
}
