import { createRequire } from 'node:module';

/** Memory of a process that is in use, in bytes. A leak grows one of these, whatever is done with the memory that is free. */
export interface LiveMemory {
  /**
   * Objects on V8's heap after full collections. Compiled code is left out: V8 makes it for functions as they are called more
   * often, for some thousand requests, and it has a bound.
   */
  readonly objects: number;
  /** Bytes that malloc has handed out and not got back; buffers are part of them. */
  readonly native: number;
  /** The process after malloc has given its free memory back. */
  readonly rss: number;
}

/** An expression that gives the live memory of the process that evaluates it: a promise of LiveMemory. */
export function liveMemoryExpression(): string {
  const koffi = createRequire(import.meta.url).resolve('koffi');
  return `(${lookAtMemory})(${JSON.stringify(koffi)})`;
}

/** Is sent as text: it must use nothing from outside. */
async function lookAtMemory(koffiPath: string): Promise<LiveMemory> {
  const { getHeapSpaceStatistics, setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  const { createRequire: requireFrom } = process.getBuiltinModule('node:module');
  const koffi = requireFrom(koffiPath)(koffiPath) as typeof import('koffi');
  const sizes = 'arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost'.split(' ');
  const kept = globalThis as { memoryLook?: ReturnType<typeof open> };

  function open() {
    const libc = koffi.load('libc.so.6');
    const info = koffi.struct('mallinfo2', Object.fromEntries(sizes.map((name) => [name, 'size_t'])));
    setFlagsFromString('--expose-gc');
    return {
      collect: runInNewContext('gc') as (options: object) => void,
      trim: libc.func('malloc_trim', 'int', ['size_t']),
      info: libc.func('mallinfo2', info, []),
    };
  }

  kept.memoryLook ??= open();
  const { collect, trim, info } = kept.memoryLook;
  // Several: the first may only queue finalisers, and buffers are freed by another thread.
  for (let round = 0; round < 4; round++) {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  trim(0);
  const { uordblks, hblkhd } = info() as Record<string, number | bigint>;
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => !/code|trusted/.test(space_name));
  return {
    objects: spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0),
    native: Number(uordblks) + Number(hblkhd),
    rss: process.memoryUsage.rss(),
  };
}
