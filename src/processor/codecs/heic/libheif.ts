import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/*
 * libheif's C API (heif.h of libheif 1.23) in WebAssembly, as built by the optional package libheif-js. Every image
 * gets its own instance: a hostile file that corrupts its decoder affects no other image.
 */

/** The functions in use. Structures are returned through a pointer in the first argument. */
interface Instance {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _heif_context_alloc(): number;
  _heif_context_read_from_memory(
    error: number,
    context: number,
    data: number,
    size: number,
    options: 0,
  ): void;
  _heif_context_get_primary_image_handle(error: number, context: number, handle: number): void;
  _heif_image_handle_get_preferred_decoding_colorspace(
    error: number,
    handle: number,
    colourspace: number,
    chroma: number,
  ): void;
  _heif_image_handle_get_width(handle: number): number;
  _heif_image_handle_get_height(handle: number): number;
  _heif_image_handle_has_alpha_channel(handle: number): number;
  _heif_image_handle_is_premultiplied_alpha(handle: number): number;
  _heif_image_handle_get_luma_bits_per_pixel(handle: number): number;
  _heif_image_handle_get_color_profile_type(handle: number): number;
  _heif_decoding_options_alloc(): number;
  _heif_decode_image(
    error: number,
    handle: number,
    image: number,
    colourspace: number,
    chroma: number,
    options: number,
  ): void;
  _heif_image_get_decoding_warnings(image: number, first: number, warnings: number, most: number): number;
  _heif_image_get_primary_width(image: number): number;
  _heif_image_get_primary_height(image: number): number;
  _heif_image_get_plane_readonly(image: number, channel: number, stride: number): number;
}

type Factory = (options: {
  readonly instantiateWasm: (imports: object, done: (instance: object, module: object) => void) => object;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Instance;

/** TypeScript declares WebAssembly only in the DOM's library. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const require = createRequire(import.meta.url);
const createInstance = require('libheif-js/libheif-wasm/libheif.js') as Factory;
const compiled = new WebAssembly.Module(
  readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm')),
);

export const libheifVersion = (require('libheif-js/package.json') as { readonly version: string }).version;

/** heif_colorspace, heif_chroma and heif_channel. */
const colourspace = { rgb: 1, monochrome: 2 } as const;
const chroma = { monochrome: 0, interleavedRgb: 10, interleavedRgba: 11 } as const;
const channel = { luma: 0, interleaved: 10 } as const;

/** Offsets in heif_decoding_options. */
const options = { convertHdrTo8Bit: 20, strictDecoding: 21 } as const;

/** An error that libheif returned: heif_error_code with its message. */
export class LibheifError extends Error {
  override readonly name = 'LibheifError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** heif_error_Unsupported_filetype and heif_error_Unsupported_feature. */
export const unsupportedCodes: readonly number[] = [3, 4];

/** The primary image of a file as libheif shows it: turned, mirrored and cropped by its properties. */
export interface HeifImage {
  readonly width: number;
  readonly height: number;
  readonly isGray: boolean;
  readonly hasAlpha: boolean;
  readonly isPremultiplied: boolean;
  /** Bits per sample of luma. */
  readonly bits: number;
  readonly hasIccProfile: boolean;
  /**
   * Decodes to [height, width, channels] samples with `stride` bytes per row: interleaved RGB or RGBA of 8 bits, or luma
   * of 8 bits, or of 16 with the lower `bits` in use. The bytes are valid until the next call.
   *
   * @throws LibheifError
   */
  decode(): {
    readonly bytes: Uint8Array;
    readonly stride: number;
    readonly width: number;
    readonly height: number;
  };
}

/**
 * Reads a file's boxes and finds its primary image.
 *
 * @throws LibheifError; RuntimeError where the WebAssembly code traps
 */
export function openHeif(content: Uint8Array): HeifImage {
  const heif = createInstance({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance, compiled);
      return instance.exports;
    },
    print() {},
    printErr() {},
  });
  // The instance is dropped with all of its memory, so its objects are not freed one by one.
  const file = heif._malloc(content.length);
  const error = heif._malloc(12);
  const out = heif._malloc(8);
  // The memory's buffer is replaced when it grows.
  const uint32 = (at: number): number =>
    new DataView(heif.HEAPU8.buffer, heif.HEAPU8.byteOffset).getUint32(at, true);
  const check = (): void => {
    if (uint32(error) !== 0) throw new LibheifError(uint32(error), textAt(heif.HEAPU8, uint32(error + 8)));
  };
  heif.HEAPU8.set(content, file);
  const context = heif._heif_context_alloc();
  heif._heif_context_read_from_memory(error, context, file, content.length, 0);
  check();
  heif._heif_context_get_primary_image_handle(error, context, out);
  check();
  const handle = uint32(out);
  heif._heif_image_handle_get_preferred_decoding_colorspace(error, handle, out, out + 4);
  check();
  const isMonochrome = uint32(out) === colourspace.monochrome;
  const hasAlpha = heif._heif_image_handle_has_alpha_channel(handle) !== 0;
  const isGray = isMonochrome && !hasAlpha;
  const profile = heif._heif_image_handle_get_color_profile_type(handle);
  return {
    width: heif._heif_image_handle_get_width(handle),
    height: heif._heif_image_handle_get_height(handle),
    isGray,
    hasAlpha,
    isPremultiplied: hasAlpha && heif._heif_image_handle_is_premultiplied_alpha(handle) !== 0,
    bits: heif._heif_image_handle_get_luma_bits_per_pixel(handle),
    hasIccProfile: profile === fourCc('prof') || profile === fourCc('rICC'),
    decode() {
      const decoding = heif._heif_decoding_options_alloc();
      // As pillow-heif: gray keeps its bits, for the caller to reduce.
      heif.HEAPU8[decoding + options.convertHdrTo8Bit] = isGray ? 0 : 1;
      // A warning means that pixels are missing.
      heif.HEAPU8[decoding + options.strictDecoding] = 1;
      const space = isGray ? colourspace.monochrome : colourspace.rgb;
      const colour = hasAlpha ? chroma.interleavedRgba : chroma.interleavedRgb;
      heif._heif_decode_image(error, handle, out, space, isGray ? chroma.monochrome : colour, decoding);
      check();
      const image = uint32(out);
      const warnings = heif._heif_image_get_decoding_warnings(image, 0, 0, 0);
      if (warnings > 0) throw new LibheifError(0, `${warnings} warnings of the decoder`);
      const plane = heif._heif_image_get_plane_readonly(
        image,
        isGray ? channel.luma : channel.interleaved,
        out,
      );
      const stride = uint32(out);
      const width = heif._heif_image_get_primary_width(image);
      const height = heif._heif_image_get_primary_height(image);
      if (plane === 0) throw new LibheifError(0, 'no pixels');
      return { bytes: heif.HEAPU8.subarray(plane, plane + stride * height), stride, width, height };
    },
  };
}

function textAt(memory: Uint8Array, at: number): string {
  const end = memory.indexOf(0, at);
  return Buffer.from(memory.subarray(at, end)).toString('latin1');
}

function fourCc(name: string): number {
  return Buffer.from(name, 'latin1').readUInt32BE(0);
}
