import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renewed } from '../../docs/generate/markdown.ts';
import { pages } from '../../docs/generate/pages.ts';
import { rules } from '../../src/options/combinations.ts';
import { commonDefaults } from '../../src/processor/presets/processor-types.ts';
import { computedTypes } from '../../src/processor/presets/transformers/computed-types.ts';
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

describe('docs/model-servers.md', () => {
  it('has the classes whose tensors vLLM takes', () => {
    const page = readFileSync(new URL('../../docs/model-servers.md', import.meta.url), 'utf8');
    const listed = rowsOf(page).flatMap(([cell = '']) => cell.match(/(?<=`)\w+ImageProcessor(?=`)/g) ?? []);
    const taken = [...computedTypes].filter(([, { vllm, defaults }]) => {
      const declared = vllm?.({ ...commonDefaults, ...defaults }, {});
      return declared !== undefined && !('allowed' in declared && declared.allowed.startsWith('safetensors'));
    });
    expect([...new Set(listed)].sort()).toEqual(taken.map(([name]) => name).sort());
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
