import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { byId } from '../page/element.ts';
import type { Problem } from '../service/problem.ts';
import type { ImageSource } from './source.ts';

/** The fields of a document: its page, how it is drawn, and its password. They have no effect on a picture. */
export function createDocumentFields(onPassword: () => void) {
  const fields = byId('page-fields', HTMLElement);
  const page = byId('page', HTMLInputElement);
  const group = byId('password-group', HTMLElement);
  const password = byId('document-password', HTMLInputElement);
  let shown: ImageSource | undefined;

  function usePassword(): void {
    if (shown === undefined) return;
    shown.password = password.value;
    onPassword();
  }
  byId('use-password', HTMLButtonElement).addEventListener('click', usePassword);
  password.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    usePassword();
  });

  function showPages(count: number | undefined): void {
    fields.hidden = false;
    byId('page-count', HTMLElement).textContent = count === undefined ? '' : `of ${count}`;
    page.max = count === undefined ? '' : String(count);
  }

  return {
    /** Shows the password of a source, if it is encrypted. */
    follow(source: ImageSource): void {
      if (source !== shown) password.value = source.password ?? '';
      shown = source;
      group.hidden = source.password === undefined;
      password.removeAttribute('aria-invalid');
    },
    showResponse({ source }: ProcessResponse): void {
      if (source === undefined || source.pages === 0) fields.hidden = true;
      else showPages(source.pages);
    },
    /** Shows the fields by which a visitor can mend the problem of a document. */
    showProblem({ reason, metadata }: Problem, source: ImageSource): void {
      if (isDocument(source) || metadata.format === 'pdf') {
        showPages(reason === 'PAGE_OUT_OF_RANGE' ? Number(metadata.limit) : undefined);
      }
      if (reason !== 'DOCUMENT_PASSWORD_REQUIRED' && reason !== 'DOCUMENT_PASSWORD_WRONG') return;
      source.password ??= '';
      group.hidden = false;
      if (reason === 'DOCUMENT_PASSWORD_WRONG') password.setAttribute('aria-invalid', 'true');
    },
  };
}

function isDocument({ file, name }: ImageSource): boolean {
  return file?.type === 'application/pdf' || /\.pdf$/i.test(URL.parse(name)?.pathname ?? name);
}
