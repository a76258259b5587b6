import { median } from '../measure.ts';
import { type Goal, rounded, spreadCell } from './goals.ts';
import type { Figures, Measured } from './measure-all.ts';
import { type WorkName, works } from './works.ts';

/** The CPU of a work beside another program's. */
const cpuGoals: readonly { readonly work: WorkName; readonly beside: string; readonly limit: number }[] = [
  { work: 'smallClip', beside: 'torchvision', limit: 1.5 },
  { work: 'smallGray', beside: 'OpenCV', limit: 1.4 },
  { work: 'largeClip', beside: 'torchvision', limit: 1.2 },
  { work: 'largeClipTorch', beside: 'torchvision', limit: 1.2 },
  { work: 'largeColour', beside: 'imgproxy', limit: 0.7 },
  { work: 'smallPng', beside: 'OpenCV', limit: 1 },
];

/** It opens files as torchvision's ImageFolder does. The one with decode_image is faster, and named beside it. */
const dataLoader = 'DataLoader (Pillow)';

/** All goals, with what was measured for them. */
export function goalsOf(measured: Measured): readonly Goal[] {
  const { decoding, starts, streams } = measured;
  const [clip, largeClip] = [measured.works.smallClip, measured.works.largeClip];
  return [
    ...cpuGoals.map((goal) => cpuGoal(measured, goal)),
    {
      what: `${works.smallPng.title}: length`,
      unit: 'KB',
      limit: 1.1,
      ...lengths(measured.works.smallPng, 'Pillow'),
    },
    {
      what: `${works.smallClip.title}: p50, one at a time`,
      unit: 'ms',
      limit: 3.5,
      ours: clip.get('ours')?.p50Ms ?? [],
      best: bestOther(clip, ({ p50Ms }) => p50Ms),
    },
    {
      what: `${works.largeClip.title}: p99 by p50, one at a time`,
      unit: '×',
      limit: 1.4,
      ours: largeClip.get('ours')?.tail ?? [],
      best: bestOther(largeClip, ({ tail }) => tail),
    },
    {
      what: '640 × 480 JPEGs in a stream → CLIP tensors',
      unit: 'images/s',
      limit: 1.2,
      isAtLeast: true,
      ours: streams.get('ours') ?? [],
      beside: { name: dataLoader, values: streams.get(dataLoader) ?? [] },
      best: bestStream(streams),
    },
    {
      what: 'decoding a 6 MP JPEG by the bundled libjpeg-turbo: CPU',
      unit: 'ms',
      limit: 1.1,
      ours: decoding.bundled,
      beside: { name: "the system's", values: decoding.system },
    },
    {
      what: 'memory of all processes at rest (PSS)',
      unit: 'MB',
      limit: 150,
      ours: starts.map(({ restingMb }) => restingMb),
    },
    {
      what: 'second `npm start` to the first response',
      unit: 's',
      limit: 1,
      ours: starts.map(({ firstResponseMs }) => firstResponseMs / 1000),
    },
  ];
}

function cpuGoal(
  { works: measured, codecs }: Measured,
  { work, beside, limit }: (typeof cpuGoals)[number],
): Goal {
  const figures = measured[work];
  return {
    what: `${works[work].title}: CPU`,
    unit: 'ms',
    limit,
    ours: figures.get('ours')?.cpuMs ?? [],
    beside: { name: beside, values: figures.get(beside)?.cpuMs ?? [] },
    best: bestOther(figures, ({ cpuMs }) => cpuMs),
    codec: codecs[work],
  };
}

/** Every program's figures and pixels, work by work. */
export function rivalRows({ works: measured }: Measured): string[][] {
  const head = ['work', 'program', 'CPU ms', 'rounds differ by', 'images/s', 'KB', 'mean error', 'max'];
  const rows = Object.entries(measured).flatMap(([name, figures]) =>
    Array.from(figures, ([program, { first, cpuMs, perSecond }]) => [
      works[name as WorkName].title,
      program,
      rounded(median(cpuMs)),
      spreadCell(cpuMs),
      rounded(median(perSecond)),
      rounded(first.content.length / 1000),
      first.error.mean.toFixed(2),
      first.error.max.toFixed(0),
    ]),
  );
  return [head, ...rows];
}

function bestStream(streams: Measured['streams']): string | undefined {
  const [best] = Array.from(streams, ([name, values]) => ({ name, most: median(values) }))
    .filter(({ name }) => name !== 'ours')
    .sort((a, b) => b.most - a.most);
  return best && `${best.name} ${rounded(best.most)}`;
}

/** Of the first responses: all have the same length. */
function lengths(
  figures: ReadonlyMap<string, Figures>,
  name: string,
): Pick<Goal, 'ours' | 'beside' | 'best'> {
  const lengthOf = ({ first }: Figures) => [first.content.length / 1000];
  const [ours, other] = [figures.get('ours'), figures.get(name)];
  return {
    ours: ours === undefined ? [] : lengthOf(ours),
    beside: { name, values: other === undefined ? [] : lengthOf(other) },
    best: bestOther(figures, lengthOf),
  };
}

function bestOther(
  figures: ReadonlyMap<string, Figures>,
  of: (figures: Figures) => readonly number[],
): string | undefined {
  const [best] = Array.from(figures, ([name, all]) => ({ name, values: of(all) }))
    .filter(({ name, values }) => name !== 'ours' && values.length > 0)
    .map(({ name, values }) => ({ name, least: median(values) }))
    .sort((a, b) => a.least - b.least);
  return best && `${best.name} ${rounded(best.least)}`;
}
