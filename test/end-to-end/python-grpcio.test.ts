import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { encoded, photoLike, redGreenBlue } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { startService } from '../support/service.ts';
import { findPythonWithGrpc } from '../support/tools.ts';

const python = findPythonWithGrpc();
const script = fileURLToPath(new URL('process_image.py', import.meta.url));

describe.skipIf(python === undefined)('Python grpcio against image-processor', () => {
  /** The output of the script. */
  let printed: Record<string, unknown>;
  beforeAll(async () => {
    await using service = await startService();
    const folder = await mkdtemp(join(tmpdir(), 'python-grpcio-'));
    const picture = join(folder, 'picture.png');
    const large = join(folder, 'large.jpg');
    await writeFile(picture, await encoded(redGreenBlue, 'png'));
    // A megabyte, which is many windows of HTTP/2's default.
    await writeFile(large, await encoded(photoLike(2725, 2225), 'jpeg', { quality: 80 }));
    const result = await run(python ?? '', [script, service.address, picture, large]);
    await rm(folder, { recursive: true });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    printed = JSON.parse(result.stdout.toString());
  });

  it('gets red, green and blue as a tensor of 76, 150 and 29', () => {
    expect(printed.tensor).toEqual({ values: [76, 150, 29], shape: [1, 1, 1, 3], datatype: 'UINT8' });
  });

  it('sends images of a megabyte', () => {
    expect(printed.resized).toEqual([
      ['image/jpeg', 1024, 768],
      ['image/jpeg', 1024, 768],
      ['image/jpeg', 1024, 768],
    ]);
  });

  it('gets the reason of a failure', () => {
    expect(printed.failure).toMatchObject({ code: 'INVALID_ARGUMENT', has_reason: true });
  });

  it('streams images, of which one fails and the others do not', () => {
    expect(printed.stream).toEqual({
      '0': 'response',
      '1': 'response',
      '2': 'response',
      '3': 'response',
      '4': 'response',
      bad: 'failure',
    });
  });
});
