/*
 * Markdown that `npm run docs` writes into the pages, between `<!-- generated: NAME -->` and `<!-- /generated -->`.
 */

/** Makes the content of one place in a page. The name is the place's. */
export type Sections = Readonly<Record<string, () => string>>;

/** A Markdown table. Characters of cells that would end a cell or begin an HTML tag are escaped, except for `<br>`. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll(/\||<(?!br>)/g, '\\$&')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text in code marks. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** A page whose places contain what their sections make now. @throws Error for a place without a section */
export function renewed(page: string, sections: Sections): string {
  return page.replaceAll(
    /(<!-- generated: ([\w-]+) -->\n).*?\n?(<!-- \/generated -->)/gs,
    (_, start: string, name: string, end: string) => {
      const make = sections[name];
      if (make === undefined) throw new Error(`no section in docs/generate/pages.ts makes "${name}"`);
      return `${start}\n${make()}\n\n${end}`;
    },
  );
}
