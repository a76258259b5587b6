/** The ratio of actual to expected time of work on this machine. */
export interface MachineSpeed {
  /** Actual milliseconds in a worker per expected one. */
  slowness(): number;
  /** Records a finished piece of work. */
  learn(expectedMs: number, tookMs: number): void;
}

/** Pieces that count: enough that no caller's are half of them, few enough that they cover about an hour. */
const remembered = 31;

/**
 * The median of the latest ratios. A minority of slow pieces does not move it; with an average, one bomb would get the
 * honest images after it refused. The list starts as if every piece took the expected time.
 */
export function createMachineSpeed(): MachineSpeed {
  const ratios: number[] = new Array(remembered).fill(1);
  let oldest = 0;
  let median = 1;
  return {
    slowness: () => median,
    learn(expectedMs, tookMs) {
      if (expectedMs <= 0) return;
      ratios[oldest] = tookMs / expectedMs;
      oldest = (oldest + 1) % remembered;
      median = ratios.toSorted((a, b) => a - b)[(remembered - 1) / 2] as number;
    },
  };
}
