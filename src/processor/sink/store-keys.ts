import { extensionOf } from '../../file-extension.ts';
import { addressBelow, type BucketPrefix, type ObjectAddress } from '../../object-storage/object-address.ts';
import type { Plan } from '../image/plan.ts';
import { contentTypes } from '../image/tensor-container.ts';

/*
 * The layout of stored objects: PREFIX/vNUMERICS/KEY[0:2]/KEY.EXTENSION for responses, PREFIX/sources/SHA256[0:2]/SHA256
 * for sources. A lifecycle rule of the bucket can name either by its prefix.
 */

/** The address of a response. @param numericsVersion - as in its provenance: `3+pillow-13.0` */
export function responseAddress(
  store: BucketPrefix,
  numericsVersion: string,
  key: string,
  extension: string,
): ObjectAddress {
  // In a URL many programs read `+` as a space.
  const version = numericsVersion.replaceAll(/[^a-zA-Z0-9._-]/g, '-');
  return addressBelow(store, `v${version}/${key.slice(0, 2)}/${key}.${extension}`);
}

/** The address of a source. */
export function sourceAddress(store: BucketPrefix, sha256: string): ObjectAddress {
  return addressBelow(store, `sources/${sha256.slice(0, 2)}/${sha256}`);
}

/** The extensions that a plan's response may have: several only for an image in its source's format. */
export function possibleExtensions({ output }: Plan): readonly string[] {
  if (output.kind === 'tensor') {
    return [output.container === 'vllm' ? 'json' : extensionOf(contentTypes[output.container])];
  }
  return output.format === undefined ? ['jpg', 'png', 'webp'] : [extensionOf(`image/${output.format}`)];
}
