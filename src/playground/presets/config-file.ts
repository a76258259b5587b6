import { bytes } from '../page/figures.ts';

/** The service takes no longer ones. */
const maxConfigBytes = 64 * 1024;

/** Whether a file can be a model's configuration, not an image. */
export function isConfigFile({ name, type }: File): boolean {
  return /\.json$/i.test(name) || type === 'application/json';
}

/** Reads a configuration. @throws Error in words for the visitor */
export async function readConfigFile(file: File): Promise<string> {
  if (file.size > maxConfigBytes) {
    throw new Error(`${file.name} has ${bytes(file.size)}; at most ${bytes(maxConfigBytes)} are taken.`);
  }
  const text = await file.text();
  const problem = problemOfConfig(text);
  if (problem !== undefined) throw new Error(`${file.name}: ${problem}`);
  return text.trim();
}

/** Why a text is no configuration; undefined if it can be one. */
export function problemOfConfig(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? undefined : 'It is not a JSON object.';
  } catch (error) {
    return `It is not JSON: ${error instanceof Error ? error.message : 'it cannot be parsed'}.`;
  }
}
