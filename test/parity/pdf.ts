import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawGolden, pdfGoldens } from './pdf-goldens.ts';

const script = fileURLToPath(new URL('./make_pdf_goldens.py', import.meta.url));

/**
 * Compares the pages of the goldens with those of the installed pypdfium2, and prints each difference.
 *
 * @returns whether all bytes are equal
 */
export async function comparePdf(python: string): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'parity-pdf-'));
  try {
    for (const [index, golden] of pdfGoldens.entries()) {
      await writeFile(join(directory, `${index}.rgb`), (await drawGolden(golden)).data);
    }
    const { status } = spawnSync(python, [script, '--compare', directory], { stdio: 'inherit' });
    return status === 0;
  } finally {
    await rm(directory, { recursive: true });
  }
}
