import {
  type Cost,
  checkCache,
  costOf,
  createSender,
  nextSerial,
  sha256,
  type Upload,
  uploadOf,
} from '../load.ts';
import { difference, inParallel } from '../measure.ts';
import type { Contender } from './contenders.ts';
import { type Expected, levelsOf, type Work, type WorkName, works } from './works.ts';

/** Requests at the same time, as a model server's batch has them. */
const inFlight = 4;

const sender = createSender(inFlight);
export const closeSender = () => sender.close();

/** The first response of a contender to a work. */
export interface Result {
  readonly content: Buffer;
  /** The difference from the exact pixels, in levels of 255. */
  readonly error: { readonly mean: number; readonly max: number };
}

/** Levels that another library's pixels may be away from the exact ones on average. */
const toleratedMean = 30;

/** @throws Error if the result is not that of the stages without a service, or of another library not the same picture */
export async function resultOf(contender: Contender, name: WorkName, expected: Expected): Promise<Result> {
  const work: Work = works[name];
  const [upload] = uploadsOf(contender, work, 1);
  const { content } = await sender.ask(contender.url(name) as string, upload);
  if (contender.name === 'ours' && sha256(content) !== sha256(expected.content)) {
    throw new Error(`${work.title}: not the result of the stages without a service`);
  }
  const error = difference(await levelsOf(content, work), expected.levels);
  if (error.mean > toleratedMean) {
    throw new Error(`${work.title}: ${contender.name} is ${error.mean} levels from the exact pixels`);
  }
  return { content, error };
}

/** Sends a work repeatedly. Each response must be the first one again. */
export async function costOfWork(
  contender: Contender,
  name: WorkName,
  first: Result,
  { count, lanes = inFlight }: { readonly count: number; readonly lanes?: number },
): Promise<Cost> {
  const url = contender.url(name) as string;
  const uploads = uploadsOf(contender, works[name], lanes);
  const expected = sha256(first.content);
  return await costOf([contender.pid], () =>
    inParallel(count, lanes, async (_, lane) => {
      uploads[lane]?.mark(nextSerial());
      const answer = await sender.ask(url, uploads[lane]);
      if (sha256(answer.content) !== expected)
        throw new Error(`${contender.name}: two results of one picture`);
      if (contender.name === 'ours') checkCache(answer, 'miss');
    }),
  );
}

function uploadsOf({ readsFiles }: Contender, { source }: Work, lanes: number): readonly Upload[] {
  return readsFiles ? [] : Array.from({ length: lanes }, () => uploadOf(source, 'body'));
}
