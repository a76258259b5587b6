import type { Levels } from './hypothesis.ts';

/** Whether a picture has one channel, or three equal ones. */
export function isGray({ data, channels }: Levels): boolean {
  if (channels === 4) return false;
  for (let at = 0; at < data.length && channels === 3; at += 3) {
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return false;
  }
  return true;
}
