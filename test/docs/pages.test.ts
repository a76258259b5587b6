import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DocBlock } from '../support/doc-blocks.ts';
import { given, neverRun, notRun, runElsewhere } from './not-run.ts';
import { blocks, data, examples, isAbout, languages, pages, root, textOf } from './pages.ts';

describe('the pages', () => {
  it('have examples', () => {
    expect(examples.length).toBeGreaterThan(20);
  });

  it('have blocks that are run, are data, or are on a list with the reason', () => {
    const known = (block: DocBlock) =>
      block.language in data ||
      languages.some((language) => language === block.language) ||
      runElsewhere[block.page] !== undefined;
    expect(blocks.filter((block) => !known(block))).toEqual([]);
  });

  it('run no command that installs, or needs a cluster: not-run.ts lists such blocks', () => {
    const shown = examples.filter(({ text }) => neverRun.test(text));
    expect(shown.map(({ page, text }) => `${page}: ${text}`)).toEqual([]);
  });

  it('have what the lists name', () => {
    const isThere = (entry: { readonly page: string; readonly first: string }) =>
      blocks.some((block) => isAbout(block)(entry));
    expect([...notRun, ...given].filter((entry) => !isThere(entry))).toEqual([]);
  });

  it('show data that can be read', () => {
    for (const block of blocks) expect(() => data[block.language]?.(block.text)).not.toThrow();
  });

  it('name npm scripts that there are', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const named = pages.flatMap((page) =>
      [...textOf(page).matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, script = '']) => [page, script]),
    );
    expect(named.filter(([, script = '']) => scripts[script] === undefined)).toEqual([]);
  });

  it('link to pages and headings that there are', () => {
    const broken = pages.flatMap((page) =>
      linksOf(textOf(page)).flatMap((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        try {
          if (anchor === undefined) readdirOrFile(target);
          else if (!anchorsOf(textOf(target)).has(anchor)) return [`${page}: ${link}`];
          return [];
        } catch {
          return [`${page}: ${link}`];
        }
      }),
    );
    expect(broken).toEqual([]);
  });
});

/** The relative links of a page, without those in its blocks. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^( *)```.*?^\1```/gms, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The names that a page's headings have in links: small letters, no punctuation, dashes for spaces. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function readdirOrFile(path: string): void {
  try {
    readdirSync(join(root, path));
  } catch {
    readFileSync(join(root, path));
  }
}
