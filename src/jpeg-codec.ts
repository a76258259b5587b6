/**
 * The library that decodes and encodes JPEGs, in words: `libjpeg-turbo 3.1.3 (bundled)`, or `sharp`. Their bytes are the
 * same.
 *
 * @param libraries - `provenance.libraries` of a response, with the version of TurboJPEG and, after a plus sign, its origin
 */
export function jpegCodecOf({ turbojpeg }: Readonly<Record<string, string>>): string {
  if (turbojpeg === undefined) return 'sharp';
  const [version, origin] = turbojpeg.split('+');
  return `libjpeg-turbo ${version}${origin === undefined ? '' : ` (${origin})`}`;
}
