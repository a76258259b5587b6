import type { ImageFormat } from '../../../gen/image/v1/processor_pb.ts';

/** The name of a format that can be read: a value of ImageFormat in the contract. codecs.ts has a codec for each. */
export type SourceFormat = Exclude<Lowercase<keyof typeof ImageFormat>, 'unspecified'>;
