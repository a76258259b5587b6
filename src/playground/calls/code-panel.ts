import { Failure } from '../../failures.ts';
import type { Settings } from '../form/settings.ts';
import { byId, element } from '../page/element.ts';
import type { CallContext } from './call-context.ts';
import { type CallKind, callKinds } from './calls.ts';

const kinds: readonly CallKind[] = callKinds;
const tabNames = [...new Set(kinds.map(({ tab }) => tab))];

/** The panel with the call to copy. */
export function createCodePanel(announce: (text: string) => void) {
  const code = byId('snippet', HTMLElement);
  const processor = byId('processor', HTMLInputElement);
  const panel = byId('snippet-panel', HTMLElement);
  processor.value = `${location.hostname}:50051`;
  let kind: CallKind = callKinds[0];
  let current: { settings: Settings; context: Omit<CallContext, 'processor'> } | undefined;

  const tabs = createTabs((tab) => select(kinds.find((each) => each.tab === tab) ?? kind));

  function select(chosen: CallKind): void {
    kind = chosen;
    panel.setAttribute('aria-labelledby', tabs.select(kind.tab));
    byId('dialects', HTMLElement).replaceChildren(...dialects(kind, select));
    byId('processor-row', HTMLElement).hidden = kind.isDirect !== true;
    byId('code-note', HTMLElement).textContent = kind.note;
    draw();
  }

  function draw(): void {
    if (current === undefined) return;
    const context = { ...current.context, processor: processor.value.trim() };
    try {
      code.textContent = kind.write(current.settings, context);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      code.textContent = `# ${error.message}`;
    }
  }

  processor.addEventListener('input', draw);
  listenToCopy(code, (isCopied) =>
    announce(isCopied ? `The ${kind.name} call is copied.` : 'The call is selected; press Ctrl C.'),
  );
  select(kind);
  return {
    /** Shows the call of these settings. */
    show(settings: Settings, context: Omit<CallContext, 'processor'>): void {
      current = { settings, context };
      draw();
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
    const at = (tabs as EventTarget[]).indexOf(event.target as EventTarget);
    const last = tabs.length - 1;
    const next: Readonly<Record<string, number>> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const index = next[event.key];
    if (at < 0 || index === undefined) return;
    event.preventDefault();
    onChoose(tabNames[index] ?? '');
    tabs[index]?.focus();
  });
  return {
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
function dialects(selected: CallKind, select: (kind: CallKind) => void): HTMLElement[] {
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

/** @param onCopied - gets whether the browser has copied the text; otherwise it is selected */
function listenToCopy(code: HTMLElement, onCopied: (isCopied: boolean) => void): void {
  const copy = byId('copy', HTMLButtonElement);
  copy.addEventListener('click', async () => {
    const isCopied = await write(code);
    copy.textContent = isCopied ? 'Copied' : 'Press Ctrl C';
    onCopied(isCopied);
    setTimeout(() => {
      copy.textContent = 'Copy';
    }, 1500);
  });
}

/** Without https browsers give pages no clipboard; then the text is selected instead. */
async function write(code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return document.execCommand?.('copy') ?? false;
  }
}
