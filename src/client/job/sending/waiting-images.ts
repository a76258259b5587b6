import { hostOf } from '../sources/hosts.ts';
import type { QueuedImage } from './queue-entry.ts';

/** Images that have not been begun, in their order; images of a host at its limit are passed over. */
export interface WaitingImages<Image> {
  isEmpty(): boolean;
  /** The image to begin next, if one may be begun. */
  peek(): Image | undefined;
  /** Removes what `peek` gives. */
  take(): void;
}

/** @param mayBegin - whether the image's host has room for it */
export function waitingImages<Image extends QueuedImage>(
  images: readonly Image[],
  mayBegin: (image: Image) => boolean,
): WaitingImages<Image> {
  let next = 0;
  /** Images that were passed over, by host, each list with the index of its first. */
  const passed = new Map<string, { readonly list: Image[]; first: number }>();
  let from: string | undefined;
  return {
    isEmpty: () => next === images.length && passed.size === 0,
    peek() {
      for (const [host, { list, first }] of passed) {
        const image = list[first] as Image;
        from = host;
        if (mayBegin(image)) return image;
      }
      from = undefined;
      for (; next < images.length; next++) {
        const image = images[next] as Image;
        const host = hostOf(image.source);
        if (host === undefined || (!passed.has(host) && mayBegin(image))) return image;
        const queue = passed.get(host);
        if (queue === undefined) passed.set(host, { list: [image], first: 0 });
        else queue.list.push(image);
      }
      return undefined;
    },
    take() {
      const queue = from === undefined ? undefined : passed.get(from);
      if (queue === undefined) next++;
      else if (++queue.first === queue.list.length) passed.delete(from as string);
    },
  };
}
