/** What the form says: the words of the options (src/options/image-options.ts), as they were typed. */
export interface Settings {
  readonly recipe: 'own' | 'preset';
  readonly preset: string;
  readonly sizing: 'box' | 'shortest_edge' | 'source';
  readonly width: string;
  readonly height: string;
  readonly shortestEdge: string;
  readonly fit: string;
  readonly filter: string;
  readonly cropWidth: string;
  readonly cropHeight: string;
  readonly grayscale: boolean;
  readonly background: string;
  readonly numerics: string;
  readonly output: 'image' | 'tensor';
  readonly format: string;
  readonly quality: string;
  readonly container: string;
  readonly datatype: string;
  readonly layout: string;
  readonly rescale: string;
  readonly mean: string;
  readonly std: string;
  readonly channelOrder: string;
}

/** What stands in the form until the service has said which defaults it has. */
export const initialSettings: Settings = {
  recipe: 'own',
  preset: 'clip-vit-base-patch32',
  sizing: 'box',
  width: '1024',
  height: '768',
  shortestEdge: '256',
  fit: 'fill',
  filter: 'bilinear',
  cropWidth: '',
  cropHeight: '',
  grayscale: true,
  background: '',
  numerics: 'exact',
  output: 'image',
  format: 'source',
  quality: '',
  container: 'npy',
  datatype: 'fp32',
  layout: 'nchw',
  rescale: '',
  mean: '',
  std: '',
  channelOrder: 'rgb',
};

/** The settings with which the image can be looked at without loss: as PNG, before it is rescaled. */
export function asPng(settings: Settings, numerics: 'exact' | 'fast'): Settings {
  return { ...settings, numerics, output: 'image', format: 'png', quality: '' };
}
