import { createHash } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
} from '../../../../gen/image/v1/processor_pb.ts';
import { type JobImage, nameOfSource } from '../images.ts';

/** A line of the journal: an output, and how it was made. */
export interface Entry {
  /** The absolute path or the URL. */
  readonly source: string;
  /** Of a file: its length in bytes, and its modification time in milliseconds since 1970. */
  readonly sourceBytes?: number;
  readonly mtimeMs?: number;
  /** Of a document: the page, and how many there are. */
  readonly page?: number;
  readonly pages?: number;
  /** SHA-256 in hex of the image that the processor read. */
  readonly sourceSha256: string;
  /** Digest of the request without its source. */
  readonly options: string;
  /** The preset's name, or `sha256:` and a digest of a preprocessor config; empty for neither. */
  readonly preset: string;
  readonly numericsVersion: string;
  /** The output's path in the output folder, with `/`. */
  readonly output: string;
  readonly outputBytes: number;
  /** When the output was written, in milliseconds since 1970. */
  readonly outputMtimeMs: number;
  /** SHA-256 in hex of the output's bytes. */
  readonly outputSha256: string;
  /** Of a tensor its axes, of an image [height, width]. */
  readonly shape: readonly number[];
}

/** The part of a journal entry that identifies the options. */
export interface OptionsIdentity {
  readonly options: string;
  readonly preset: string;
}

/** Identifies the options: requests that differ in more than their source have different digests. */
export function identityOf(request: ProcessRequest): OptionsIdentity {
  const bytes = toBinary(ProcessRequestSchema, { ...request, source: { case: undefined } });
  const { preset, preprocessorConfig } = request;
  return {
    options: digest(bytes).slice(0, 32),
    preset: preprocessorConfig === '' ? preset : `sha256:${digest(preprocessorConfig)}`,
  };
}

/**
 * The entry of an output.
 *
 * @param outputMtimeMs - when the output was written, in milliseconds since 1970
 */
export function entryOf(
  { source, output, page }: JobImage,
  identity: OptionsIdentity,
  { content, source: read, provenance, tensors, height, width }: ProcessResponse,
  outputMtimeMs: number,
): Entry {
  const file = 'url' in source ? {} : { sourceBytes: source.bytes, mtimeMs: source.mtimeMs };
  return {
    source: nameOfSource(source),
    ...file,
    ...(page !== undefined && { page: page.number, pages: page.of }),
    sourceSha256: read?.sha256 ?? '',
    ...identity,
    numericsVersion: provenance?.numericsVersion ?? '',
    output,
    outputBytes: content.length,
    outputMtimeMs,
    outputSha256: digest(content),
    shape: tensors[0]?.shape.map(Number) ?? [height, width],
  };
}

/** Whether an output was made of this image, as it is now, with these options. */
export function isUpToDate(entry: Entry, { source, page }: JobImage, { options }: OptionsIdentity): boolean {
  if (entry.source !== nameOfSource(source) || entry.options !== options) return false;
  if (entry.page !== page?.number) return false;
  return 'url' in source || (entry.sourceBytes === source.bytes && entry.mtimeMs === source.mtimeMs);
}

/** An entry as a line of the journal. */
export function journalLine(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** The entry in a line; undefined for a line that was cut off or is not an entry. */
export function entryIn(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const { source, options, preset, numericsVersion, output, outputBytes, outputMtimeMs, outputSha256 } =
      Object(value) as Partial<Entry>;
    const texts = [source, options, preset, numericsVersion, output, outputSha256];
    const isEntry =
      texts.every((text) => typeof text === 'string') &&
      [outputBytes, outputMtimeMs].every((number) => typeof number === 'number');
    return isEntry ? (value as Entry) : undefined;
  } catch {
    return undefined;
  }
}

function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
