import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import { isExcluded } from '../../options/clash.ts';
import {
  type ImageOptions,
  imageOptions,
  type OptionName,
  standardDefaults,
} from '../../options/image-options.ts';
import { processRequest } from '../../options/image-request.ts';
import { type OptionTexts, parseOptions } from '../../options/parse-options.ts';
import type { Settings } from './settings.ts';

/*
 * The form's settings as the options of HTTP and as the message of gRPC. Both come from the same options, so a copied
 * call makes the pixels that the page shows.
 */

/** Options that are sent even if their field is empty, so that the empty field is refused. */
const required: readonly OptionName[] = ['preset', 'preprocessor_config', 'width', 'height', 'shortest_edge'];

/**
 * The options of image-api. Options that have a default are always sent, because the defaults of a service may differ
 * from the form's. Options that the form's choices exclude are left out.
 */
export function optionsOf(settings: Settings): OptionTexts {
  return optionsInForm(settings).filter(
    ([name, text]) => (text !== '' || required.includes(name)) && !isHidden(name, settings),
  );
}

/**
 * The message, without its source.
 *
 * @throws Failure OPTION_INVALID
 */
export function requestOf(settings: Settings): ProcessRequest {
  return processRequest({ case: undefined }, parseOptions(optionsOf(settings)).values, standardDefaults);
}

/** Whether the form's choices leave an option without effect. */
export function isHidden(name: OptionName, settings: Settings): boolean {
  return isExcluded(name, '', choicesOf(settings));
}

/** Whether the other settings exclude a word of an option. */
export function isWordExcluded(name: OptionName, word: string, settings: Settings): boolean {
  const others = optionsOf(settings).map(
    ([other, text]) => [other, parsed(other as OptionName, text)] as const,
  );
  return isExcluded(name, word, Object.fromEntries(others));
}

/** The options that the form's own choices (recipe, size, output) stand for. */
function choicesOf({ recipe, sizing, output, format, container }: Settings): ImageOptions {
  return {
    ...(recipe === 'own' ? sizeChoices[sizing] : recipeChoices[recipe]),
    format: parsed('format', output === 'tensor' ? container : format) as ImageOptions['format'],
  };
}

const recipeChoices = { preset: { preset: '' }, config: { preprocessor_config: '' } } as const;

const sizeChoices: Readonly<Record<Settings['sizing'], ImageOptions>> = {
  source: { scale: false },
  shortest_edge: { shortest_edge: 1 },
  box: { width: 1, height: 1 },
};

function optionsInForm(settings: Settings): (readonly [name: OptionName, text: string])[] {
  return [
    // A picture takes none of them.
    ['page', unlessDefault('page', settings)],
    ['dpi', unlessDefault('dpi', settings)],
    ['page_box', unlessDefault('page_box', settings)],
    ['annotations', unlessDefault('annotations', settings)],
    ...(settings.recipe === 'preset' ? presetOptions(settings) : []),
    ...(settings.recipe === 'config'
      ? ([['preprocessor_config', settings.preprocessor_config]] as const)
      : []),
    ...(settings.sizing === 'source' ? ([['scale', 'false']] as const) : []),
    ['width', settings.width],
    ['height', settings.height],
    ['shortest_edge', settings.shortest_edge],
    ['fit', settings.fit],
    ['filter', settings.filter],
    ['crop_width', settings.crop_width],
    ['crop_height', settings.crop_height],
    ['grayscale', String(settings.grayscale)],
    ['background', settings.background],
    ['orientation', unlessDefault('orientation', settings)],
    ['alpha', unlessDefault('alpha', settings)],
    ['format', settings.output === 'tensor' ? settings.container : settings.format],
    ['quality', settings.quality],
    // With pixels=uint8 no other datatype is allowed.
    ['datatype', settings.pixels === 'uint8' ? 'uint8' : settings.datatype],
    ['pixels', unlessDefault('pixels', settings)],
    ['layout', settings.layout],
    ['rescale', settings.rescale],
    ['mean', settings.mean],
    ['std', settings.std],
    ['channel_order', settings.channel_order],
    ['numerics', settings.numerics],
  ];
}

function presetOptions({ preset, imgsz, stride, rect }: Settings) {
  return [
    ['preset', preset],
    ['imgsz', imgsz],
    ['stride', stride],
    ['rect', rect ? 'true' : ''],
  ] as const;
}

/** The choice in a field whose default is the same in every service; empty for the default. */
function unlessDefault(name: SameInAllServices, settings: Settings): string {
  const value = String(settings[name]);
  return value === String(imageOptions[name].default) ? '' : value;
}

type SameInAllServices = 'page' | 'dpi' | 'page_box' | 'annotations' | 'orientation' | 'alpha' | 'pixels';

/** An option's value; a text that is not allowed stands for itself, because the rules ask only whether it is given. */
function parsed(name: OptionName, text: string): unknown {
  return imageOptions[name].kind.parse(text) ?? text;
}
