import type { ProcessRequest } from '../../gen/image/v1/processor_pb.ts';
import type { OptionTexts } from '../options/parse-options.ts';

/** Where the image comes from. */
export type ImageSource = Exclude<ProcessRequest['source'], { case: undefined }>;

/** The contents of a query or a body. */
export interface RequestPart {
  readonly sources: readonly ImageSource[];
  readonly options: OptionTexts;
  /** Of the document. Unset: none. */
  readonly passwords?: readonly string[];
}
