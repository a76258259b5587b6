import type { SourcePlan } from './plan.ts';

/** The part of a source that is read if a request does not say: image.v1.SourceOptions has the reasons. */
export const defaultSource: SourcePlan = {
  page: 1,
  dpi: 144,
  pageBox: 'crop',
  annotations: true,
  password: '',
};
