import type { ChannelOrder } from './hypothesis.ts';

const names = ['R', 'G', 'B'] as const;

/** The orders of a tensor's channels, the usual ones first. @param channels - their number */
export function channelOrdersOf(channels: number): readonly ChannelOrder[] {
  if (channels === 1) return [{ id: 'gray', words: {}, channels: [0] }];
  return orders.map((order) => {
    const id = order.map((channel) => names[channel]).join('');
    return { id, words: { channel_order: id }, channels: order };
  });
}

const orders = [
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
  [0, 2, 1],
  [1, 2, 0],
  [2, 0, 1],
] as const;
