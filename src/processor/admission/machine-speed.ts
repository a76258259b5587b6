/** How long pieces of work take on this machine, compared with what was expected of them. */
export interface MachineSpeed {
  /** Milliseconds of a worker for each expected one. */
  slowness(): number;
  /** A piece is done. */
  learn(expectedMs: number, tookMs: number): void;
}

/** Pieces that are remembered. So many that half of them are not all of one caller, so few that they are of one hour. */
const remembered = 31;

/**
 * The median of the latest pieces, which a minority of them doesn't move however long it took: an average over all would
 * have one bomb refuse the honest images that come after it. The memory begins as if every piece took what was expected.
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
