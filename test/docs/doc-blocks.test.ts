import { describe, expect, it } from 'vitest';
import { blocksOf, commandsOf, patternOf } from '../support/doc-blocks.ts';

const fence = '```';

describe(blocksOf, () => {
  it('gives a block its output, its line and its text without indentation', () => {
    const page = `Words\n\n1. Do\n\n   ${fence}sh\n   ls\n   ${fence}\n   ${fence}\n   a\n     b\n   ${fence}\n`;
    expect(blocksOf('a.md', page)).toEqual([
      { page: 'a.md', line: 5, language: 'sh', text: 'ls\n', output: 'a\n  b\n' },
    ]);
  });

  it('takes nothing for output that words stand before', () => {
    const page = `${fence}sh\nls\n${fence}\nMeanwhile\n${fence}\nb\n${fence}\n`;
    expect(blocksOf('a.md', page)).toMatchObject([
      { language: 'sh', output: undefined },
      { language: '', text: 'b\n' },
    ]);
  });

  it.each([
    ['curl http://localhost/', 'sh'],
    ['npm run bench', 'sh'],
    ['$ anything', 'console'],
    ['curly words', ''],
  ])('sees that %j without a language is "%s"', (text, language) => {
    expect(blocksOf('a.md', `${fence}\n${text}\n${fence}\n`)).toMatchObject([{ language }]);
  });

  it('takes no command for the output of another', () => {
    const page = `${fence}sh\nls\n${fence}\n${fence}\nnpm ci\n${fence}\n`;
    expect(blocksOf('a.md', page)).toMatchObject([{ output: undefined }, { language: 'sh' }]);
  });
});

describe(commandsOf, () => {
  it('splits commands, their further lines and what they print', () => {
    expect(commandsOf('$ echo a |\n    cat\na\n$ echo b \\\n  c\nb c\n$ true\n')).toEqual([
      { command: 'echo a |\n    cat', expected: 'a\n' },
      { command: 'echo b \\\n  c', expected: 'b c\n' },
      { command: 'true', expected: '' },
    ]);
  });
});

describe(patternOf, () => {
  it.each([
    ['a … c\n', 'a b\nb c', true],
    ['a … c', 'a b d', false],
    ['a', 'a\n', true],
    ['a', 'ab', false],
    ['a.c', 'abc', false],
    ['hash;dur=0.11, total;dur=3', 'hash;dur=12, total;dur=0.001', true],
    ['hash;dur=0.11', 'hash;dur=fast', false],
    ['"ff081205-b1f3-4bb6-a292-e33db6c119a5"', '"00000000-0000-4000-8000-000000000000"', true],
    ['"ff081205-b1f3-4bb6-a292-e33db6c119a5"', '"none"', false],
  ])('of %j meets %j: %s', (shown, printed, meets) => {
    expect(patternOf(shown).test(printed)).toBe(meets);
  });
});
