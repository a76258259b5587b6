import type { ChannelOrder } from './hypothesis.ts';

/** The orders of a tensor's channels. @param channels - their number */
export function channelOrdersOf(channels: number): readonly ChannelOrder[] {
  if (channels === 1) return [{ id: 'gray', words: {}, channels: [0] }];
  return [
    { id: 'RGB', words: { channel_order: 'RGB' }, channels: [0, 1, 2] },
    { id: 'BGR', words: { channel_order: 'BGR' }, channels: [2, 1, 0] },
  ];
}
