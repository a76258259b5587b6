import { describe, expect, it } from 'vitest';
import { checkSettings, presetSettings } from '../../../src/processor/rules/preset-settings.ts';
import { failureOf } from '../../support/failure.ts';
import { invalid, refusal } from '../../support/plan-of-request.ts';

const message = (fields: Partial<Parameters<typeof presetSettings>[0]>) =>
  ({ $typeName: 'image.v1.PresetSettings', imgszHeight: 0, imgszWidth: 0, stride: 0, ...fields }) as const;

describe(presetSettings, () => {
  it('reads one length as both sides', () => {
    expect(presetSettings(message({ imgszHeight: 640 }))).toEqual({ imgsz: { height: 640, width: 640 } });
    expect(presetSettings(message({ imgszHeight: 480, imgszWidth: 640, stride: 64, rect: false }))).toEqual({
      imgsz: { height: 480, width: 640 },
      stride: 64,
      rect: false,
    });
  });

  it('is empty if nothing is set', () => {
    expect(presetSettings(undefined)).toEqual({});
    expect(presetSettings(message({}))).toEqual({});
  });

  it.each([
    [{ imgszWidth: 640 }, 'imgsz_width'],
    [{ imgszHeight: 70_000 }, 'imgsz_height'],
    [{ imgszHeight: 1, imgszWidth: 70_000 }, 'imgsz_width'],
    [{ stride: 70_000 }, 'stride'],
  ])('refuses %j', (fields, name) => {
    expect(failureOf(() => presetSettings(message(fields)))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: `preset_settings.${name}` },
    });
  });
});

describe(checkSettings, () => {
  it('refuses a setting that the preset does not have', () => {
    expect(() => checkSettings({ stride: 32 }, ['stride'])).not.toThrow();
    expect(failureOf(() => checkSettings({ rect: true }, ['imgsz', 'stride']))).toMatchObject({
      metadata: { option: 'preset_settings.rect', allowed: 'one of imgsz, stride' },
    });
  });

  it('refuses every setting beside a preset that has none', () => {
    expect(refusal({ preset: 'clip-vit-base-patch32', presetSettings: { stride: 32 } })).toEqual(
      invalid('preset_settings.stride', 'set', 'unset: this preset has no settings'),
    );
  });
});
