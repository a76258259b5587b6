import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pathOf, programOf, programs } from '../src/programs.ts';

describe('the programs', () => {
  it('are sources of this checkout', () => {
    for (const [name, source] of Object.entries(programs)) {
      expect(programOf(name as keyof typeof programs)).toBe(pathOf(source));
      expect(readFileSync(pathOf(source), 'utf8')).not.toBe('');
    }
  });

  it('find files of the checkout only by programs.ts, because a built file is elsewhere', () => {
    const sources = globSync('src/**/*.ts', { cwd: pathOf('.') }).filter(
      (path) => !/^src\/(playground|start\/build-)/.test(path),
    );
    const relative = sources.filter((path) =>
      /new URL\([^)]*import\.meta\.url|import\.meta\.(dirname|filename)/s.test(
        readFileSync(pathOf(path), 'utf8'),
      ),
    );
    expect(relative).toEqual(['src/programs.ts']);
  });
});
