import { createRequire } from 'node:module';
import process from 'node:process';

/**
 * Returns free memory of malloc to the system: malloc_trim(3) of glibc, which keeps what libraries have freed. Other
 * systems' libraries do that by themselves.
 */
export function trimMalloc(): void {
  if (process.platform !== 'linux') return;
  try {
    // Not an import: koffi has no binary for every platform that Node has.
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    koffi.load('libc.so.6').func('int malloc_trim(size_t pad)')(0);
  } catch {
    // musl has no such function.
  }
}
