import { type Box, readFullBox, readPlainBox } from './boxes.ts';
import type { ColourCoding } from './sequence-header.ts';

/** Properties of an item, or of a track's samples. */
export interface Properties {
  readonly size: { readonly width: number; readonly height: number } | undefined;
  /** The body of `av1C`. */
  readonly configuration: Buffer | undefined;
  readonly coding: ColourCoding | undefined;
  readonly hasIccProfile: boolean;
  /** Anti-clockwise, in steps of 90°. */
  readonly rotation: number;
  /** 0: top and bottom are swapped; 1: left and right; unset: not mirrored. */
  readonly mirrorAxis: number | undefined;
  readonly auxiliaryType: string | undefined;
  /** Name of an essential property that is unknown here or has an unknown value. */
  readonly unsupported: string | undefined;
}

export const noProperties: Properties = {
  size: undefined,
  configuration: undefined,
  coding: undefined,
  hasIccProfile: false,
  rotation: 0,
  mirrorAxis: undefined,
  auxiliaryType: undefined,
  unsupported: undefined,
};

/** Adds one property to those of an item: ISO/IEC 23008-12, 6.5. The first of a kind counts. */
export function readProperties(
  boxes: readonly { readonly box: Box; readonly isEssential: boolean }[],
): Properties {
  const found: { -readonly [Name in keyof Properties]: Properties[Name] } = { ...noProperties };
  for (const { box, isEssential } of boxes) {
    const { type, body } = box;
    if (type === 'ispe') {
      const entry = readFullBox(body);
      found.size ??= { width: entry.unsigned(4), height: entry.unsigned(4) };
    } else if (type === 'av1C') found.configuration ??= body;
    else if (type === 'colr') readColour(found, body);
    else if (type === 'irot') found.rotation = body.readUInt8(0) & 3;
    else if (type === 'imir') found.mirrorAxis = body.readUInt8(0) & 1;
    else if (type === 'auxC' || type === 'auxi') found.auxiliaryType ??= readFullBox(body).text();
    else if (type === 'lsel') readLayer(found, body);
    else if (type === 'a1op') found.unsupported ??= body.readUInt8(0) === 0 ? undefined : type;
    // Pillow ignores the clean aperture, so it is not cropped here.
    else if (isEssential && type !== 'clap' && type !== 'pasp' && type !== 'pixi') found.unsupported ??= type;
  }
  return found;
}

/** ISO/IEC 14496-12, 12.1.5. A file may contain both `nclx` and an ICC profile. */
function readColour(found: { coding: Properties['coding']; hasIccProfile: boolean }, body: Buffer): void {
  const kind = body.toString('latin1', 0, 4);
  if (kind === 'prof' || kind === 'rICC') found.hasIccProfile = true;
  if (kind !== 'nclx') return;
  const entry = readPlainBox(body, 4);
  const primaries = entry.unsigned(2);
  entry.unsigned(2);
  const matrix = entry.unsigned(2);
  found.coding ??= { primaries, matrix, isFullRange: entry.unsigned(1) >= 0x80 };
}

const allLayers = 0xffff;

function readLayer(found: { unsupported: string | undefined }, body: Buffer): void {
  if (body.readUInt16BE(0) !== allLayers) found.unsupported ??= 'lsel';
}

const alphaUrns = ['urn:mpeg:mpegB:cicp:systems:auxiliary:alpha', 'urn:mpeg:hevc:2015:auxid:1'];

/** Whether an auxiliary image or track of this type is alpha (ISO/IEC 23008-12, 6.5.8). */
export function isAlphaType(type: string): boolean {
  return alphaUrns.includes(type);
}
