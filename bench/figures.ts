import process from 'node:process';

/*
 * The figures to reach. A part that has measured one tells it to run.ts, which makes the last table of them.
 */

interface Target {
  readonly what: string;
  readonly limit: number;
  /** Of several values the worst counts. */
  readonly isAtLeast?: true;
  readonly unit: '×' | 'ms';
}

export const targets = {
  allButPixels: {
    what: 'CPU of all but pixels, both services: 0.8 MB there, 150 KB back (body; multipart)',
    limit: 6,
    unit: 'ms',
  },
  grayJpegFast: {
    what: '6 MP JPEG → 1024 × 768 gray JPEG, fast, whole service, relative to sharp’s obvious chain: CPU',
    limit: 0.5,
    unit: '×',
  },
  grayJpegExact: { what: 'the same, exact', limit: 0.5, unit: '×' },
  tensorExact: {
    what: '6 MP JPEG → 224² FP32 NCHW, exact, whole service, relative to Pillow + numpy: CPU',
    limit: 0.8,
    unit: '×',
  },
  throughput: {
    what: 'whole service at saturation beside the floor: throughput, of all works',
    limit: 0.85,
    isAtLeast: true,
    unit: '×',
  },
  cacheHit: { what: 'cache hit beside a miss of the same request: CPU, of all works', limit: 0.1, unit: '×' },
  variants: { what: '3 outputs of one 6 MP source beside one output: CPU', limit: 1.5, unit: '×' },
  patchesWorker: {
    what: '720p JPEG → Qwen2.5-VL uint8 patches, the worker beside transformers’ torch backend: CPU',
    limit: 1,
    unit: '×',
  },
  patchesService: {
    what: 'the same, whole service beside transformers in FastAPI: CPU',
    limit: 0.7,
    unit: '×',
  },
  resamplerPillow: { what: 'resampler beside Pillow’s, RGB', limit: 0.4, unit: '×' },
  resamplerLibvips: { what: 'resampler beside libvips’ on the same pixels', limit: 1.3, unit: '×' },
  tensorStage: { what: 'tensor 224² FP32 NCHW beyond the resize: CPU', limit: 1, unit: 'ms' },
  eventLoop: { what: 'the processor’s event-loop delay, p99, all workers busy', limit: 20, unit: 'ms' },
} as const satisfies Record<string, Target>;

export interface Reached {
  readonly figure: keyof typeof targets;
  readonly values: readonly number[];
  /** The error of a shortcut. */
  readonly beside: string;
}

/** Reports a figure to run.ts; a part that runs separately prints only its tables. */
export function reach(figure: keyof typeof targets, values: readonly number[], beside = ''): void {
  process.send?.({ figure, values, beside } satisfies Reached);
}

/** The table's rows, in the order above. */
export function figureRows(reached: readonly Reached[]): string[][] {
  const rows = Object.entries(targets).map(([name, target]: [string, Target]) => {
    const found = reached.find(({ figure }) => figure === name);
    const sign = target.isAtLeast ? '≥' : '≤';
    const limit = `${sign} ${target.limit} ${target.unit}`;
    if (found === undefined || found.values.length === 0) return [target.what, limit, 'not measured', '', ''];
    const [least, most] = [Math.min(...found.values), Math.max(...found.values)];
    const isReached = target.isAtLeast ? least >= target.limit : most <= target.limit;
    const shown = [...new Set([least, most].map((value) => value.toFixed(2)))].join(' to ');
    return [target.what, limit, `${shown} ${target.unit}`, isReached ? 'yes' : '**no**', found.beside];
  });
  return [['what', 'limit', 'now', 'reached', 'error'], ...rows];
}
