import { describe, expect, it } from 'vitest';
import { proseStrings } from './strings.ts';

describe(proseStrings, () => {
  it('takes test titles and messages of four words and more', () => {
    expect(proseStrings("it('refuses a body without type', () => {});")).toBe('refuses a body without type');
    expect(proseStrings("throw new Error('not a word');")).toBe('');
  });

  it('leaves out imports, comments and code', () => {
    expect(proseStrings("import { a } from 'a b c d e';\n// 'it is a comment here'\n'a=b;c=d;e=f'")).toBe(
      '\n\n\n\n',
    );
  });

  it('shows values of template strings as an ellipsis', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of one
    expect(proseStrings('`the host ${url.host} is not public`')).toBe('the host … is not public');
  });
});
