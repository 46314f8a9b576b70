import { exampleTabs } from './examples.ts';

const prefix = 'graphiql:';
/** What all windows share; tabs and panes, which may hold tokens, are each window's own. */
const shared = new Set(['theme', 'queries', 'favorites'].map((name) => prefix + name));

/** GraphiQL's storage, split so that two windows can be two people. */
export function windowStorage(): {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  clear(): void;
  readonly length: number;
} {
  const of = (key: string): Storage => (shared.has(key) ? localStorage : sessionStorage);
  const own = (storage: Storage): string[] =>
    Object.keys(storage).filter((key) => key.startsWith(prefix));
  const first = exampleTabs[0];
  if (first && sessionStorage.getItem(`${prefix}tabState`) === null) {
    // GraphiQL fills the panes of the first of its default tabs from here, not from the tab.
    const { query, variables, headers } = first;
    for (const [name, value] of Object.entries({ query, variables, headers })) {
      sessionStorage.setItem(prefix + name, value);
    }
  }
  return {
    getItem: (key) => of(key).getItem(key),
    setItem: (key, value) => of(key).setItem(key, value),
    removeItem: (key) => of(key).removeItem(key),
    clear: () => {
      for (const storage of [localStorage, sessionStorage]) {
        for (const key of own(storage)) storage.removeItem(key);
      }
    },
    get length() {
      return own(localStorage).length + own(sessionStorage).length;
    },
  };
}
