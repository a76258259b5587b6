import { byId } from '../page/element.ts';
import type { Problem } from './problem.ts';

/** The problem of a call that is not sent, because no key has been entered. */
export const missingKey: Problem = {
  reason: 'UNAUTHENTICATED',
  title: 'This service asks for an API key',
  message: 'No key has been entered on this page yet.',
  metadata: {},
};

/** The field for the API key, which is shown if the service asks for one. */
export function createKeyField(isNeeded: boolean) {
  const key = byId('key', HTMLInputElement);
  const group = byId('key-group', HTMLElement);
  group.hidden = !isNeeded;
  return {
    isNeeded: (): boolean => !group.hidden,
    isMissing: (): boolean => !group.hidden && key.value === '',
    /** Shows the field, because the service has refused a call without a key. */
    require(): void {
      group.hidden = false;
    },
  };
}
