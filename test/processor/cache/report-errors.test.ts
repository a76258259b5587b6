import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createCacheErrorLog } from '../../../src/processor/cache/report-errors.ts';

describe(createCacheErrorLog, () => {
  it('logs one line per minute and tier, with the number of failures and without a stack', () => {
    const lines: { tier: string; failures: number; problem: string; err?: unknown }[] = [];
    let nowMs = 0;
    const report = createCacheErrorLog(
      pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
      () => nowMs,
    );
    const away = new Error('connect ECONNREFUSED 127.0.0.1:6379');
    for (nowMs = 0; nowMs < 150_000; nowMs += 1000) report('redis', away);
    report('memory', new Error('odd'));
    expect(lines).toEqual([
      expect.objectContaining({ tier: 'redis', failures: 1, problem: 'connect ECONNREFUSED 127.0.0.1:6379' }),
      expect.objectContaining({ tier: 'redis', failures: 60 }),
      expect.objectContaining({ tier: 'redis', failures: 60 }),
      expect.objectContaining({ tier: 'memory', failures: 1, problem: 'odd' }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('stack');
  });
});
