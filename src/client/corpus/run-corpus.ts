import type { JobConsole } from '../job/job.ts';
import type { CorpusArguments } from './corpus-arguments.ts';

/**
 * Runs one of the commands of a corpus. Only its own modules are loaded.
 *
 * @throws ClientError
 */
export async function runCorpus(
  given: CorpusArguments,
  console: JobConsole,
  signal: AbortSignal,
): Promise<'done' | 'incomplete'> {
  switch (given.verb) {
    case 'plan': {
      const { planCorpus } = await import('./plan/plan-corpus.ts');
      return await planCorpus(given, console, signal);
    }
    case 'work': {
      const { workShards } = await import('./work/work-shards.ts');
      return await workShards(given, console, signal);
    }
    case 'verify': {
      const { verifyCorpus } = await import('./verify/verify-corpus.ts');
      return await verifyCorpus(given, console, signal);
    }
  }
}
