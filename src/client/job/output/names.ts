import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { imageFormats } from '../../../options/image-options.ts';
import { endingOfFormat, formatOfPath } from '../../output-format.ts';
import { type FoundImage, imageMembers, type JobFailure, type JobImage, nameOfImage } from '../images.ts';
import { ownFailure } from '../journal/own-failures.ts';
import { foldedName, isOwnName } from '../journal/own-names.ts';
import { bytesOfName, textOfName } from './file-names.ts';

/** The longest name on common file systems, in bytes, minus room for a suffix. */
const maxSegmentBytes = 200;

/**
 * Gives every image an output of its own: `a.jpg` becomes `a.npy`. Where two images would get one name (`a.jpg` and
 * `a.png`), each keeps its own ending before the new one (`a.jpg.npy`, `a.png.npy`); where that is not enough, each gets
 * 16 digits of a SHA-256 of name and source. So names do not depend on the order of the images. Case is ignored, as on
 * many file systems. An image that is named twice counts once. The names of the job's own files are refused. A page of a
 * document has its number after the name, with as many digits as the last page's: `a.pdf` becomes `a-p003.png`.
 *
 * @param format - the option `format`. With `source`, an output has its source's ending if that format can be written,
 *   else .png, like the processor's outputs
 */
export function nameOutputs(
  found: readonly FoundImage[],
  format: string,
): { images: JobImage[]; refused: JobFailure[] } {
  const once = new Map(found.map((image) => [`${image.name}\0${nameOfImage(image)}`, image]));
  let unnamed = [...once.values()];
  const images: JobImage[] = [];
  const refused: JobFailure[] = [];
  // A file cannot have the name of a folder that contains others.
  const taken = new Set(found.flatMap(({ name }) => foldersOf(fitted(name)).map(foldedName)));
  for (const attempt of [shortName, nameWithEnding, nameWithHash]) {
    const groups = Map.groupBy(unnamed, (image) => foldedName(attempt(image, format)));
    unnamed = [];
    for (const [key, group] of groups) {
      const [image, ...others] = group;
      if (image !== undefined && others.length === 0 && !taken.has(key)) {
        taken.add(key);
        if (isOwnName(key)) refused.push(ownNameFailure(image, attempt(image, format)));
        else images.push(namedImage(image, attempt(image, format)));
      } else {
        unnamed.push(...group);
      }
    }
  }
  if (unnamed.length > 0) throw new Error(`no name is left for ${unnamed[0]?.name}`);
  return { images: images.sort((a, b) => (a.output < b.output ? -1 : 1)), refused };
}

function namedImage({ source, page }: FoundImage, output: string): JobImage {
  return { source, output, ...(page !== undefined && { page }) };
}

function ownNameFailure(image: FoundImage, output: string): JobFailure {
  const { row } = image;
  const message = `"${output}" is the name of one of the job's own files; give the output another name.`;
  const where = row === undefined ? {} : { list: row.list, line: String(row.line) };
  return {
    ...imageMembers(image),
    ...ownFailure('NAME_FORBIDDEN', message, { name: output, ...where }),
  };
}

function shortName(image: FoundImage, format: string): string {
  return `${fitted(stemOf(image))}${pageSuffix(image)}${endingFor(image, format)}`;
}

function nameWithEnding(image: FoundImage, format: string): string {
  return `${fitted(image.name)}${pageSuffix(image)}${endingFor(image, format)}`;
}

function nameWithHash(image: FoundImage, format: string): string {
  const hash = digest(`${image.name}\0${nameOfImage(image)}`);
  return `${fitted(image.name)}~${hash}${pageSuffix(image)}${endingFor(image, format)}`;
}

function pageSuffix({ page }: FoundImage): string {
  if (page === undefined) return '';
  return `-p${String(page.number).padStart(String(page.of).length, '0')}`;
}

function stemOf({ name, isGivenName }: FoundImage): string {
  const { dir, name: stem } = posix.parse(name);
  return isGivenName ? name : posix.join(dir, stem);
}

function endingFor({ name, isGivenName, page, format: recognised }: FoundImage, format: string): string {
  if (format !== 'source') return endingOfFormat(format);
  if (page !== undefined) return endingOfFormat('png');
  const ending = isGivenName ? '' : posix.extname(name);
  if (ending === '') return '';
  const isWritten = (one: string | undefined) => imageFormats.some((written) => written === one);
  if (isWritten(formatOfPath(name))) return ending;
  return endingOfFormat(recognised !== undefined && isWritten(recognised) ? recognised : 'png');
}

/** A path whose segments are short enough for a file system. A hash replaces the part that is cut off. */
function fitted(path: string): string {
  return path
    .split('/')
    .map((segment) => {
      const bytes = bytesOfName(segment);
      if (bytes.length <= maxSegmentBytes) return segment;
      // A character that was cut in two is removed.
      const start = textOfName(bytes.subarray(0, maxSegmentBytes - 20)).replace(/[\udc80-\udcff]+$/, '');
      return `${start}~${digest(segment)}`;
    })
    .join('/');
}

function foldersOf(path: string): string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, at) => segments.slice(0, at + 1).join('/'));
}

function digest(text: string): string {
  return createHash('sha256').update(bytesOfName(text)).digest('hex').slice(0, 16);
}
