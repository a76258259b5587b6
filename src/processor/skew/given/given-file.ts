import type { TensorContainer } from '../../../../gen/image/v1/processor_pb.ts';
import type { ImageHeader } from '../../codecs/header.ts';

/** The file that another program made of the source. */
export type GivenFile =
  | {
      readonly kind: 'tensor';
      readonly content: Uint8Array;
      /** Unset: detected from the bytes. */
      readonly container: GivenContainer | undefined;
      /** Of a raw container. */
      readonly shape: readonly number[];
      /** Of a raw container, by its name in the Open Inference Protocol. */
      readonly datatype: string;
      /** In a container of several; empty: the tensor that can contain pixels. */
      readonly name: string;
    }
  | { readonly kind: 'picture'; readonly content: Uint8Array; readonly header: ImageHeader };

export type GivenContainer = Lowercase<'RAW' | 'NPY' | 'NPZ' | 'SAFETENSORS'> &
  Lowercase<keyof typeof TensorContainer>;
