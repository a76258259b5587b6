import { create, createFileRegistry, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, it } from 'vitest';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.ts';
import { file_grpc_health_v1_health } from '../../../gen/grpc/health/v1/health_pb.ts';
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionV1alpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { file_image_v1_processor } from '../../../gen/image/v1/processor_pb.ts';
import { createReflection } from '../../../src/processor/serving/reflection.ts';
import { startRpcServer } from '../../support/rpc-server.ts';
import { run } from '../../support/run.ts';
import { buf, findPythonWithGrpc, grpcurl } from '../../support/tools.ts';

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']>;

/** A file with an extension: `extend google.protobuf.FieldOptions { string unit = 50001; uint32 most = 50002; }` */
const fileWithExtensions = (() => {
  const extension = (name: string, number: number, type: FieldDescriptorProto_Type) => ({
    name,
    number,
    type,
    extendee: '.google.protobuf.FieldOptions',
    label: FieldDescriptorProto_Label.OPTIONAL,
  });
  const proto = create(FileDescriptorProtoSchema, {
    name: 'demo/options.proto',
    package: 'demo',
    syntax: 'proto3',
    dependency: ['google/protobuf/descriptor.proto'],
    extension: [
      extension('unit', 50_001, FieldDescriptorProto_Type.STRING),
      extension('most', 50_002, FieldDescriptorProto_Type.UINT32),
    ],
  });
  const file = createFileRegistry(proto, () => file_google_protobuf_descriptor).getFile('demo/options.proto');
  if (file === undefined) throw new Error('the file was not registered');
  return file;
})();

const routes = createReflection(
  file_image_v1_processor,
  file_grpc_health_v1_health,
  file_google_rpc_error_details,
  fileWithExtensions,
);

async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const collected: Value[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

/** Sends all requests in one stream. */
async function ask(...questions: Question[]): Promise<ServerReflectionResponse['messageResponse'][]> {
  await using server = await startRpcServer(routes);
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: server.url }));
  async function* requests() {
    for (const messageRequest of questions) yield { messageRequest };
  }
  return (await collect(client.serverReflectionInfo(requests()))).map((response) => response.messageResponse);
}

/** The names of the files in a response, or its error. */
function summary(answer: ServerReflectionResponse['messageResponse']) {
  if (answer.case === 'errorResponse') return `${Code[answer.value.errorCode]}: ${answer.value.errorMessage}`;
  if (answer.case !== 'fileDescriptorResponse') return answer.case;
  return answer.value.fileDescriptorProto.map((file) => fromBinary(FileDescriptorProtoSchema, file).name);
}

const fileOf = async (...symbols: string[]) =>
  (await ask(...symbols.map((value): Question => ({ case: 'fileContainingSymbol', value })))).map(summary);

