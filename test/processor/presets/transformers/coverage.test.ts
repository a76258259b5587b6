import { describe, expect, it } from 'vitest';
import { processorTypes } from '../../../../src/processor/presets/processor-types.ts';
import library from '../../../../src/processor/presets/transformers/library-types.json' with { type: 'json' };
import { notComputed } from '../../../../src/processor/presets/transformers/not-computed.ts';
import { patchTypes } from '../../../../src/processor/presets/transformers/patch-types.ts';
import { tileTypes } from '../../../../src/processor/presets/transformers/tile-types.ts';

describe("transformers' image processors", () => {
  it('are each either computed or refused with what is missing', () => {
    const named = [
      ...Object.keys({ ...processorTypes, ...patchTypes, ...tileTypes }),
      ...Object.keys(notComputed),
    ];
    expect(named.toSorted()).toEqual(Object.keys(library.types).toSorted());
  });

  it('are known for every model_type', () => {
    expect(Object.keys(library.types)).toEqual(expect.arrayContaining(Object.values(library.models)));
  });
});
