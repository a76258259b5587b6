import type { ImageHeader } from '../codecs/header.ts';
import { sizeUpright } from '../codecs/orient.ts';
import { keepsAlpha } from './alpha.ts';
import { sizeOfCutout, wholeOf } from './cutout.ts';
import { describeOutputs, type OutputDescription } from './outputs.ts';
import { headerOf, type Plan } from './plan.ts';
import type { Size } from './shortest-edge.ts';
import type { PlacedStep, Placement, Shape } from './step.ts';
import { kindOf, type Step } from './steps.ts';
import type { Tokens } from './tokens.ts';
import { tilesOf } from './views/tiles.ts';
import type { Branch } from './views/view.ts';
import { kindOfViews } from './views/views.ts';

/** All sizes of a plan for one image, computed only from its header. Plain values. */
export interface Geometry {
  /** Size of the source after EXIF orientation, in pixels. */
  readonly source: Shape;
  /** The ways from the source to its pictures: one, unless the plan makes several pictures. */
  readonly branches: readonly PlacedBranch[];
  /** The processed picture before it is cut into tiles: the first one that is cut, else the first one. */
  readonly picture: Shape;
  /** The sizes of all pictures in the order of the tensor, after they are cut into tiles. */
  readonly pictures: readonly Size[];
  /** The sizes of the same pictures without the bars that a last step pads. */
  readonly contents: readonly Size[];
  /** Whether an image output has the source's alpha. */
  readonly keepsAlpha: boolean;
  readonly outputs: readonly OutputDescription[];
  /** Upper bound of the response's content in bytes: exact for tensors, apart from their container's header. */
  readonly maxContentBytes: number;
  /** Those of the image in a model's prompt. Unset: not computed. */
  readonly tokens?: Tokens | undefined;
}

/** A branch with the geometry of its steps. */
export interface PlacedBranch {
  readonly steps: readonly PlacedStep<Step>[];
  /** The output of the last step. */
  readonly picture: Shape;
  /** Size of the tiles that the picture is cut into. Unset: it is not cut. */
  readonly tiles: Size | undefined;
}

/** The steps of all branches. */
export function stepsOf({ branches }: Geometry): readonly PlacedStep<Step>[] {
  return branches.flatMap(({ steps }) => steps);
}

/** Upper bound of the contents of several responses together, in bytes. */
export function maxBytesOf(geometries: readonly Geometry[]): number {
  return geometries.reduce((sum, { maxContentBytes }) => sum + maxContentBytes, 0);
}

/** A plan and its geometry for one image. */
export interface PlannedImage {
  /** The key of the response. Unset: it is not needed. */
  readonly key?: string | undefined;
  readonly plan: Plan;
  readonly geometry: Geometry;
}

/** Computes all sizes of a plan for an image. It refuses too many tiles and what a rule for sizes refuses; limits.ts refuses the rest. */
export function geometryOf(header: ImageHeader, plan: Plan): Geometry {
  const source = sourceShape(headerOf(header, plan));
  const branches = branchesOf(plan, source).map((branch) => placeBranch(source, branch, plan));
  const { picture } = branches.find(({ tiles }) => tiles !== undefined) ?? (branches[0] as PlacedBranch);
  const pictures = branches.flatMap(picturesOf);
  const contents = branches.flatMap((branch) => picturesOf({ ...branch, picture: contentOf(branch) }));
  const withAlpha = keepsAlpha(header, plan);
  return {
    source,
    branches,
    picture,
    pictures,
    contents,
    keepsAlpha: withAlpha,
    ...describeOutputs(
      { source, picture, pictures, contents },
      picture.colours,
      withAlpha,
      plan,
      header.format,
    ),
  };
}

/** A linear plan has one branch. */
function branchesOf({ steps, views }: Plan, source: Shape): readonly Branch[] {
  return views === undefined ? [{ steps }] : kindOfViews(views).branches(views, source);
}

function placeBranch(source: Shape, { steps, tiles }: Branch, { numerics }: Plan): PlacedBranch {
  const placed = placeSteps(source, steps, numerics);
  return { steps: placed, picture: placed.at(-1)?.output ?? source, tiles };
}

/** The picture of a branch that is not cut, without the bars that its last step pads. */
function contentOf({ steps, picture, tiles }: PlacedBranch): Shape {
  const last = steps.at(-1);
  return tiles === undefined && last?.step.kind === 'pad' ? last.input : picture;
}

/** The sizes of a branch's pictures, in their order. */
function picturesOf({ picture, tiles }: PlacedBranch): readonly Size[] {
  return tiles === undefined ? [picture] : tilesOf(picture, tiles).map(sizeOf);
}

function sourceShape(header: ImageHeader): Shape {
  return { ...sizeUpright(header, header.orientation), colours: header.colour === 'gray' ? 1 : 3 };
}

/** Computes inputs and outputs from the first step to the last, then the parts that are needed, from the last back. */
function placeSteps(
  source: Shape,
  steps: readonly Step[],
  numerics: Plan['numerics'],
): readonly PlacedStep<Step>[] {
  let input = source;
  const placements = steps.map((step): { step: Step; input: Shape; output: Placement } => {
    const placed = { step, input, output: kindOf(step).place(step, input) };
    input = placed.output;
    return placed;
  });
  let cutout = wholeOf(input);
  const needed = placements.toReversed().map((placement) => {
    const { step, input, output } = placement;
    const own = cutout;
    cutout = kindOf(step).inputCutout?.(input, output, own) ?? own;
    // libvips may run the resize, and it computes all of it.
    const isWhole = numerics === 'fast' && step.kind === 'resize';
    return { ...placement, cutout: own, computed: isWhole ? sizeOf(output) : sizeOfCutout(own) };
  });
  let available = sizeOf(source);
  return needed.reverse().map((placement) => {
    const placed = { ...placement, available };
    available = placement.computed;
    return placed;
  });
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}
