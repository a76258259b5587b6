import type { PresetSettings as SettingsMessage } from '../../../gen/image/v1/processor_pb.ts';
import { imageOptions } from '../../options/image-options.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { PresetSettings, SettingName } from '../presets/preset.ts';
import { checkRequestedSide } from './limits.ts';

/**
 * The settings that a request gives to its preset.
 *
 * @throws OPTION_INVALID
 */
export function presetSettings(message: SettingsMessage | undefined): PresetSettings {
  if (message === undefined) return {};
  const { imgszHeight, imgszWidth, stride, rect } = message;
  if (imgszHeight === 0 && imgszWidth !== 0) {
    throw invalidOption('preset_settings.imgsz_width', imgszWidth, 'only with imgsz_height');
  }
  if (imgszHeight !== 0) checkRequestedSide('preset_settings.imgsz_height', imgszHeight);
  if (imgszWidth !== 0) checkRequestedSide('preset_settings.imgsz_width', imgszWidth);
  if (stride !== 0) checkRequestedSide('preset_settings.stride', stride);
  return {
    ...(imgszHeight !== 0 && { imgsz: { height: imgszHeight, width: imgszWidth || imgszHeight } }),
    ...(stride !== 0 && { stride }),
    ...(rect !== undefined && { rect }),
  };
}

/**
 * Refuses the settings that a preset does not have.
 *
 * @throws OPTION_INVALID
 */
export function checkSettings(settings: PresetSettings, known: readonly SettingName[]): void {
  const given = Object.keys(settings) as SettingName[];
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const allowed = known.length === 0 ? 'unset: this preset has no settings' : `one of ${known.join(', ')}`;
  throw invalidOption(imageOptions[unknown].field, 'set', allowed);
}
