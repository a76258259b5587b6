import { describe, expect, it } from 'vitest';
import { timmType } from '../../../../src/processor/presets/timm-config.ts';
import { computedTypes } from '../../../../src/processor/presets/transformers/computed-types.ts';
import library from '../../../../src/processor/presets/transformers/library-types.json' with { type: 'json' };
import { notComputed } from '../../../../src/processor/presets/transformers/not-computed.ts';

describe("transformers' image processors", () => {
  it('are each either computed or refused with what is missing', () => {
    const named = [...computedTypes.keys(), timmType, ...Object.keys(notComputed)];
    expect(named.toSorted()).toEqual(Object.keys(library.types).toSorted());
  });

  it('are known for every model_type', () => {
    expect(Object.keys(library.types)).toEqual(expect.arrayContaining(Object.values(library.models)));
  });
});
