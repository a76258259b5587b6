import type { State } from './state.ts';
import { queryOf, stateOf } from './state-query.ts';

/**
 * The state of this page. Each change is an entry of the browser's history, so that back and forward undo and repeat it;
 * several changes of one field in a row, such as typing, are one entry.
 *
 * @param initial - the state of a plain address
 */
export function createStore(initial: State) {
  let state = stateOf(location.search, initial);
  let lastField: string | undefined;
  const listeners = new Set<(state: State, field: string | undefined) => void>();

  const notify = (field: string | undefined) => {
    for (const listener of listeners) listener(state, field);
  };
  const addressOf = (next: State) => {
    const query = queryOf(next, initial);
    return `${location.pathname}${query === '' ? '' : `?${query}`}`;
  };

  addEventListener('popstate', () => {
    const next = stateOf(location.search, initial);
    // A link to a part of the page changes only the fragment.
    if (queryOf(next, initial) === queryOf(state, initial)) return;
    state = next;
    lastField = undefined;
    notify(undefined);
  });

  return {
    get: (): State => state,
    /** @param field - the name of the field that the visitor changes; changes of the same one become one entry */
    change(changes: Partial<State>, field?: string): void {
      const next = { ...state, ...changes };
      const address = addressOf(next);
      if (address !== addressOf(state)) {
        const isSame = field !== undefined && field === lastField;
        history[isSame ? 'replaceState' : 'pushState'](null, '', address);
      }
      lastField = field;
      state = next;
      notify(field);
    },
    /** @param listener - called after each change, by the visitor or by back and forward */
    subscribe(listener: (state: State, field: string | undefined) => void): void {
      listeners.add(listener);
    },
  };
}
