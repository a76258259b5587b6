import { describe, expect, it } from 'vitest';
import { initialSettings } from '../../../src/playground/form/settings.ts';
import { noGiven, type State } from '../../../src/playground/state/state.ts';
import { queryOf, stateOf } from '../../../src/playground/state/state-query.ts';

const initial: State = {
  sources: [{ kind: 'sample' }],
  selected: 0,
  settings: initialSettings,
  view: 'stack',
  rival: 'opencv',
  others: ['google/vit-base-patch16-224'],
  given: noGiven,
};

const states: Record<string, [Partial<State>, string]> = {
  'the initial state': [{}, ''],
  'a view': [{ view: 'sides' }, 'view=sides'],
  'another comparison': [{ rival: 'sharp' }, 'rival=sharp'],
  'presets side by side': [
    { view: 'presets', others: ['ultralytics/yolo', 'facebook/dinov2-base'] },
    'view=presets&other=ultralytics/yolo&other=facebook/dinov2-base',
  ],
  'settings, by the names of the API': [
    { settings: { ...initialSettings, recipe: 'own', width: '64', grayscale: false, mean: '0.5,0.4,0.3' } },
    'recipe=own&width=64&grayscale=false&mean=0.5,0.4,0.3',
  ],
  'a field that is emptied': [{ settings: { ...initialSettings, width: '' } }, 'width='],
  'an image by its URL': [
    { sources: [{ kind: 'url', url: 'https://images.example/a%20cat.jpg?size=3&b=4' }] },
    'url=https://images.example/a%2520cat.jpg?size%3D3%26b%3D4',
  ],
  'an example of a wrong tensor': [
    { view: 'skew', given: { ...noGiven, file: { kind: 'example', name: 'opencv-bgr' } } },
    'view=skew&example=opencv-bgr',
  ],
  'the name of a tensor, and the form of its values': [
    { view: 'skew', given: { file: { kind: 'upload', name: 'x.bin' }, shape: '1,3,8,8', datatype: 'FP16' } },
    'view=skew&tensor=x.bin&tensor_shape=1,3,8,8&tensor_datatype=FP16',
  ],
  'several images': [
    { sources: [{ kind: 'upload', name: 'ä b.jpg' }, { kind: 'sample' }], selected: 1 },
    'file=%C3%A4+b.jpg&sample=&selected=1',
  ],
};

describe(queryOf, () => {
  it.each(Object.entries(states))('writes and reads back %s', (_, [changes, query]) => {
    const state = { ...initial, ...changes };
    expect(queryOf(state, initial).replace('%3F', '?')).toBe(query);
    expect(stateOf(`?${queryOf(state, initial)}`, initial)).toEqual(state);
  });
});

describe('a configuration in the address', () => {
  const withConfig = (preprocessor_config: string): State => ({
    ...initial,
    settings: { ...initialSettings, recipe: 'config', preprocessor_config },
  });

  it('has no white space', () => {
    expect(decodeURIComponent(queryOf(withConfig('{\n  "size": 5\n}'), initial))).toBe(
      'recipe=config&preprocessor_config={"size":5}',
    );
  });

  it('is left out if it is too long for one', () => {
    expect(queryOf(withConfig(`{"a": "${'x'.repeat(5000)}"}`), initial)).toBe('recipe=config');
  });
});

describe(stateOf, () => {
  it('keeps what it cannot read as it is initially', () => {
    const query = '?view=none&filter=sharp&sizing=x&grayscale=2&selected=7&unknown=1&url=';
    expect(stateOf(query, initial)).toEqual(initial);
  });

  it('keeps a number that is out of range, so that the page can report it', () => {
    expect(stateOf('?width=70000', initial).settings.width).toBe('70000');
  });
});
