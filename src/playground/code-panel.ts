import { Failure } from '../failures.ts';
import { byId, element } from './element.ts';
import type { Settings } from './settings.ts';
import { type CallContext, type Language, languages, snippet } from './snippets.ts';

const notes: Readonly<Record<Language, string>> = {
  curl: 'Writes the response to a file, or prints the problem.',
  grpcurl: 'Calls image-processor directly, by reflection, without proto files. Needs jq.',
  'buf curl': 'Calls image-processor directly, by reflection, without proto files. Needs jq.',
  TypeScript: 'With the generated code in gen/ and the packages @connectrpc/connect and connect-web.',
  Python: 'With requests, and NumPy for an npy tensor.',
};

/** The panel with the call to copy. */
export function createCodePanel(announce: (text: string) => void) {
  const code = byId('snippet', HTMLElement);
  const copy = byId('copy', HTMLButtonElement);
  const processor = byId('processor', HTMLInputElement);
  const panel = byId('snippet-panel', HTMLElement);
  processor.value = `${location.hostname}:50051`;
  let language: Language = 'curl';
  let current: { settings: Settings; context: Omit<CallContext, 'processor'> } | undefined;

  const tabs = languages.map((name, index) => {
    const tab = element(
      'button',
      { type: 'button', role: 'tab', id: `tab-${index}`, 'aria-controls': 'snippet-panel' },
      name,
    );
    tab.addEventListener('click', () => select(name));
    return tab;
  });
  const list = byId('languages', HTMLElement);
  list.append(...tabs);
  list.addEventListener('keydown', (event) => {
    const at = languages.indexOf(language);
    const last = languages.length - 1;
    const next: Readonly<Record<string, number>> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const index = next[event.key];
    if (index === undefined) return;
    event.preventDefault();
    select(languages[index] ?? 'curl');
    tabs[index]?.focus();
  });

  function select(name: Language): void {
    language = name;
    for (const [index, tab] of tabs.entries()) {
      const isSelected = languages[index] === name;
      tab.setAttribute('aria-selected', String(isSelected));
      tab.tabIndex = isSelected ? 0 : -1;
      if (isSelected) panel.setAttribute('aria-labelledby', tab.id);
    }
    byId('processor-row', HTMLElement).hidden = name !== 'grpcurl' && name !== 'buf curl';
    byId('code-note', HTMLElement).textContent = notes[name];
    draw();
  }

  function draw(): void {
    if (current === undefined) return;
    const context = { ...current.context, processor: processor.value.trim() };
    try {
      code.textContent = snippet(language, current.settings, context);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      code.textContent = `# ${error.message}`;
    }
  }

  processor.addEventListener('input', draw);
  copy.addEventListener('click', async () => {
    const text = code.textContent ?? '';
    const isCopied = await write(text);
    copy.textContent = isCopied ? 'Copied' : 'Press Ctrl C';
    announce(isCopied ? `The ${language} call is copied.` : 'The call is selected; press Ctrl C.');
    setTimeout(() => {
      copy.textContent = 'Copy';
    }, 1500);
  });

  /** Without https browsers give pages no clipboard; then the text is selected instead. */
  async function write(text: string): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      getSelection()?.selectAllChildren(code);
      return document.execCommand?.('copy') ?? false;
    }
  }

  select(language);
  return {
    /** Shows the call of these settings. */
    show(settings: Settings, context: Omit<CallContext, 'processor'>): void {
      current = { settings, context };
      draw();
    },
  };
}
