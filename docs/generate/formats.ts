import { imageFormats, tensorContainers } from '../../src/options/image-options.ts';
import { codecOf, defaultFormats, sourceFormats } from '../../src/processor/codecs/codecs.ts';
import { code, table } from './markdown.ts';

/* The tables of docs/formats.md, out of the table of codecs and the values of `format`. */

export function formatsRead(): string {
  return table(
    ['format', 'name in `SOURCE_FORMATS`', 'on by default', 'package to install'],
    sourceFormats.map((format) => {
      const { name, peer } = codecOf(format);
      const isDefault = defaultFormats.includes(format) ? 'yes' : 'no';
      return [
        name,
        code(format),
        isDefault,
        peer === undefined ? 'none' : code(`${peer.package}@${peer.version}`),
      ];
    }),
  );
}

export function formatsWritten(): string {
  return table(
    ['output', 'values of `format`'],
    [
      ['an image', imageFormats.map(code).join(', ')],
      ['tensors', tensorContainers.map(code).join(', ')],
    ],
  );
}
