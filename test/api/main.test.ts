import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';

const program = fileURLToPath(new URL('../../src/api/main.ts', import.meta.url));

describe('image-api', () => {
  it('ends with 78 and one line per variable when its environment is bad', async () => {
    const { code, stderr, stdout } = await run(process.execPath, [program], {
      env: { PORT: 'http', IMAGE_FIT: 'squeeze' },
    });
    expect(code).toBe(78);
    expect(stdout.toString()).toBe('');
    expect(stderr.trim().split('\n')).toEqual([
      'PORT is "http"; allowed: a whole number from 0 to 65535',
      'IMAGE_FIT is "squeeze"; allowed: one of fill, cover, contain, inside, outside',
    ]);
  });

  it('ends with 0 after SIGTERM', async () => {
    const { code, stdout } = await run(process.execPath, [program], {
      env: { HOST: '127.0.0.1', PORT: '0' },
      started: (child) => {
        child.stdout?.once('data', () => child.kill('SIGTERM'));
      },
    });
    expect(code).toBe(0);
    const lines = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(lines).toEqual([
      'image-api listens',
      'authentication is off: only this machine reaches the port',
      'draining',
      'bye',
    ]);
  });
});
