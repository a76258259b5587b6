import { initialSettings, type Settings } from '../../../src/playground/form/settings.ts';

/** Settings without a preset, for an image of 1024 × 768: the defaults of the API. */
export const ownSettings: Settings = { ...initialSettings, recipe: 'own', output: 'image', container: 'npy' };
