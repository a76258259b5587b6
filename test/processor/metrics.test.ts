import { describe, expect, it } from 'vitest';
import { createAdmission } from '../../src/processor/admission/admission.ts';
import { createProcessorMetrics } from '../../src/processor/metrics.ts';
import { createMetricsRegistry } from '../../src/telemetry/telemetry.ts';

describe(createProcessorMetrics, () => {
  it('shows pages beside images: in the workers, in the queue, and their memory', async () => {
    const registry = createMetricsRegistry();
    const metrics = createProcessorMetrics(registry);
    const images = createAdmission('images are being processed', 4, 4);
    const pages = createAdmission('pages are being drawn', 1, 4);
    metrics.watchAdmission('images', images);
    metrics.watchAdmission('pages', pages);
    const held = Promise.withResolvers<void>();
    const price = { memoryBytes: 100, workMs: 1, waitingBytes: 7 };
    const { signal } = new AbortController();
    const running = [1, 2, 3].map(() => pages.run(() => held.promise, signal, price));
    running.push(images.run(() => held.promise, signal, price));
    const values = async (work: string) =>
      Object.fromEntries(
        [...(await registry.metrics()).matchAll(/^image_processor_(images|pages)_(\w+) (\d+)$/gm)]
          .filter(([, of]) => of === work)
          .map(([, , name = '', value]) => [name, Number(value)]),
      );
    expect(await values('pages')).toEqual({ running: 1, waiting: 2, running_bytes: 100, waiting_bytes: 14 });
    expect(await values('images')).toEqual({ running: 1, waiting: 0, running_bytes: 100, waiting_bytes: 0 });
    held.resolve();
    await Promise.all(running);
    expect(await values('pages')).toEqual({ running: 0, waiting: 0, running_bytes: 0, waiting_bytes: 0 });
  });
});
