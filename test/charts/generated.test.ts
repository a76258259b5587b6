import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generatedFiles } from '../../charts/generate.ts';

it.each(Object.entries(generatedFiles()))('%s is what npm run chart writes', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});
