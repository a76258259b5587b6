import { environmentTables } from './environment.ts';
import type { Sections } from './markdown.ts';
import { optionTables } from './options.ts';

/** Pages with places for what is made from the code, and what makes it. */
export const pages: Readonly<Record<string, Sections>> = {
  'docs/environment.md': { variables: environmentTables },
  'docs/options.md': { options: optionTables },
};
