import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../src/processor/processor.ts', import.meta.url));

test('a processor without object storage loads nothing of the SDK', () => {
  const program = `
    const { createRequire } = await import('node:module');
    await import(${JSON.stringify(main)});
    const { cache } = createRequire(${JSON.stringify(main)});
    console.log(JSON.stringify(Object.keys(cache)));
  `;
  const loaded = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }),
  ) as string[];
  expect(loaded.filter((path) => path.includes('prom-client'))).not.toEqual([]);
  expect(loaded.filter((path) => /@aws-sdk|@smithy/.test(path))).toEqual([]);
});
