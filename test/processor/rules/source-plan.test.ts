import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { PageBox, SourceOptionsSchema } from '../../../gen/image/v1/processor_pb.ts';
import type { Failure } from '../../../src/failures.ts';
import { sourcePlan } from '../../../src/processor/rules/source-plan.ts';
import { failureOf } from '../../support/failure.ts';

type Options = MessageInitShape<typeof SourceOptionsSchema>;

const planOf = (options: Options) => sourcePlan(create(SourceOptionsSchema, options));

function refusalOf(options: Options): Failure {
  const failure = failureOf(() => planOf(options));
  if (failure === undefined) throw new Error('the options were accepted');
  return failure;
}

const defaults = { page: 1, dpi: 144, pageBox: 'crop', annotations: true, password: '' };

describe(sourcePlan, () => {
  it.each<Options>([{}, { page: 0 }, { page: 1 }])('reads the first page for %j', (options) => {
    expect(planOf(options)).toEqual(defaults);
  });

  it('reads the first page where the options are unset', () => {
    expect(sourcePlan(undefined)).toEqual(defaults);
  });

  it('has a value for every option', () => {
    const names = SourceOptionsSchema.fields.map(({ localName }) => localName);
    expect(Object.keys(planOf({})).sort()).toEqual(names.sort());
  });

  it('keeps what the options state', () => {
    const options = { page: 7, dpi: 72.5, pageBox: PageBox.MEDIA, annotations: false, password: 'hunter2' };
    expect(planOf(options)).toEqual({ ...options, pageBox: 'media' });
  });

  it.each<[options: Options, name: string, actual: string]>([
    [{ dpi: -1 }, 'dpi', '-1'],
    [{ dpi: 0.5 }, 'dpi', '0.5'],
    [{ dpi: 2400.5 }, 'dpi', '2400.5'],
    [{ dpi: Number.POSITIVE_INFINITY }, 'dpi', 'Infinity'],
    [{ dpi: Number.NaN }, 'dpi', 'NaN'],
    [{ pageBox: 99 as never }, 'page_box', '99'],
  ])('refuses %j', (options, name, actual) => {
    const { reason, message, metadata } = refusalOf(options);
    expect([reason, metadata.option, metadata.actual]).toEqual([
      'OPTION_INVALID',
      `source_options.${name}`,
      actual,
    ]);
    expect(message).toContain(`source_options.${name} is ${actual}; allowed: ${metadata.allowed}`);
  });
});
