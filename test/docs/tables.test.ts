import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renewed } from '../../docs/generate/markdown.ts';
import { pages } from '../../docs/generate/pages.ts';
import { rules } from '../../src/options/combinations.ts';
import { knownDifferences } from '../parity/compare-files.ts';

const numerics = readFileSync(new URL('../../docs/numerics.md', import.meta.url), 'utf8');
const httpApi = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');

/** The cells of the rows of Markdown tables in a text, without the bars. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

describe('npm run docs', () => {
  it.each(Object.entries(pages))('has nothing to change in %s', (page, sections) => {
    const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
    expect(renewed(text, sections), 'run npm run docs').toBe(text);
  });

  it.each(Object.entries(pages))('has a place in %s for everything that it makes', (page, sections) => {
    const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
    const places = [...text.matchAll(/^<!-- generated: ([\w-]+) -->$/gm)].map(([, name]) => name);
    expect(places.toSorted()).toEqual(Object.keys(sections).toSorted());
  });
});

describe('docs/http-api.md', () => {
  it('has the rules for which options go together, in their order', () => {
    const section = httpApi.slice(httpApi.indexOf('### Which options go together'));
    const shown = rowsOf(section.slice(0, section.indexOf('\n### '))).slice(2);
    const known = rules.map(({ refuses, phrase }) => [
      refuses.map((name) => `\`${name}\``).join(', '),
      phrase,
    ]);
    expect(shown).toEqual(known);
  });
});

describe('docs/numerics.md', () => {
  it('has the known differences from Pillow, and no other', () => {
    const table = numerics.slice(numerics.indexOf('### Known differences from Pillow'));
    const shown = rowsOf(table.slice(0, table.indexOf('\n\n', table.indexOf('| --- |')))).slice(2);
    expect(shown).toEqual(knownDifferences.map(({ source, difference }) => [source, difference]));
  });
});
