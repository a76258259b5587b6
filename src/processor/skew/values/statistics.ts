/*
 * Means and stds that are in use, and the words for numbers: equal numbers have equal words, whether a preset or a search
 * gives them.
 */

/** A mean and a std with a name, in the order R, G, B. */
interface NamedStatistics {
  /** Empty: its numbers are its name. */
  readonly name: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The most usual first. `ImageNet`: torchvision and timm. `CLIP`: OpenAI. `0.5` is also that of Inception, ViT and SigLIP.
 * `Caffe`: levels 0…255 of Keras's mode caffe, in B, G, R there. `DPN`: timm. `CIFAR-10`: the values of Keras's and
 * PyTorch's examples. `Kinetics`: torchvision's video models. `VGGFace2`: keras-vggface.
 */
export const namedStatistics: readonly NamedStatistics[] = [
  { name: 'ImageNet', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  {
    name: 'CLIP',
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  },
  { name: '', mean: [0.5], std: [0.5] },
  { name: 'Caffe', mean: [123.68, 116.779, 103.939], std: [1] },
  { name: '', mean: [127.5], std: [127.5] },
  { name: '', mean: [127.5], std: [128] },
  { name: '', mean: [128], std: [128] },
  { name: '', mean: [127], std: [128] },
  { name: '', mean: [128], std: [1] },
  { name: '', mean: [1], std: [1] },
  { name: '', mean: [123, 117, 104], std: [1] },
  { name: '', mean: [0.45], std: [0.225] },
  { name: 'DPN', mean: [124 / 255, 117 / 255, 104 / 255], std: [1 / (0.0167 * 255)] },
  { name: 'CIFAR-10', mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  { name: '', mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  { name: 'Kinetics', mean: [0.43216, 0.394666, 0.37645], std: [0.22803, 0.22145, 0.216989] },
  { name: 'MNIST', mean: [0.1307], std: [0.3081] },
  { name: 'VGGFace2', mean: [131.0912, 103.8827, 91.4953], std: [1] },
];

/** A factor in words: `1/255`, `2/255`, `1`. */
export function scaleInWords(factor: number): string {
  for (const numerator of [1, 2]) {
    const divisor = Math.round(numerator / factor);
    if (divisor > 2 && isNear(factor, numerator / divisor)) return `${numerator}/${divisor}`;
  }
  return String(factor);
}

/** A mean in words: its name, its numbers, or `none`. */
export function meanInWords(mean: readonly number[]): string {
  return mean.every((value) => value === 0) ? 'none' : inWords(mean, 'mean');
}

/** A std in words: its name, its numbers, or `none`. */
export function stdInWords(std: readonly number[]): string {
  return std.every((value) => value === 1) ? 'none' : inWords(std, 'std');
}

type Role = 'mean' | 'std';

function inWords(values: readonly number[], role: Role): string {
  const numbers = values.every((value) => value === values[0]) ? values.slice(0, 1) : values;
  const other = role === 'mean' ? 'std' : 'mean';
  return (
    nameOf(numbers, role) ??
    nameOf(numbers, other, `the ${other} of `) ??
    numbers.map((value) => Number(value.toPrecision(9))).join(', ')
  );
}

/** The name of numbers that are a mean, or a std, as they are, in another order, or in units of levels. */
function nameOf(numbers: readonly number[], role: Role, prefix = ''): string | undefined {
  // One number is shorter than its name.
  if (numbers.length < 3) return undefined;
  for (const { name, ...statistics } of namedStatistics) {
    const own = statistics[role];
    if (name === '' || own.length !== numbers.length) continue;
    const levels = own.map((value) => value * 255);
    if (areNear(numbers, own)) return prefix + name;
    if (areNear(numbers, own.toReversed())) return `${prefix}${name} in BGR order`;
    if (areNear(numbers, levels)) return `${prefix}${name} × 255`;
    if (areNear(numbers, levels.toReversed())) return `${prefix}${name} × 255 in BGR order`;
  }
  return undefined;
}

function areNear(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, index) => isNear(value, other[index] as number));
}

/** Equal in FP32, as far as decimal fractions and their quotients are. */
function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= 2 ** -24 * Math.abs(other);
}
