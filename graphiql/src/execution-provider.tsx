import {
  ExecutionContext,
  useAutoCompleteLeafs,
  useEditorContext,
  type ExecutionContextType,
} from '@graphiql/react';
import {
  Kind,
  OperationTypeNode,
  parse,
  type DefinitionNode,
  type OperationDefinitionNode,
} from 'graphql';
import {
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
  type MouseEvent,
  type ReactNode,
} from 'react';
import type { GraphqlRequest } from './endpoint.ts';
import type { Executions } from './executions.ts';

/** Stands in for GraphiQL's execution context, so that each tab runs by itself. */
export function ExecutionProvider(props: {
  executions: Executions;
  children: ReactNode;
}): ReactNode {
  const { executions } = props;
  const editor = useEditorContext({ nonNull: true });
  const { tabs, activeTabIndex, queryEditor, responseEditor } = editor;
  const fillLeafs = useAutoCompleteLeafs();
  const tabId = tabs[activeTabIndex]?.id ?? '';
  const execution = useSyncExternalStore(executions.subscribe, () => executions.of(tabId));
  const leaving = useRef(false);
  useLiveMarks(executions, tabs);

  const response = execution?.response;
  useEffect(() => {
    if (response === undefined || !responseEditor) return;
    responseEditor.setValue(response);
    editor.updateActiveTabValues({ response });
    // The editor's functions change at every key stroke, what this tab shows does not.
  }, [response, tabId, responseEditor]);

  const run = (): void => {
    if (!queryEditor) return;
    if (execution?.state === 'live' || execution?.state === 'waiting') {
      executions.stop(tabId);
      return;
    }
    try {
      const query = fillLeafs() || queryEditor.getValue();
      const operation = chosenOperation(query, queryEditor.operationName);
      const request: GraphqlRequest = {
        query,
        operationName: operation?.name?.value,
        variables: parseObject('Variables', editor.variableEditor?.getValue()),
      };
      const headers = parseObject('Headers', editor.headerEditor?.getValue()) ?? {};
      const pane = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      );
      const isSubscription = operation?.operation === OperationTypeNode.SUBSCRIPTION;
      if (isSubscription) void executions.follow(tabId, request, pane);
      else void executions.run(tabId, request, pane);
    } catch (error) {
      executions.refuse(tabId, error instanceof Error ? error.message : String(error));
    }
  };

  const context: ExecutionContextType = {
    isFetching: execution?.state === 'waiting',
    isSubscribed: execution?.state === 'live',
    operationName: null,
    run,
    stop: () => {
      if (!leaving.current) executions.stop(tabId);
    },
  };

  // GraphiQL's tabs stop what runs before they change to another; a closed tab is seen below.
  const onClickCapture = (event: MouseEvent): void => {
    if (!(event.target instanceof Element) || !event.target.closest('.graphiql-tab')) return;
    leaving.current = true;
    setTimeout(() => (leaving.current = false));
  };

  return (
    <ExecutionContext.Provider value={context}>
      <div className="fastim-executions" onClickCapture={onClickCapture}>
        {props.children}
      </div>
    </ExecutionContext.Provider>
  );
}

/** Marks the tabs whose subscription is live, and ends what belongs to closed ones. */
function useLiveMarks(executions: Executions, tabs: readonly { id: string }[]): void {
  const liveTabs = useSyncExternalStore(executions.subscribe, () =>
    tabs.map(({ id }) => (executions.of(id)?.state === 'live' ? '1' : '0')).join(''),
  );
  const ids = useMemo(() => tabs.map(({ id }) => id).join(' '), [tabs]);
  useEffect(() => executions.keepOnly(new Set(ids.split(' '))), [executions, ids]);
  useEffect(() => {
    // GraphiQL gives no say in how a tab looks; the attribute is none of those that it sets.
    tabs.forEach((_tab, index) => {
      const element = document.getElementById(`graphiql-session-tab-${index}`);
      element?.toggleAttribute('data-live', liveTabs[index] === '1');
    });
  });
}

/**
 * The document's one operation, or the one of that name; undefined where the text does not parse,
 * which is the server's to tell. The editor's name may lag behind: it is that of the tab before.
 */
function chosenOperation(
  query: string,
  name: string | null | undefined,
): OperationDefinitionNode | undefined {
  let definitions: readonly DefinitionNode[];
  try {
    definitions = parse(query).definitions;
  } catch {
    return undefined;
  }
  const operations = definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const [first] = operations;
  if (operations.length < 2) return first;
  const chosen = operations.find((operation) => operation.name?.value === name);
  if (chosen) return chosen;
  const names = operations.map((operation) => operation.name?.value ?? '(unnamed)');
  throw new Error(`Choose what to run: ${names.join(', ')}.`);
}

function parseObject(name: string, text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} are invalid JSON: ${String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${name} are not a JSON object.`);
  }
  return value as Record<string, unknown>;
}
