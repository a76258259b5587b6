import type { exitCodes } from './client-error.ts';
import type { CommandName } from './commands.ts';

/** Where a command prints: results on standard output, messages on standard error. */
interface Console {
  print(line: string): void;
  say(line: string): void;
  readonly screen: typeof process.stderr;
}

/**
 * Runs a command. Only its own modules are loaded.
 *
 * @param argv - the arguments after its name
 * @returns how it ended
 * @throws ClientError
 */
export async function runCommand(
  name: CommandName,
  argv: readonly string[],
  console: Console,
  signal: AbortSignal,
): Promise<keyof typeof exitCodes> {
  const { print } = console;
  switch (name) {
    case 'job': {
      const { readJobArguments } = await import('./job/job-arguments.ts');
      const { runJob } = await import('./job/job.ts');
      return await runJob(readJobArguments(argv, process.env), console, signal);
    }
    case 'corpus': {
      const { readCorpusArguments } = await import('./corpus/corpus-arguments.ts');
      const { runCorpus } = await import('./corpus/run-corpus.ts');
      return await runCorpus(readCorpusArguments(argv, process.env), console, signal);
    }
    case 'describe': {
      const { readDescribeArguments, runDescribe } = await import('./describe.ts');
      return await runDescribe(readDescribeArguments(argv, process.env), print, signal);
    }
    case 'skew': {
      const { readSkewArguments } = await import('./skew/skew-arguments.ts');
      const { runSkew } = await import('./skew/run-skew.ts');
      return await runSkew(readSkewArguments(argv, process.env), console, signal);
    }
    case 'presets': {
      const { readPresetsArguments, runPresets } = await import('./presets.ts');
      return await runPresets(readPresetsArguments(argv, process.env), console, signal);
    }
    case 'doctor': {
      const { readDoctorArguments, runDoctor } = await import('./doctor/doctor.ts');
      return await runDoctor(readDoctorArguments(argv, process.env), print, signal);
    }
    case 'completion': {
      const { completionScript, readShell } = await import('./completion.ts');
      print(completionScript(readShell(argv)));
      return 'done';
    }
  }
}
