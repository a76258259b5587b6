import { describe, expect, it } from 'vitest';
import { createStopwatch } from '../../src/processor/stopwatch.ts';

describe(createStopwatch, () => {
  it('records the start and the duration of each stage, in the order in which they ended', async () => {
    const { time, stages } = createStopwatch();
    expect(await time('first', () => 7)).toBe(7);
    await time('second', async () => {});
    const [first, second] = stages;
    expect(stages.map(({ name }) => name)).toEqual(['first', 'second']);
    expect(first?.startMs).toBeGreaterThanOrEqual(0);
    expect(second?.startMs).toBeGreaterThanOrEqual((first?.startMs ?? 0) + (first?.durationMs ?? 0));
  });

  it('reports each stage to a listener when it ends, with the error of one that fails', async () => {
    const heard: unknown[] = [];
    const { time, stages } = createStopwatch((name, startMs, endMs, error) => {
      heard.push([name, endMs >= startMs, error]);
    });
    const problem = new Error('no');
    await time('good', () => {});
    await expect(time('bad', () => Promise.reject(problem))).rejects.toBe(problem);
    expect(heard).toEqual([
      ['good', true, undefined],
      ['bad', true, problem],
    ]);
    expect(stages.map(({ name }) => name)).toEqual(['good']);
  });

  it('places the stages of another process in the middle of the time of its request', () => {
    const heard: { name: string; startMs: number; endMs: number }[] = [];
    const stopwatch = createStopwatch((name, startMs, endMs) => void heard.push({ name, startMs, endMs }));
    const before = performance.now();
    const others = [
      { name: 'decode', startMs: 1, durationMs: 20 },
      { name: 'encode', startMs: 22, durationMs: 8 },
    ];
    stopwatch.addRemote(others, before - 40);
    const after = performance.now();
    const [decode, encode] = heard;
    // 40 ms and a little, of which the stages took 30: 5 ms before them and 5 after.
    expect(decode?.startMs).toBeGreaterThanOrEqual(before - 40 + 5 + 1);
    expect(encode?.endMs).toBeLessThanOrEqual(after);
    expect((encode?.startMs ?? 0) - (decode?.startMs ?? 0)).toBeCloseTo(21, 6);
    expect(stopwatch.stages).toEqual([]);
  });
});
