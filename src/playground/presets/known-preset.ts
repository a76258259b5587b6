import type { Size } from '../compare/geometry.ts';
import type { Settings } from '../form/settings.ts';
import { presetOfConfig } from './config-geometry.ts';
import { findPreset, type Preset } from './preset-list.ts';

/** The geometry of the preset of some settings, if the page knows it. @param result - the size of the service's result */
export function knownPreset(settings: Settings, result: Size): Preset | undefined {
  switch (settings.recipe) {
    case 'preset':
      return findPreset(settings.preset);
    case 'config':
      return presetOfConfig(settings.preprocessor_config, result);
    case 'own':
      return undefined;
  }
}
