import { describe, expect, it } from 'vitest';
import { createMachineSpeed } from '../../../src/processor/admission/machine-speed.ts';

function speedAfter(...ratios: number[]): number {
  const speed = createMachineSpeed();
  for (const ratio of ratios) speed.learn(10, 10 * ratio);
  return speed.slowness();
}
const times = (count: number, ratio: number) => new Array<number>(count).fill(ratio);

describe(createMachineSpeed, () => {
  it('assumes the expected speed until work shows otherwise', () => {
    expect(speedAfter()).toBe(1);
    expect(speedAfter(...times(15, 4))).toBe(1);
    expect(speedAfter(...times(16, 4))).toBe(4);
  });

  it('is not moved by a minority, however slow', () => {
    expect(speedAfter(...times(31, 2), ...times(15, 100_000))).toBe(2);
    expect(speedAfter(...times(31, 2), ...times(15, 0))).toBe(2);
  });

  it('forgets the earlier speed of a machine', () => {
    expect(speedAfter(...times(31, 8), ...times(31, 1))).toBe(1);
  });

  it('learns nothing from a piece without an expected time', () => {
    const speed = createMachineSpeed();
    for (let piece = 0; piece < 31; piece++) speed.learn(0, 1000);
    expect(speed.slowness()).toBe(1);
  });
});
