import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiEnvironment } from '../../src/api/config.ts';
import { failureKinds, grpcCode } from '../../src/failures.ts';
import { imageOptionNames } from '../../src/options/image-options.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { knownDifferences } from '../parity/compare-files.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const numerics = readFileSync(new URL('../../docs/numerics.md', import.meta.url), 'utf8');
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
