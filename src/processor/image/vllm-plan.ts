import type { TokenRule } from './tokens.ts';

/** How a model of vLLM takes a preset's tensors, in plain values. vllm-item.ts makes the item. */
export interface VllmPlan {
  /** In the order of the item. */
  readonly fields: readonly VllmField[];
  /**
   * Whether vLLM normalizes the pixels on the GPU (`supports_mm_device_do_normalize`), as it does by default then. Unset:
   * it takes only normalized pixels.
   */
  readonly normalizes?: true;
  /** How it counts the image's embeddings. Unset: as the preset counts tokens, if it does. */
  readonly tokens?: TokenRule | undefined;
}

/** A field of an item: `_get_mm_fields_config` of the model. */
export type VllmField = TensorField | CountField | SharedField;

interface TensorField {
  readonly name: string;
  /** `flat`: the rows of all images follow each other. `batched`: an image is one element of the first axis. */
  readonly kind: 'flat' | 'batched';
  /** The name of the tensor, if it differs. */
  readonly tensor?: string;
  /** Whether the tensor of an image has a first axis of length 1, which vLLM removes from a flat field. Unset: no. */
  readonly isNested?: true;
  readonly onCpu?: true;
}

/** The number of pictures. */
interface CountField {
  readonly name: string;
  readonly kind: 'count';
}

/** A number that is the same for all images. */
interface SharedField {
  readonly name: string;
  readonly kind: 'shared';
  readonly value: number;
}

/** Why vLLM does not take the tensors of a config. */
export interface VllmRefusal {
  /** The alternative, in words that follow "allowed: ". */
  readonly allowed: string;
}
