import {
  create,
  type DescField,
  type DescMessage,
  type MessageInitShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { describe, expect, it } from 'vitest';
import {
  Alpha,
  CenterCropSchema,
  Datatype,
  Fit,
  ImageOutputSchema,
  Numerics,
  Orientation,
  Pixels,
  PresetSettingsSchema,
  type ProcessRequest,
  ProcessRequestSchema,
  ResizeSchema,
  SourceOptionsSchema,
  Store,
  TensorOutputSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../../src/failures.ts';
import { cacheKey } from '../../../src/processor/cache/cache-key.ts';
import type { SourcePlan } from '../../../src/processor/image/plan.ts';
import { createPresets } from '../../../src/processor/presets/presets.ts';
import { planOf } from '../../../src/processor/rules/rules.ts';

const presets = createPresets({});

const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

const libraries = { sharp: '0.35.5', vips: '8.18.7' };

const keyOf = (request: ProcessRequest) => cacheKey(sha256, planOf(request, 1_000_000, presets), libraries);

const keyFor = (request: MessageInitShape<typeof ProcessRequestSchema>) =>
  keyOf(create(ProcessRequestSchema, request));

/** Requests in which one field at a time is changed. Each sets all of its fields explicitly. */
const bases = {
  image: {
    resize: { width: 40, height: 30, fit: 1, filter: 3 },
    output: { case: 'image', value: { format: 1, quality: 80 } },
    numerics: Numerics.FAST,
    background: '#102030',
    crop: { width: 20, height: 10 },
  },
  edge: { resize: { shortestEdge: 30, filter: 3 } },
  yolo: {
    preset: 'ultralytics/yolo',
    presetSettings: { imgszHeight: 640, imgszWidth: 320, stride: 32, rect: false },
    output: { case: 'tensor', value: { container: 4 } },
  },
  preset: {
    preset: 'clip-vit-base-patch32',
    orientation: Orientation.APPLY,
    alpha: Alpha.WHITE,
    output: { case: 'tensor', value: { pixels: Pixels.NORMALIZED } },
  },
  config: { preprocessorConfig: '{"image_processor_type": "ViTImageProcessor"}' },
  tensor: {
    resize: { width: 40, height: 30, fit: 1, filter: 3 },
    output: {
      case: 'tensor',
      value: {
        datatype: 3,
        layout: 1,
        rescaleFactor: 0.5,
        mean: [0.5],
        std: [0.25],
        channelOrder: 1,
        container: 1,
      },
    },
    numerics: Numerics.FAST,
    background: '#102030',
  },
} satisfies Record<string, MessageInitShape<typeof ProcessRequestSchema>>;

/** The fields of the source. The key contains the hash of its bytes. */
const sourceFields = ['content', 'url', 'sha256'];

/** Other values for a field. The rules refuse some of them. */
function otherValues(message: ReflectMessage, field: DescField): unknown[] {
  switch (field.fieldKind) {
    case 'enum': {
      const current = message.get(field);
      // 0 means the default, which may be the value of the base.
      return field.enum.values
        .map(({ number }) => number)
        .filter((number) => number !== 0 && number !== current);
    }
    case 'list':
      return [[0.125]];
    case 'scalar':
      if (field.scalar === ScalarType.BOOL) return [!message.get(field)];
      if (field.scalar === ScalarType.STRING) {
        return [
          '#a0b0c0',
          'vit-base-patch16-224',
          '{"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}',
        ];
      }
      return [Number(message.get(field)) + 1];
    default:
      throw new Error(`this test knows no other value for ${field}`);
  }
}

/** The keys of copies of a request in which one field has another value: at least one key. */
function keysWithAnother(field: DescField, base: MessageInitShape<typeof ProcessRequestSchema>): string[] {
  const partOf = (request: ProcessRequest) =>
    [request, request.resize, request.crop, request.presetSettings, request.output.value].find(
      (part) => part?.$typeName === field.parent.typeName,
    );
  const original = partOf(create(ProcessRequestSchema, base));
  if (original === undefined) throw new Error(`the base has no ${field.parent.typeName}`);
  const keys = otherValues(reflect(field.parent, original), field).flatMap((value) => {
    const request = create(ProcessRequestSchema, base);
    Object.assign(partOf(request) ?? {}, { [field.localName]: value });
    try {
      return [keyOf(request)];
    } catch (error) {
      if (error instanceof Failure) return [];
      throw error;
    }
  });
  if (keys.length === 0) throw new Error(`no other value of ${field} is taken`);
  return keys;
}

const fieldsOf = (desc: DescMessage, base: keyof typeof bases, ...others: string[]) =>
  desc.fields
    .filter(
      ({ name, fieldKind }) =>
        fieldKind !== 'message' && ![...sourceFields, ...conditions, ...others].includes(name),
    )
    .map((field) => [`${desc.name}.${field.name} of ${base}`, field, bases[base]] as const);

/** Fields that decide whether a response is made or kept, and none of its bytes. */
const conditions = ['honour_opt_outs', 'store'];

/** Fields that exclude others. Each has its own base. */
const alone = ['preset', 'preprocessor_config', 'shortest_edge', 'orientation', 'alpha', 'pixels'];

const only = (desc: DescMessage, name: string, base: keyof typeof bases) =>
  fieldsOf(desc, base).filter(([, field]) => field.name === name);

describe(cacheKey, () => {
  it.each([
    ...fieldsOf(ProcessRequestSchema, 'image', ...alone),
    ...fieldsOf(ResizeSchema, 'image', ...alone),
    ...fieldsOf(CenterCropSchema, 'image'),
    ...fieldsOf(ImageOutputSchema, 'image'),
    ...fieldsOf(ProcessRequestSchema, 'tensor', ...alone),
    ...fieldsOf(TensorOutputSchema, 'tensor', ...alone),
    ...only(ProcessRequestSchema, 'orientation', 'preset'),
    ...only(TensorOutputSchema, 'pixels', 'preset'),
    ...only(ResizeSchema, 'shortest_edge', 'edge'),
    ...only(ProcessRequestSchema, 'preset', 'preset'),
    ...fieldsOf(PresetSettingsSchema, 'yolo'),
    ...only(ProcessRequestSchema, 'preprocessor_config', 'config'),
  ])('changes with %s', (_, field, base) => {
    expect(keysWithAnother(field, base)).not.toContain(keyFor(base));
  });

  // ALPHA_DEFAULT is white for this preset.
  it('has one key for a treatment of transparency and the default that means it', () => {
    const key = (alpha: Alpha) => keyFor({ ...bases.preset, alpha });
    expect(key(Alpha.DEFAULT)).toBe(key(Alpha.WHITE));
    expect(new Set([Alpha.DEFAULT, Alpha.DROP, Alpha.BLACK].map(key)).size).toBe(3);
  });

  it('covers every message of a request', () => {
    const parts = ProcessRequestSchema.fields.flatMap((field) => (field.message ? [field.message.name] : []));
    expect(parts).toEqual([
      'SourceOptions',
      'Resize',
      'ImageOutput',
      'TensorOutput',
      'CenterCrop',
      'PresetSettings',
      'StoreOptions',
    ]);
  });

  it('does not change with the conditions of a request', () => {
    const store = { store: Store.WAIT, linkSeconds: 60 };
    expect(keyFor({ ...bases.image, honourOptOuts: true, store })).toBe(keyFor(bases.image));
  });

  it('depends on which single side is set, and not on a fit set with it', () => {
    const keys = [{ width: 40 }, { height: 40 }, { width: 40, height: 40 }, { shortestEdge: 40 }].map(
      (resize) => keyFor({ resize }),
    );
    expect(new Set(keys).size).toBe(4);
    expect(keyFor({ resize: { width: 40, fit: 2 } })).toBe(keys[0]);
  });

  // The rules accept only the first page, so the plan is changed instead of the request.
  const otherSource: Required<SourcePlan> = {
    page: 2,
    dpi: 200,
    pageBox: 'media',
    annotations: false,
    password: 'open sesame',
  };
  it.each(Object.entries(otherSource))('changes with the source option %s', (name, value) => {
    const plan = planOf(create(ProcessRequestSchema), 1, presets);
    const other = { ...plan, source: { ...plan.source, [name]: value } as SourcePlan };
    expect(cacheKey(sha256, other, libraries)).not.toBe(cacheKey(sha256, plan, libraries));
  });

  it.each(['{"image_processor_type": "ViTImageProcessor"}', ''])(
    'contains the source options of a request: %j',
    (preprocessorConfig) => {
      const { source } = planOf(create(ProcessRequestSchema, { preprocessorConfig }), 1_000_000, presets);
      const names = SourceOptionsSchema.fields.map(({ localName }) => localName);
      expect(Object.keys(source ?? {}).sort()).toEqual(names.sort());
      expect(Object.keys(otherSource).sort()).toEqual(names);
    },
  );

  it('changes with the source', () => {
    const plan = planOf(create(ProcessRequestSchema), 1, presets);
    expect(cacheKey('00'.repeat(32), plan, libraries)).not.toBe(cacheKey('01'.repeat(32), plan, libraries));
  });

  it('changes with the version of a library', () => {
    const plan = planOf(create(ProcessRequestSchema), 1, presets);
    const newer = { ...libraries, vips: '8.18.8' };
    expect(cacheKey(sha256, plan, newer)).not.toBe(cacheKey(sha256, plan, libraries));
  });

  it('does not depend on how the source was sent', () => {
    expect(keyFor({ source: { case: 'url', value: 'https://example.com/a.jpg' } })).toBe(
      keyFor({ source: { case: 'content', value: new Uint8Array([1]) } }),
    );
  });

  it('is the same for exact numerics and for the library that they reproduce', () => {
    expect(keyFor({ numerics: Numerics.PILLOW })).toBe(keyFor({ numerics: Numerics.EXACT }));
  });

  it('is the same whether defaults are set or omitted', () => {
    expect(
      keyFor({
        resize: { width: 4, height: 3, fit: Fit.FILL, filter: 3 },
        numerics: Numerics.EXACT,
        output: { case: 'image', value: {} },
      }),
    ).toBe(keyFor({ resize: { width: 4, height: 3 } }));
    expect(
      keyFor({
        output: {
          case: 'tensor',
          value: {
            datatype: Datatype.FP32,
            layout: 1,
            rescaleFactor: 1 / 255,
            mean: [0],
            std: [1],
            channelOrder: 1,
            container: 1,
          },
        },
      }),
    ).toBe(keyFor({ output: { case: 'tensor', value: {} } }));
  });

  it('is the same for a colour in either case', () => {
    expect(keyFor({ background: '#ABCDEF' })).toBe(keyFor({ background: '#abcdef' }));
  });

  it('distinguishes −0 from 0, because a factor of −0 gives other bits', () => {
    const factor = (rescaleFactor: number) =>
      keyFor({ output: { case: 'tensor', value: { rescaleFactor } } });
    expect(factor(-0)).not.toBe(factor(0));
  });

  it('does not depend on the order of a plan’s properties', () => {
    const plan = planOf(create(ProcessRequestSchema, bases.tensor), 1_000_000, presets);
    const backwards = Object.fromEntries(Object.entries(plan).reverse()) as typeof plan;
    expect(cacheKey(sha256, backwards, libraries)).toBe(cacheKey(sha256, plan, libraries));
  });

  it('is a SHA-256 in hex', () => {
    expect(keyFor({})).toMatch(/^[0-9a-f]{64}$/);
  });
});
