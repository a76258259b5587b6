import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { blocksOf, type DocBlock } from '../support/doc-blocks.ts';
import { notRun, programsNotAtHand, runElsewhere } from './not-run.ts';

/*
 * The pages of the project and their fenced blocks.
 */

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every page: its path from the root. */
export const pages = globSync('**/*.md', {
  cwd: root,
  exclude: (path) => /(^|\/)(node_modules|build|dist|coverage)$/.test(path),
}).sort();

/** The text of a page. */
export function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Languages of blocks that examples.test.ts runs. */
export const languages = ['sh', 'bash', 'console', 'python', 'ts', 'js'] as const;

/** Blocks that are read and not run. */
export const data: Readonly<Record<string, (text: string) => unknown>> = {
  '': (text) => text,
  csv: (text) => text,
  json: (text) => JSON.parse(text),
  yaml: (text) => parseYaml(text),
};

const firstLine = ({ text }: DocBlock): string => text.split('\n')[0] ?? '';

/** Whether an entry of a list is about a block. */
export function isAbout(
  block: DocBlock,
): (entry: { readonly page: string; readonly first: string }) => boolean {
  return ({ page, first }) => page === block.page && first === firstLine(block);
}

/** Whether each command of a block runs a program that is not available. */
function wantsWhatIsNotAtHand({ text }: DocBlock): boolean {
  const commands = text.split('\n').filter((line) => /^[^\s#]/.test(line));
  return commands.every((line) => Object.keys(programsNotAtHand).includes(line.split(' ')[0] ?? ''));
}

/** All blocks of all pages. */
export const blocks = pages.flatMap((page) => blocksOf(page, textOf(page)));

/** Blocks that examples.test.ts runs. */
export const examples = blocks.filter(
  (block) =>
    !(block.language in data) &&
    runElsewhere[block.page] === undefined &&
    !wantsWhatIsNotAtHand(block) &&
    !notRun.some(isAbout(block)),
);
