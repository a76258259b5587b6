/** Words that a string needs to count as prose. */
const leastWords = 4;

/**
 * The strings of a TypeScript file that are prose (test titles, messages, help texts), as Markdown: each in the line that
 * it begins in, as a paragraph of its own. Values in template strings become `…`.
 */
export function proseStrings(source: string): string {
  const lines = source.split('\n').map((line) => {
    if (/^\s*(?:\/\/|\/?\*|import\b)/.test(line)) return '';
    const strings = line.matchAll(/(?<quote>['"`])(?<text>(?:\\.|(?!\k<quote>)[^\\])*)\k<quote>/g);
    return [...strings]
      .map(({ groups }) => (groups?.text ?? '').replaceAll(/\$\{[^}]*\}/g, '…').replaceAll(/\\(.)/g, '$1'))
      .filter((text) => text.trim().split(/\s+/).length >= leastWords && /\p{L}{2} \p{L}{2}/u.test(text))
      .join(' ');
  });
  return lines.join('\n\n');
}
