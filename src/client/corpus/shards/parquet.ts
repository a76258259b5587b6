import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { type Column, isFixed, type Manifest } from '../manifest.ts';
import { columnsOf, jsonText } from '../row.ts';
import { imageEndings } from './image-endings.ts';
import type { Sample, ShardFormat } from './shard-format.ts';
import { describeSample } from './sidecar.ts';

/** Contents of a row group, in bytes; one sample may be longer. */
const groupBytes = 32 * 1024 * 1024;

/** A column of the file: its schema, and its values for some samples. */
interface ParquetColumn {
  readonly schema: readonly SchemaElement[];
  /** Contents are written as they are: pixels hardly get shorter by Snappy, and no dictionary helps. */
  readonly isContent?: boolean;
  value(sample: Sample, content: Uint8Array): unknown;
}

/**
 * Parquet, one row a sample. An image is a struct of `bytes` and `path`, as Hugging Face datasets stores images. A tensor is
 * binary: its values, little-endian and in C order; the key `tensors` of the file's metadata has datatypes and shapes, and a
 * tensor whose shape the image decides has a column `NAME_shape`.
 */
export const parquet: ShardFormat = {
  ending: '.parquet',
  contentType: 'application/vnd.apache.parquet',
  carriesColumns: true,
  async *write(samples, manifest) {
    const columns = parquetColumns(manifest);
    const bytes = new ByteWriter();
    const take = () => {
      const chunk = bytes.getBytes().slice();
      bytes.index = 0;
      return chunk;
    };
    const writer = new ParquetWriter({
      writer: bytes,
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)],
      statistics: false,
      kvMetadata: metadataOf(manifest),
      createdBy: 'image-client corpus',
    });
    for (const group of groupsOf(samples)) {
      const contents: Uint8Array[] = [];
      for (const sample of group) contents.push(await sample.read());
      const columnData = columns.map((column) => sourceOf(column, group, contents));
      await writer.write({ columnData, rowGroupSize: group.length });
      yield take();
    }
    await writer.finish();
    yield take();
  },
};

function sourceOf(
  { schema, isContent, value }: ParquetColumn,
  group: readonly Sample[],
  contents: readonly Uint8Array[],
): ColumnSource {
  const data = group.map((sample, at) => value(sample, contents[at] as Uint8Array));
  const name = schema[0]?.name ?? '';
  return { name, data, ...(isContent ? { codec: 'UNCOMPRESSED', encoding: 'PLAIN' } : {}) };
}

function* groupsOf(samples: readonly Sample[]): Generator<readonly Sample[]> {
  let group: Sample[] = [];
  let bytes = 0;
  for (const sample of samples) {
    if (group.length > 0 && bytes + sample.bytes > groupBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(sample);
    bytes += sample.bytes;
  }
  if (group.length > 0) yield group;
}

const text = (name: string): SchemaElement[] => [
  { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];
const whole = (name: string): SchemaElement[] => [{ name, type: 'INT64', repetition_type: 'OPTIONAL' }];
const binary = (name: string): SchemaElement[] => [{ name, type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' }];

function parquetColumns(manifest: Manifest): ParquetColumn[] {
  const described = ({ name, isText }: DescribedColumn) => ({
    schema: isText ? text(name) : whole(name),
    value: (sample: Sample) => {
      const value = describeSample(sample)[name];
      return isText || value === undefined ? value : BigInt(value);
    },
  });
  return [
    { schema: text('id'), value: ({ row }) => row.id },
    { schema: whole('row'), value: ({ row }) => BigInt(row.row) },
    ...describedColumns(manifest).map(described),
    ...manifest.columns.map((column) => carried(column, manifest)),
    ...contentColumns(manifest),
  ];
}

interface DescribedColumn {
  readonly name: keyof ReturnType<typeof describeSample>;
  readonly isText: boolean;
}

const describedColumns = ({ pages }: Manifest): readonly DescribedColumn[] => [
  { name: 'url', isText: true },
  { name: 'width', isText: false },
  { name: 'height', isText: false },
  { name: 'source_sha256', isText: true },
  { name: 'source_format', isText: true },
  { name: 'source_width', isText: false },
  { name: 'source_height', isText: false },
  { name: 'source_bytes', isText: false },
  { name: 'response_key', isText: true },
  ...(pages === true ? [{ name: 'page', isText: false } as const] : []),
];

const carriedSchemas: Readonly<Record<Column['type'], (name: string) => SchemaElement[]>> = {
  string: text,
  json: text,
  int64: whole,
  double: (name) => [{ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' }],
  boolean: (name) => [{ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' }],
};

function carried({ name, type }: Column, { columns }: Manifest): ParquetColumn {
  return {
    schema: carriedSchemas[type](name),
    value({ row }) {
      const value = columnsOf(row, columns)[name];
      if (value === null) return undefined;
      if (type === 'int64') return BigInt(value as number | bigint);
      return type === 'json' ? jsonText(value) : value;
    },
  };
}

function contentColumns({ output }: Manifest): ParquetColumn[] {
  if (output.kind === 'image') {
    return [
      {
        schema: [
          // datasets decodes an image only if all of it is optional.
          { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
          ...binary('bytes'),
          ...text('path'),
        ],
        isContent: true,
        value: ({ row, contentType }, bytes) => ({ bytes, path: `${row.id}${imageEndings(contentType)}` }),
      },
    ];
  }
  return output.tensors.flatMap((tensor, index) => [
    {
      schema: binary(tensor.name),
      isContent: true,
      value: ({ tensors }: Sample, content: Uint8Array) => {
        const { offset = 0, bytes = 0 } = tensors[index] ?? {};
        return content.subarray(offset, offset + bytes);
      },
    },
    ...(isFixed(tensor) ? [] : [shapeColumn(`${tensor.name}_shape`, index)]),
  ]);
}

/** A list of int64, in Parquet's three-level form. */
function shapeColumn(name: string, index: number): ParquetColumn {
  return {
    schema: [
      { name, num_children: 1, converted_type: 'LIST', repetition_type: 'REQUIRED' },
      { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
      { name: 'element', type: 'INT64', repetition_type: 'REQUIRED' },
    ],
    value: ({ tensors }) => tensors[index]?.shape.map(BigInt) ?? [],
  };
}

function metadataOf(manifest: Manifest): { key: string; value: string }[] {
  const { job, output } = manifest;
  if (output.kind === 'tensors') {
    return [
      { key: 'job', value: job },
      { key: 'tensors', value: JSON.stringify(output.tensors) },
    ];
  }
  return [
    { key: 'job', value: job },
    { key: 'huggingface', value: JSON.stringify({ info: { features: featuresOf(manifest) } }) },
  ];
}

/** The features of Hugging Face datasets, by which it decodes the image. */
function featuresOf(manifest: Manifest): Record<string, object> {
  const value = (dtype: string) => ({ dtype, _type: 'Value' });
  const dtypes = { string: 'string', json: 'string', int64: 'int64', double: 'float64', boolean: 'bool' };
  return {
    id: value('string'),
    row: value('int64'),
    ...Object.fromEntries(
      describedColumns(manifest).map(({ name, isText }) => [name, value(isText ? 'string' : 'int64')]),
    ),
    ...Object.fromEntries(manifest.columns.map(({ name, type }) => [name, value(dtypes[type])])),
    image: { _type: 'Image' },
  };
}
