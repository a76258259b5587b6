import { create, type DescField, type DescMessage, type MessageShape, ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';

type Values = Record<string, unknown>;

/** Any message of one of the schemas, within the limits on counts. */
export function anyMessage(
  schemas: readonly DescMessage[],
): fc.Arbitrary<[schema: DescMessage, message: MessageShape<DescMessage>]> {
  return fc.oneof(
    ...schemas.map((schema) =>
      valuesOf(schema).map((values): [DescMessage, MessageShape<DescMessage>] => [
        schema,
        create(schema, values),
      ]),
    ),
  );
}

function valuesOf(schema: DescMessage): fc.Arbitrary<Values> {
  const plain = schema.fields.filter((field) => field.oneof === undefined);
  const own = fc.record(Object.fromEntries(plain.map((field) => [field.localName, fieldValue(field)])), {
    requiredKeys: [],
  });
  const oneofs = schema.oneofs.map((oneof) => {
    const cases = oneof.fields.map((field) =>
      fieldValue(field).map((value) => ({ case: field.localName, value })),
    );
    return fc.oneof(fc.constant({ case: undefined }), ...cases).map((chosen) => [oneof.localName, chosen]);
  });
  return fc
    .tuple(own, fc.tuple(...oneofs))
    .map(([values, chosen]) => ({ ...values, ...Object.fromEntries(chosen) }));
}

function fieldValue(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'list') return fc.array(oneValue(field), { maxLength: 3 });
  if (field.fieldKind === 'map') return fc.dictionary(fc.string(), oneValue(field), { maxKeys: 3 });
  return oneValue(field);
}

function oneValue({ message, enum: values, scalar }: DescField): fc.Arbitrary<unknown> {
  if (message !== undefined) return valuesOf(message);
  if (values !== undefined) return fc.constantFrom(...values.values.map(({ number }) => number));
  switch (scalar) {
    case ScalarType.STRING:
      return fc.string({ unit: 'binary', maxLength: 20 });
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.UINT32:
      return fc.nat(2 ** 31 - 1);
    default:
      return fc.integer();
  }
}
