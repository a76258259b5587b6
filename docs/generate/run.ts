import { readFileSync, writeFileSync } from 'node:fs';
import { renewed } from './markdown.ts';
import { pages } from './pages.ts';

/* `npm run docs`: writes into the pages what is made from the code. */

for (const [page, sections] of Object.entries(pages)) {
  const url = new URL(`../../${page}`, import.meta.url);
  writeFileSync(url, renewed(readFileSync(url, 'utf8'), sections));
}
