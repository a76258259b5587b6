import type { exitCodes } from './client-error.ts';
import type { CommandName } from './commands.ts';
import { commandHelp } from './help.ts';

/**
 * Runs a command.
 *
 * @param argv - the arguments after its name
 * @param say - prints a line to standard error
 * @returns how it ended
 * @throws ClientError
 */
export async function runCommand(
  name: CommandName,
  argv: readonly string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<keyof typeof exitCodes> {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const run = await load(name, argv);
  if (run === undefined) {
    process.stdout.write(commandHelp(name));
    return 'done';
  }
  // The reader closed the pipe, as `head` does.
  process.stdout.on('error', () => process.exit());
  return await run({ print, say, screen: process.stderr }, signal);
}

type Run = (
  console: {
    readonly print: (line: string) => void;
    readonly say: (line: string) => void;
    readonly screen: typeof process.stderr;
  },
  signal: AbortSignal,
) => Promise<keyof typeof exitCodes>;

/** Loads only the modules of one command and reads its arguments; undefined for `--help`. */
async function load(name: CommandName, argv: readonly string[]): Promise<Run | undefined> {
  if (name === 'job') {
    const { readJobArguments } = await import('./job/job-arguments.ts');
    const job = readJobArguments(argv, process.env);
    if (job === undefined) return undefined;
    const { runJob } = await import('./job/job.ts');
    return (console, signal) => runJob(job, console, signal);
  }
  if (name === 'describe') {
    const { readDescribeArguments, runDescribe } = await import('./describe.ts');
    const described = readDescribeArguments(argv, process.env);
    return described && (({ print }, signal) => runDescribe(described, print, signal));
  }
  if (name === 'presets') {
    const { readPresetsArguments, runPresets } = await import('./presets.ts');
    const listed = readPresetsArguments(argv, process.env);
    return listed && (({ print }, signal) => runPresets(listed, print, signal));
  }
  if (name === 'doctor') {
    const { readDoctorArguments, runDoctor } = await import('./doctor/doctor.ts');
    const doctor = readDoctorArguments(argv, process.env);
    return doctor && (({ print }, signal) => runDoctor(doctor, print, signal));
  }
  const { completionScript, readShell } = await import('./completion.ts');
  const shell = readShell(argv);
  if (shell === undefined) return undefined;
  return async ({ print }) => {
    print(completionScript(shell));
    return 'done';
  };
}
