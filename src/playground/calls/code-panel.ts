import { Failure } from '../../failures.ts';
import type { Settings } from '../form/settings.ts';
import { writeToClipboard } from '../page/clipboard.ts';
import { byId, element } from '../page/element.ts';
import type { CallContext } from './call-context.ts';
import { type CallKind, callKinds } from './calls.ts';

const allKinds: readonly CallKind[] = callKinds;
const skewKinds = allKinds.filter(({ writeSkew }) => writeSkew !== undefined);
const tabNames = [...new Set(allKinds.map(({ tab }) => tab))];

/** The panel with the call to copy. */
export function createCodePanel(announce: (text: string) => void) {
  const code = byId('snippet', HTMLElement);
  const processor = byId('processor', HTMLInputElement);
  const panel = byId('snippet-panel', HTMLElement);
  processor.value = `${location.hostname}:50051`;
  let kind: CallKind = callKinds[0];
  let current: { settings: Settings; context: Omit<CallContext, 'processor'> } | undefined;
  let kinds = allKinds;

  const tabs = createTabs((tab) => select(kinds.find((each) => each.tab === tab) ?? kind));

  function select(chosen: CallKind): void {
    kind = chosen;
    panel.setAttribute('aria-labelledby', tabs.select(kind.tab));
    byId('dialects', HTMLElement).replaceChildren(...dialects(kinds, kind, select));
    byId('processor-row', HTMLElement).hidden = kind.isDirect !== true;
    const isSkew = current?.context.given !== undefined;
    byId('code-note', HTMLElement).textContent = (isSkew && kind.skewNote) || kind.note;
    draw();
  }

  function draw(): void {
    if (current === undefined) return;
    const context = { ...current.context, processor: processor.value.trim() };
    const { given } = context;
    try {
      code.textContent =
        given !== undefined && kind.writeSkew !== undefined
          ? kind.writeSkew(current.settings, context, given)
          : kind.write(current.settings, context);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      code.textContent = `# ${error.message}`;
    }
  }

  processor.addEventListener('input', draw);
  byId('copy', HTMLButtonElement).addEventListener('click', async ({ currentTarget }) => {
    const isCopied = await writeToClipboard(code, currentTarget as HTMLButtonElement);
    announce(isCopied ? `The ${kind.name} call is copied.` : 'The call is selected; press Ctrl C.');
  });
  select(kind);
  return {
    /** Shows the call of these settings. */
    show(settings: Settings, context: Omit<CallContext, 'processor'>): void {
      current = { settings, context };
      const possible = context.given === undefined ? allKinds : skewKinds;
      if (possible === kinds) {
        draw();
        return;
      }
      kinds = possible;
      tabs.offer(new Set(kinds.map(({ tab }) => tab)));
      select(kinds.includes(kind) ? kind : (kinds[0] ?? kind));
    },
  };
}

/** Fills in the list of tabs. @param onChoose - gets the name of the tab that is chosen by a click or a key */
function createTabs(onChoose: (tab: string) => void) {
  const list = byId('languages', HTMLElement);
  const tabs = tabNames.map((name, index) => {
    const attributes = { type: 'button', role: 'tab', id: `tab-${index}`, 'aria-controls': 'snippet-panel' };
    const tab = element('button', attributes, name);
    tab.addEventListener('click', () => onChoose(name));
    return tab;
  });
  list.append(...tabs);
  list.addEventListener('keydown', (event) => {
    const offered = tabs.filter(({ hidden }) => !hidden);
    const at = (offered as EventTarget[]).indexOf(event.target as EventTarget);
    const last = offered.length - 1;
    const next: Readonly<Record<string, number>> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const index = next[event.key];
    if (at < 0 || index === undefined) return;
    event.preventDefault();
    onChoose(offered[index]?.textContent ?? '');
    offered[index]?.focus();
  });
  return {
    /** Shows only some tabs. */
    offer(names: ReadonlySet<string>): void {
      for (const [index, tab] of tabs.entries()) tab.hidden = !names.has(tabNames[index] ?? '');
    },
    /** Marks a tab as selected, and returns its id. */
    select(name: string): string {
      for (const [index, tab] of tabs.entries()) {
        const isSelected = tabNames[index] === name;
        tab.setAttribute('aria-selected', String(isSelected));
        tab.tabIndex = isSelected ? 0 : -1;
      }
      return `tab-${tabNames.indexOf(name)}`;
    },
  };
}

/** The choice between the kinds of one tab; nothing for a tab of one kind. */
function dialects(
  kinds: readonly CallKind[],
  selected: CallKind,
  select: (kind: CallKind) => void,
): HTMLElement[] {
  const choices = kinds.filter(({ tab }) => tab === selected.tab);
  if (choices.length === 1) return [];
  const labels = choices.map((choice) => {
    const input = element('input', { type: 'radio', name: 'dialect', checked: choice === selected });
    input.addEventListener('change', () => {
      select(choice);
      byId('dialects', HTMLElement).querySelector<HTMLElement>('input:checked')?.focus();
    });
    return element('label', {}, input, element('span', {}, choice.name));
  });
  return [element('div', { class: 'segments', role: 'radiogroup', 'aria-label': selected.tab }, ...labels)];
}
