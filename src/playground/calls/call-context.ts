import type { ImageDefaults } from '../../options/image-options.ts';
import type { Settings } from '../form/settings.ts';

/** The file of another program, in the working directory. */
export interface GivenFile {
  readonly field: 'tensor' | 'picture';
  readonly name: string;
  /** Of raw values. */
  readonly raw?: { readonly shape: readonly number[]; readonly datatype: string } | undefined;
}

/** The context of a call, besides the settings. */
export interface CallContext {
  /** The image: a file of that name in the working directory, or a URL. */
  readonly source: { readonly file: string } | { readonly url: string };
  /** Origin of image-api. */
  readonly api: string;
  /** `host:port` of image-processor. */
  readonly processor: string;
  /** Whether the API requires a key. */
  readonly needsKey: boolean;
  /** Whether the image is an encrypted document. */
  readonly isEncrypted?: boolean | undefined;
  /** The defaults of image-api: options that equal them are left out. */
  readonly defaults: ImageDefaults;
  /** The tensor of another program that is compared; undefined in the other views. */
  readonly given?: GivenFile | undefined;
  /** Length of the response, if it is known: gRPC clients accept 4 MiB by default. */
  readonly responseBytes: number | undefined;
  /** Content type of the response, if it is known: it decides the name of an automatic container. */
  readonly responseType?: string | undefined;
}

/** The environment variable of the API key in every call: a key is never part of the text. */
export const keyVariable = 'IMAGE_API_KEY';

/** The same for the password of a document. image-client reads it too. */
export const passwordVariable = 'IMAGE_DOCUMENT_PASSWORD';

/** Endings of containers that are not named after theirs. */
const containerEndings: Readonly<Record<string, string>> = {
  raw: 'bin',
  vllm: 'json',
  open_inference: 'bin',
};

/** A name for the output file of a call. */
export function outputName(
  { output, format, container }: Settings,
  source: CallContext['source'],
  responseType = '',
): string {
  if (output === 'tensor') {
    const [, automatic = 'npy'] = /^application\/.*[.-](npy|npz|safetensors)$/.exec(responseType) ?? [];
    const name = container === 'auto' ? automatic : container;
    return `output.${containerEndings[name] ?? name}`;
  }
  const [, own = ''] = /\.(jpe?g|png|webp)$/i.exec(nameOf(source)) ?? [];
  const endings: Readonly<Record<string, string>> = { jpeg: 'jpg', source: own.toLowerCase() || 'png' };
  return `output.${endings[format] ?? format}`;
}

function nameOf(source: CallContext['source']): string {
  return 'file' in source ? source.file : (URL.parse(source.url)?.pathname ?? '');
}

/** A string literal of JavaScript, Python and Go: all three accept JSON's. */
export function literal(text: string): string {
  // Go and JavaScript read \u escapes, which JSON.stringify writes for control characters, as Python does.
  return JSON.stringify(text);
}
