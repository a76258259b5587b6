import type { RivalName } from '../compare/rival-names.ts';
import type { Settings } from '../form/settings.ts';
import type { ExampleName } from '../skew/example-names.ts';
import type { View } from './view.ts';

/** Names an image. Its bytes are kept by sources.ts, because a link cannot contain them. */
export type SourceName =
  | { readonly kind: 'sample' }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'upload'; readonly name: string };

/** Names the file of another program. Its bytes are kept by skew/given.ts. */
export type GivenName =
  | { readonly kind: 'example'; readonly name: ExampleName }
  | { readonly kind: 'upload'; readonly name: string };

/** The file of another program, in the view that finds its cause. */
export interface GivenState {
  /** Undefined: nothing is chosen yet. */
  readonly file: GivenName | undefined;
  /** Of raw values, as it is typed. */
  readonly shape: string;
  /** Of raw values, by its name in the Open Inference Protocol; empty for that of the expected tensor. */
  readonly datatype: string;
}

/**
 * Everything that the visitor has chosen. The form, the requests, the panels and the page's address derive from it. An
 * API key is not part of it: links never contain one.
 */
export interface State {
  /** At least one. */
  readonly sources: readonly SourceName[];
  /** The index of the source that is shown. */
  readonly selected: number;
  readonly settings: Settings;
  readonly view: View;
  /** The other code whose pixels are compared. */
  readonly rival: RivalName;
  /** Presets that are shown beside that of the settings. */
  readonly others: readonly string[];
  readonly given: GivenState;
}

/** Nothing is chosen. */
export const noGiven: GivenState = { file: undefined, shape: '', datatype: '' };

/** The source that is shown. */
export function selectedSource({ sources, selected }: State): SourceName {
  return sources[selected] ?? sources[0] ?? { kind: 'sample' };
}

/** A text that is equal for equal names. */
export function keyOfSource(source: SourceName): string {
  switch (source.kind) {
    case 'sample':
      return 'sample';
    case 'url':
      return `url ${source.url}`;
    case 'upload':
      return `upload ${source.name}`;
  }
}
