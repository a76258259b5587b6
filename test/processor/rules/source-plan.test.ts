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

  it.each<[options: Options, name: string, actual: string]>([
    [{ page: 2 }, 'page', '2'],
    [{ page: 4_294_967_295 }, 'page', '4294967295'],
    [{ dpi: 144 }, 'dpi', '144'],
    [{ dpi: -1 }, 'dpi', '-1'],
    [{ dpi: Number.NaN }, 'dpi', 'NaN'],
    [{ pageBox: PageBox.CROP }, 'page_box', 'crop'],
    [{ pageBox: PageBox.MEDIA }, 'page_box', 'media'],
    [{ pageBox: 99 as never }, 'page_box', '99'],
    [{ annotations: true }, 'annotations', 'true'],
    [{ annotations: false }, 'annotations', 'false'],
  ])('refuses %j, which no format supports', (options, name, actual) => {
    const { reason, message, metadata } = refusalOf(options);
    expect([reason, metadata.option, metadata.actual]).toEqual([
      'OPTION_INVALID',
      `source_options.${name}`,
      actual,
    ]);
    expect(message).toContain(`source_options.${name} is ${actual}; allowed: ${metadata.allowed}`);
  });

  it('refuses a password without repeating it', () => {
    const { message, metadata } = refusalOf({ password: 'hunter2' });
    expect(metadata).toMatchObject({ option: 'source_options.password', actual: 'set' });
    expect(JSON.stringify([message, metadata])).not.toContain('hunter2');
  });
});
