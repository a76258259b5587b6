import type { SkewResponse } from '../../../gen/image/v1/processor_pb.ts';
import { writeToClipboard } from '../page/clipboard.ts';
import { byId, element } from '../page/element.ts';
import { bytes, value } from '../page/figures.ts';
import type { GivenState, State } from '../state/state.ts';
import { showLegend } from '../view/legend.ts';
import { exampleNames, examples } from './example-names.ts';
import { type Given, rawDatatypes } from './given.ts';
import type { SkewPresentation } from './present-skew.ts';
import { detailsOf, sentenceOf } from './skew-words.ts';

/** Reactions to the fields of the view. */
interface SkewEvents {
  /** @param changes - the others are kept */
  onChange(changes: Partial<GivenState>, field?: string): void;
  onFile(file: File): void;
  /** A text has been copied, or selected because the browser gives no clipboard. */
  announce(text: string): void;
}

/** The panel of the view "Your tensor": what is compared, the sentence, the steps and the Python that is right. */
export function createSkewPanel({ onChange, onFile, announce }: SkewEvents) {
  const file = byId('given-file', HTMLInputElement);
  const shape = byId('given-shape', HTMLInputElement);
  const datatype = byId('given-datatype', HTMLSelectElement);
  const remove = byId('given-remove', HTMLButtonElement);
  const save = byId('given-save', HTMLAnchorElement);
  datatype.append(...rawDatatypes.map((name) => element('option', {}, name)));
  byId('examples', HTMLElement).append(...exampleNames.map((name) => exampleButton(name, onChange)));
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) onFile(chosen);
    file.value = '';
  });
  shape.addEventListener('input', () => onChange({ shape: shape.value.trim() }, 'given-shape'));
  datatype.addEventListener('change', () => onChange({ datatype: datatype.value }));
  remove.addEventListener('click', () => {
    onChange({ file: undefined, shape: '', datatype: '' });
    file.focus();
  });
  const python = byId('skew-python', HTMLElement);
  byId('copy-python', HTMLButtonElement).addEventListener('click', async ({ currentTarget }) => {
    const isCopied = await writeToClipboard(python, currentTarget as HTMLButtonElement);
    announce(isCopied ? 'The Python is copied.' : 'The Python is selected; press Ctrl C.');
  });

  function showRaw(raw: SkewPresentation['raw']): void {
    show('given-raw', raw !== undefined);
    if (raw === undefined) return;
    if (document.activeElement !== shape) shape.value = raw.shape.join(', ');
    datatype.value = raw.datatype;
  }

  /** Offers the example, which is on no disk yet. */
  function offerSave({ name, file: content }: Given): void {
    URL.revokeObjectURL(save.href);
    save.hidden = content instanceof File;
    save.href = URL.createObjectURL(content);
    save.download = name;
  }

  return {
    /** Shows the panel in its view, with the file that is chosen or the place to drop one. */
    follow({ view, given }: State): void {
      const hasFocus = byId('given-choice', HTMLElement).contains(document.activeElement);
      show('skew', view === 'skew');
      show('given-choice', given.file === undefined);
      show('given-line', given.file !== undefined);
      // The element that had the focus is hidden now; this button shows it again.
      if (hasFocus && given.file !== undefined) remove.focus();
      const name = given.file?.kind === 'example' ? examples[given.file.name].label : given.file?.name;
      if (name === byId('given-name', HTMLElement).textContent) return;
      byId('given-name', HTMLElement).textContent = name ?? '';
      byId('given-size', HTMLElement).textContent = '';
      save.hidden = true;
      show('given-raw', false);
      forget();
    },
    show({ given, request, raw, report, drawn }: SkewPresentation): void {
      forget();
      showRaw(raw);
      if (given !== undefined) {
        const name = byId('given-name', HTMLElement).textContent;
        byId('given-size', HTMLElement).textContent = [
          ...(name === given.name ? [] : [given.name]),
          bytes(given.file.size),
        ].join(', ');
        offerSave(given);
      } else if (request !== undefined) {
        show('given-choice', true);
        show('given-line', false);
      }
      write('skew-request', request);
      write('drawn-note', drawn && `Yours is drawn ${drawn}.`);
      if (report === undefined) return;
      show('skew-report', true);
      show('skew-python-box', report.python !== '' && !report.equal);
      show('legend', report.map.length > 0 && !report.equal);
      byId('skew-sentence', HTMLElement).textContent = sentenceOf(report);
      byId('skew-details', HTMLElement).textContent = detailsOf(report);
      showSteps(report);
      python.textContent = report.python;
      showLegend('most', rowsOf(report));
    },
    forget,
    /** Removes what this view has outside its panel. */
    hide(): void {
      for (const id of ['skew-python-box', 'drawn-note']) show(id, false);
    },
  };
}

/** Removes the report: it belongs to other settings or another tensor. */
function forget(): void {
  for (const id of ['skew-report', 'skew-python-box', 'skew-request', 'drawn-note', 'legend'])
    show(id, false);
}

/** Shows a text; undefined hides its place. */
function write(id: string, text: string | undefined): void {
  show(id, text !== undefined);
  byId(id, HTMLElement).textContent = text ?? '';
}

function exampleButton(name: (typeof exampleNames)[number], onChange: SkewEvents['onChange']): HTMLElement {
  const button = element('button', { type: 'button' }, examples[name].label);
  button.addEventListener('click', () =>
    onChange({ file: { kind: 'example', name }, shape: '', datatype: '' }),
  );
  return button;
}

/** Lists the steps that differ: those of the visitor beside those that are expected. */
function showSteps({ cause }: SkewResponse): void {
  const steps = cause?.steps ?? [];
  byId('skew-steps', HTMLElement).hidden = steps.length === 0;
  byId('skew-steps-body', HTMLElement).replaceChildren(
    ...steps.map(({ name, yours, expected, also }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, element('code', {}, name)),
        element(
          'td',
          { class: 'yours', 'data-head': 'Yours' },
          yours,
          ...(also.length === 0 ? [] : [element('small', {}, `or ${also.join(', or ')}`)]),
        ),
        element('td', { 'data-head': 'Expected' }, expected),
      ),
    ),
  );
}

function rowsOf({ differingShare = 0, meanAbs = 0, maxAbs = 0, percentiles }: SkewResponse) {
  const percentile = percentiles.find(({ percent }) => percent === 99);
  return [
    ['Largest', value(maxAbs)],
    ['Mean', value(meanAbs)],
    ...(percentile === undefined ? [] : [['99 % are at most', value(percentile.value)]]),
    ['Differ', `${(100 * differingShare).toFixed(2)} %`],
  ];
}

function show(id: string, isShown: boolean): void {
  byId(id, HTMLElement).hidden = !isShown;
}
