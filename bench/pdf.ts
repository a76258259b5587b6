/*
 * Pages of PDFs: milliseconds of one core a page, beside pypdfium2 and pdf2image (poppler-utils), in alternating rounds.
 *
 *   node bench/pdf.ts [--rounds 5] [--python PATH]
 *
 * Each draws the same pages at 144 dpi to RGB in memory, in one process: the service's decoder without its transport.
 * The Python needs pypdfium2 and pdf2image; without pdf2image its column is left out.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { decodeWhole } from '../src/processor/codecs/decode.ts';
import { readHeader } from '../src/processor/codecs/read-header.ts';
import { defaultSource } from '../src/processor/image/default-source.ts';
import { pdfFixture } from '../test/parity/pdf-goldens.ts';
import { hasModules, startPython } from '../test/parity/python-peer.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: process.env.PYTHON || 'python3' },
  },
});

const documents = ['standard-fonts', 'embedded-fonts', 'vectors', 'images', 'gradients', 'transparency'];
const pagesPerRound = 3;

/** Milliseconds of CPU a page, by the document. */
async function ours(document: string): Promise<number> {
  const content = pdfFixture(document);
  const before = process.cpuUsage();
  for (let page = 0; page < pagesPerRound; page++) {
    await decodeWhole(content, await readHeader(content, 100_000_000, defaultSource));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / pagesPerRound;
}

async function main(): Promise<void> {
  const others = ['pypdfium2', 'pdf2image'].filter((name) => hasModules(options.python, [name]));
  const peer = startPython(options.python, new URL('./pdf.py', import.meta.url));
  const times = new Map<string, number[]>();
  const add = (key: string, ms: number) => times.set(key, [...(times.get(key) ?? []), ms]);
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const document of documents) {
      const own = await ours(document);
      // The first round compiles.
      if (round > 0) add(`${document} ours`, own);
      for (const library of others) {
        const message = { library, pages: pagesPerRound };
        const { reply } = await peer.request<{ ms: number }>(message, pdfFixture(document));
        if (round > 0) add(`${document} ${library}`, reply.ms);
      }
    }
  }
  peer.end();
  const median = (key: string) => {
    const sorted = (times.get(key) ?? []).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  const columns = ['ours', ...others];
  console.log(`| document | ${columns.map((name) => `${name}, ms a page`).join(' | ')} |`);
  console.log(`| --- |${' --- |'.repeat(columns.length)}`);
  for (const document of documents) {
    console.log(
      `| ${document} | ${columns.map((name) => median(`${document} ${name}`).toFixed(1)).join(' | ')} |`,
    );
  }
}

await main();
