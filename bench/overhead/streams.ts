import { nextSerial, sha256 } from '../load.ts';
import { type Python, startPython } from '../python.ts';
import { asked, ended, startPart, workers } from '../services.ts';
import type { StreamQuestion } from './stream-sender.ts';
import { type Expected, works } from './works.ts';

/** Ways by which CLIP's tensors of the small photograph are made one after the other; each returns images/s. */
export interface Streams {
  readonly ways: ReadonlyMap<string, (count: number) => Promise<number>>;
  stop(): Promise<void>;
}

/** How the DataLoaders open a file. */
const loaders = {
  'DataLoader (Pillow)': 'pillow',
  'DataLoader (decode_image)': 'torch',
} as const;

/** ProcessStream from a process of its own, and torchvision in a DataLoader with a process for each core. */
export async function startStreams(
  processorUrl: string,
  python: string,
  { content }: Expected,
): Promise<Streams> {
  const { child } = await startPart('./overhead/stream-sender.ts', [processorUrl]);
  const ways = new Map<string, (count: number) => Promise<number>>([
    [
      'ours',
      async (count) => {
        let first = 0;
        for (let image = 0; image < count; image++) first = nextSerial();
        const question: StreamQuestion = { count, first: first - count + 1, expected: sha256(content) };
        return count / (await asked<number>(child, question));
      },
    ],
  ]);
  const script = new URL('../rivals/dataloader.py', import.meta.url);
  const pythons: Python[] = [];
  for (const [name, how] of Object.entries(loaders)) {
    const loader = await startPython(python, script, 'torch, torchvision, PIL', [String(workers), how]);
    if (loader === undefined) continue;
    pythons.push(loader);
    ways.set(name, dataLoader(loader));
  }
  return {
    ways,
    async stop() {
      for (const loader of pythons) loader.end();
      await ended(child);
    },
  };
}

function dataLoader(loader: Python): (count: number) => Promise<number> {
  const file = Buffer.from(works.smallClip.source).toString('base64');
  let loaded = 0;
  return async (count) => {
    if (loaded !== count) await loader.ask({ file, count });
    loaded = count;
    return count / (await loader.ask<number>({ count }));
  };
}
