import type { DatatypeName } from '../../../datatypes.ts';
import type { Manifest } from '../manifest.ts';
import type { CorpusRow } from '../row.ts';

/** A tensor of a sample, and where its values are in the sample's content. */
export interface SampleTensor {
  readonly name: string;
  /** By its name in the Open Inference Protocol. */
  readonly datatype: DatatypeName;
  /** Without an axis that counts images. */
  readonly shape: readonly number[];
  /** Offset of its values in the content, in bytes. */
  readonly offset: number;
  /** Length of its values in bytes. */
  readonly bytes: number;
}

/** A row with its response. The content stays on the disk until it is read. */
export interface Sample {
  readonly row: CorpusRow;
  /** Length of the content in bytes. */
  readonly bytes: number;
  /**
   * Reads the content, or a part of it: an encoded image, or the values of all tensors, little-endian and in C order.
   *
   * @param part - offset and length in bytes. Default: the whole content
   */
  read(part?: { readonly offset: number; readonly bytes: number }): Promise<Uint8Array>;
  readonly contentType: string;
  /** Empty for an image. */
  readonly tensors: readonly SampleTensor[];
  /** In pixels, of the processed image. */
  readonly width: number;
  readonly height: number;
  /** The image as it was received. */
  readonly source: {
    readonly sha256: string;
    readonly format: string;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
  };
  /** The response's key. */
  readonly key: string;
}

/** A kind of file that a shard can be. */
export interface ShardFormat {
  /** Of its files, with the dot. */
  readonly ending: string;
  readonly contentType: string;
  /** Whether each sample carries the columns of its row; else only the shard's index has them. */
  readonly carriesColumns: boolean;
  /**
   * The bytes of a shard. Equal samples give equal bytes: no times, no owners, no order but that of the samples.
   *
   * @param samples - in the order of their keys
   */
  write(samples: readonly Sample[], manifest: Manifest): AsyncIterable<Uint8Array>;
}