describe(createReflection, () => {
  it('lists the services of its files in alphabetical order, including its own', async () => {
    const [answer] = await ask({ case: 'listServices', value: '' });
    expect(answer).toMatchObject({
      case: 'listServicesResponse',
      value: {
        service: [
          { name: 'grpc.health.v1.Health' },
          { name: 'grpc.reflection.v1.ServerReflection' },
          { name: 'grpc.reflection.v1alpha.ServerReflection' },
          { name: 'image.v1.ProcessorService' },
        ],
      },
    });
  });

  it('finds a file by its name', async () => {
    const [answer] = await ask({ case: 'fileByFilename', value: 'image/v1/processor.proto' });
    expect(answer && summary(answer)).toEqual(['image/v1/processor.proto']);
  });

  it('sends a file first and then all that it imports', async () => {
    const [answer] = await ask({ case: 'fileByFilename', value: 'google/rpc/error_details.proto' });
    expect(answer && summary(answer)).toEqual([
      'google/rpc/error_details.proto',
      'google/protobuf/duration.proto',
    ]);
  });

  it('finds a file that is only imported', async () => {
    const [answer] = await ask({ case: 'fileByFilename', value: 'google/protobuf/duration.proto' });
    expect(answer && summary(answer)).toEqual(['google/protobuf/duration.proto']);
  });

  it('sends an import once per stream, but a requested file always', async () => {
    const answers = await ask(
      { case: 'fileByFilename', value: 'google/rpc/error_details.proto' },
      { case: 'fileByFilename', value: 'google/rpc/error_details.proto' },
    );
    expect(answers.map(summary)).toEqual([
      ['google/rpc/error_details.proto', 'google/protobuf/duration.proto'],
      ['google/rpc/error_details.proto'],
    ]);
  });

  it('finds the file of a symbol of any kind', async () => {
    const symbols = [
      'image.v1.ProcessorService',
      'image.v1.ProcessorService.ProcessStream',
      'image.v1.ProcessRequest',
      'image.v1.ProcessRequest.grayscale',
      'image.v1.ProcessRequest.source',
      'image.v1.Fit',
      'image.v1.FIT_COVER',
    ];
    expect(await fileOf(...symbols)).toEqual(symbols.map(() => ['image/v1/processor.proto']));
  });

  it('finds the file of a symbol within a message', async () => {
    const symbols = [
      'grpc.health.v1.HealthCheckResponse.ServingStatus',
      'grpc.health.v1.HealthCheckResponse.NOT_SERVING',
    ];
    expect(await fileOf(...symbols)).toEqual(symbols.map(() => ['grpc/health/v1/health.proto']));
  });

  it('finds the details of our failures', async () => {
    expect(await fileOf('google.rpc.ErrorInfo')).toEqual([
      ['google/rpc/error_details.proto', 'google/protobuf/duration.proto'],
    ]);
  });

  it('finds the file of an extension, by its name, and by message and number', async () => {
    const answers = await ask(
      { case: 'fileContainingSymbol', value: 'demo.unit' },
      {
        case: 'fileContainingExtension',
        value: { containingType: 'google.protobuf.FieldOptions', extensionNumber: 50_002 },
      },
    );
    expect(answers.map(summary)).toEqual([
      ['demo/options.proto', 'google/protobuf/descriptor.proto'],
      ['demo/options.proto'],
    ]);
  });

  it('returns the numbers of a message’s extensions, none for a message without', async () => {
    const answers = await ask(
      { case: 'allExtensionNumbersOfType', value: 'google.protobuf.FieldOptions' },
      { case: 'allExtensionNumbersOfType', value: 'image.v1.ProcessRequest' },
    );
    expect(answers).toMatchObject([
      { value: { baseTypeName: 'google.protobuf.FieldOptions', extensionNumber: [50_001, 50_002] } },
      { value: { baseTypeName: 'image.v1.ProcessRequest', extensionNumber: [] } },
    ]);
  });

  it('responds with NOT_FOUND to unknown names, and continues', async () => {
    const answers = await ask(
      { case: 'fileByFilename', value: 'image/v2/processor.proto' },
      { case: 'fileContainingSymbol', value: 'image.v1' },
      {
        case: 'fileContainingExtension',
        value: { containingType: 'image.v1.ProcessRequest', extensionNumber: 7 },
      },
      { case: 'allExtensionNumbersOfType', value: 'image.v1.Fit' },
      { case: 'fileContainingSymbol', value: 'image.v1.Fit' },
    );
    expect(answers.map(summary)).toEqual([
      'NotFound: no file "image/v2/processor.proto" here',
      'NotFound: no symbol "image.v1" here',
      'NotFound: no extension 7 of "image.v1.ProcessRequest" here',
      'NotFound: no message type "image.v1.Fit" here',
      ['image/v1/processor.proto'],
    ]);
  });

  it('ends the stream at an empty request', async () => {
    const error = await ask({ case: undefined }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: 'the request asks for nothing' });
  });

  it('returns the host and the request', async () => {
    await using server = await startRpcServer(routes);
    const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: server.url }));
    async function* requests() {
      yield { host: 'images.example', messageRequest: { case: 'listServices', value: '*' } as const };
    }
    const [response] = await collect(client.serverReflectionInfo(requests()));
    expect(response).toMatchObject({
      validHost: 'images.example',
      originalRequest: { host: 'images.example', messageRequest: { case: 'listServices', value: '*' } },
    });
  });

  it('handles v1alpha as v1', async () => {
    await using server = await startRpcServer(routes);
    const client = createClient(ServerReflectionV1alpha, createGrpcTransport({ baseUrl: server.url }));
    async function* requests() {
      yield { messageRequest: { case: 'fileContainingSymbol', value: 'image.v1.Fit' } as const };
      yield { messageRequest: { case: 'fileContainingSymbol', value: 'image.v1.Gone' } as const };
    }
    const [found, missing] = await collect(client.serverReflectionInfo(requests()));
    expect(found).toMatchObject({
      $typeName: 'grpc.reflection.v1alpha.ServerReflectionResponse',
      messageResponse: { case: 'fileDescriptorResponse' },
    });
    expect(missing).toMatchObject({ messageResponse: { case: 'errorResponse', value: { errorCode: 5 } } });
  });
});

describe.skipIf(grpcurl === undefined)('grpcurl by reflection', () => {
  it('lists the services', async () => {
    await using server = await startRpcServer(routes);
    const result = await run(grpcurl ?? '', ['-plaintext', server.address, 'list']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.toString().split('\n')).toContain('image.v1.ProcessorService');
  });

  it('describes a method and a message', async () => {
    await using server = await startRpcServer(routes);
    const method = await run(grpcurl ?? '', [
      '-plaintext',
      server.address,
      'describe',
      'image.v1.ProcessorService.Process',
    ]);
    expect(method).toMatchObject({ code: 0, stderr: '' });
    expect(method.stdout.toString()).toContain(
      'rpc Process ( .image.v1.ProcessRequest ) returns ( .image.v1.ProcessResponse )',
    );
    const message = await run(grpcurl ?? '', ['-plaintext', server.address, 'describe', 'image.v1.Resize']);
    expect(message.stdout.toString()).toContain('uint32 width = 1;');
  });
});

describe.skipIf(buf === undefined)('buf curl by reflection', () => {
  for (const protocol of ['grpc-v1', 'grpc-v1alpha']) {
    it(`lists the services over ${protocol}`, async () => {
      await using server = await startRpcServer(routes);
      const result = await run(buf ?? '', [
        'curl',
        '--protocol',
        'grpc',
        '--http2-prior-knowledge',
        '--reflect-protocol',
        protocol,
        '--list-services',
        server.url,
      ]);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(result.stdout.toString().split('\n')).toContain('image.v1.ProcessorService');
    });
  }
});

const python = findPythonWithGrpc();

describe.skipIf(python === undefined)('Python grpcio by reflection', () => {
  it('builds messages from the server’s descriptors', async () => {
    await using server = await startRpcServer(routes);
    const script = `
import sys, grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

with grpc.insecure_channel(sys.argv[1]) as channel:
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    service = pool.FindServiceByName('image.v1.ProcessorService')
    print(service.FindMethodByName('Process').input_type.full_name)
    print(pool.FindMessageTypeByName('google.rpc.ErrorInfo').fields_by_name['reason'].number)
`;
    const result = await run(python ?? '', ['-c', script, server.address]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.toString()).toBe('image.v1.ProcessRequest\n1\n');
  });
});
