import { PageBox, type SourceOptions } from '../../../gen/image/v1/processor_pb.ts';
import type { Failure } from '../../failures.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { SourcePlan } from '../image/plan.ts';
import { pageBoxNames } from './enum-names.ts';

/**
 * Checks the options for reading a source and fills in their defaults. Every source is a picture, and its first
 * page or frame is read. Other requests are refused, because ignoring an option would give the wrong pixels.
 *
 * @param options - unset: the defaults
 * @throws Failure OPTION_INVALID
 */
export function sourcePlan(options: SourceOptions | undefined): SourcePlan {
  const { page = 0, dpi = 0, pageBox = PageBox.UNSPECIFIED, annotations, password = '' } = options ?? {};
  if (page > 1) throw unsupported('page', page, '1 or unset: only the first page or frame is read so far');
  if (dpi !== 0) throw unsupported('dpi', dpi);
  if (pageBox !== PageBox.UNSPECIFIED) throw unsupported('page_box', pageBoxName(pageBox));
  if (annotations !== undefined) throw unsupported('annotations', String(annotations));
  // The password itself must not reach a message or the log.
  if (password !== '') throw unsupported('password', 'set');
  return { page: 1, dpi: 144, pageBox: 'crop', annotations: true, password: '' };
}

function pageBoxName(pageBox: PageBox): string | number {
  const names: Readonly<Record<number, string>> = pageBoxNames;
  return names[pageBox] ?? pageBox;
}

function unsupported(name: string, actual: string | number, allowed = noPages): Failure {
  return invalidOption(`source_options.${name}`, actual, allowed);
}

const noPages = 'unset: no source format has pages to draw so far';
