import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiEnvironment } from '../../src/api/config.ts';
import { failureKinds, grpcCode } from '../../src/failures.ts';
import { rules } from '../../src/options/combinations.ts';
import { imageOptionNames, imageOptions, type OptionName } from '../../src/options/image-options.ts';
import type { Kind } from '../../src/options/kinds.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { knownDifferences } from '../parity/compare-files.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const numerics = readFileSync(new URL('../../docs/numerics.md', import.meta.url), 'utf8');
const httpApi = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');
const errors = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

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

/** The words in code marks of a cell. */
function wordsOf(cell: string): string[] {
  return [...cell.matchAll(/`([\w-]+)`/g)].map(([, word]) => word as string);
}

describe('the README', () => {
  const environments = { 'image-api': apiEnvironment, 'image-processor': processorEnvironment } as const;
  const rows = rowsOf(readme.slice(readme.indexOf('## Environment'), readme.indexOf('## Where is what')));

  it.each(Object.entries(environments))(
    'has every variable of %s with its default and its words',
    (service, schema) => {
      for (const [name, field] of Object.entries(schema.shape)) {
        const row = rows.find(
          ([of, variable]) => variable === `\`${name}\`` && (of === service || of === 'both'),
        );
        expect(row, name).toBeDefined();
        if (row === undefined || name === 'WORKERS') continue;
        const [, , shown, words] = row;
        const value = field.safeParse(undefined).data;
        const empty = Array.isArray(value) ? 'none' : 'unset';
        const expected =
          value === undefined || (Array.isArray(value) && value.length === 0) ? empty : String(value);
        expect(name === 'PORT' ? shown?.split(', ') : [shown], name).toContain(expected);
        expect(words).toBe(field.description);
      }
    },
  );

  it('has no variable that no service reads', () => {
    const read = new Set(Object.values(environments).flatMap((schema) => Object.keys(schema.shape)));
    const shown = rows.slice(2).map(([, variable]) => variable?.replaceAll('`', ''));
    expect(shown.filter((name) => name !== undefined && !read.has(name))).toEqual([]);
  });

  it('has every option', () => {
    const options = rowsOf(readme.slice(readme.indexOf('## Options'), readme.indexOf('## Environment')));
    const shown = options.flatMap(([names]) =>
      [...(names ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(shown.toSorted()).toEqual(imageOptionNames.toSorted());
  });

  it('has the words and the range of every option', () => {
    const options = rowsOf(readme.slice(readme.indexOf('## Options'), readme.indexOf('## Environment')));
    const rowOf = (name: OptionName) => options.find(([names]) => names === `\`${name}\``)?.[1] ?? '';
    for (const name of ['fit', 'filter', 'format', 'numerics', 'grayscale', 'scale', 'quality'] as const) {
      const { kind }: { readonly kind: Kind<unknown> } = imageOptions[name];
      const { enum: words, type, minimum, maximum } = kind.schema;
      if (type === 'integer') expect(rowOf(name), name).toContain(`${minimum} to ${maximum}`);
      else expect(wordsOf(rowOf(name)), name).toEqual(words ?? ['true', 'false']);
    }
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

describe('docs/errors.md', () => {
  it('has every reason with its HTTP status, gRPC code and whether it can be retried, and no other', () => {
    const shown = rowsOf(errors)
      .slice(2)
      .map(([reason, status, code, , , again]) => [reason?.replaceAll('`', ''), Number(status), code, again]);
    const codes = new Map(Object.entries(grpcCode).map(([name, code]) => [code as number, name]));
    const known = Object.entries(failureKinds).map(([reason, { status, code, isRetryable }]) => [
      reason,
      status,
      codes.get(code),
      isRetryable ? 'yes' : 'no',
    ]);
    expect(shown.toSorted()).toEqual(known.toSorted());
  });
});

describe('docs/numerics.md', () => {
  it('has the known differences from Pillow, and no other', () => {
    const table = numerics.slice(numerics.indexOf('### Known differences from Pillow'));
    const shown = rowsOf(table.slice(0, table.indexOf('\n\n', table.indexOf('| --- |')))).slice(2);
    expect(shown).toEqual(knownDifferences.map(({ source, difference }) => [source, difference]));
  });
});
