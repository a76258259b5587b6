/**
 * The brands of an ISO base media file (ISO/IEC 14496-12, 4.3): the major one, then the compatible ones.
 *
 * @param head - the first bytes of the file
 * @returns none for another kind of file
 */
export function brandsOf(head: Buffer): string[] {
  if (head.toString('latin1', 4, 8) !== 'ftyp') return [];
  const end = Math.min(head.readUInt32BE(0), head.length);
  const brands: string[] = [];
  for (let at = 8; at + 4 <= end; at += 4) {
    // The minor version is between the two.
    if (at !== 12) brands.push(head.toString('latin1', at, at + 4));
  }
  return brands;
}
