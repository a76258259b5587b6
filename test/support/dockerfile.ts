import { readFileSync } from 'node:fs';

/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly name: string;
  readonly argument: string;
}

/** The instructions of a Dockerfile, with continued lines joined and comments left out. */
export function readDockerfile(file: string): Instruction[] {
  return readFileSync(file, 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', argument = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name, argument };
    });
}

/** The instructions of the last stage, which make the image. */
export function lastStage(instructions: readonly Instruction[]): readonly Instruction[] {
  return instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
}

/** The arguments of all instructions of a name. */
export function argumentsOf(instructions: readonly Instruction[], name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ argument }) => argument);
}
