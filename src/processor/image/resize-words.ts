import type { ResizeFit } from './resize.ts';
import { kindOfSizeRule } from './size-rules/size-rules.ts';
import { edgesInWords, sizeInWords } from './words.ts';

type FitWords = {
  readonly [Fit in ResizeFit['fit']]: (fit: ResizeFit & { readonly fit: Fit }) => string;
};

/** The effect of a resize on the size, in words. */
export function fitInWords(fit: ResizeFit): string {
  return (fitWords[fit.fit] as (fit: ResizeFit) => string)(fit);
}

const fitWords: FitWords = {
  fill: (size) => `resize to ${sizeInWords(size)}`,
  cover: (size) => `resize to cover ${sizeInWords(size)} and cut off the rest evenly`,
  inside: (size) => `resize to fit into ${sizeInWords(size)}`,
  outside: (size) => `resize to cover ${sizeInWords(size)}`,
  width: ({ width }) => `resize to a width of ${width}, the height in proportion`,
  height: ({ height }) => `resize to a height of ${height}, the width in proportion`,
  shortestEdge: (edges) => `resize ${edgesInWords(edges)}`,
  rule: ({ rule }) => `resize ${kindOfSizeRule(rule).inWords(rule)}`,
  within: (edges) => `resize ${edgesInWords(edges)}`,
};
