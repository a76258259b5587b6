import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter, type ContextValues } from '@connectrpc/connect';
import {
  file_grpc_reflection_v1_reflection,
  type ServerReflectionRequest as RequestV1,
  ServerReflection as ServerReflectionV1,
} from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import {
  file_grpc_reflection_v1alpha_reflection,
  type ServerReflectionRequest as RequestV1alpha,
  ServerReflection as ServerReflectionV1alpha,
} from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { mapConcurrently } from '../../map-concurrently.ts';
import { placeKey } from './call-watch.ts';
import { drainingKey } from './server.ts';

/**
 * gRPC server reflection: a client such as grpcurl asks the server for its own descriptors and needs no
 * proto files. The two versions differ only in their names.
 *
 * @param files - every file whose services are to be listed, and files that clients need besides, such as
 * that of google.rpc.ErrorInfo, which stands in no method's signature. Imports come along by themselves.
 * @returns routes of grpc.reflection.v1 and v1alpha
 */
export function createReflection(...files: readonly DescFile[]): (router: ConnectRouter) => void {
  const listed = [...files, file_grpc_reflection_v1_reflection, file_grpc_reflection_v1alpha_reflection];
  const index = indexOf(listed);
  return (router) => {
    router.service(ServerReflectionV1, {
      serverReflectionInfo: (requests, { values }) => responses(requests, index, values),
    });
    router.service(ServerReflectionV1alpha, {
      serverReflectionInfo: (requests, { values }) => responses(requests, index, values),
    });
  };
}

type Index = ReturnType<typeof indexOf>;

/** Where each name is declared. */
function indexOf(listed: readonly DescFile[]) {
  const files = new Map<string, DescFile>();
  /** Symbols of every kind: types, services, methods, fields, oneofs, enum values, extensions. */
  const symbols = new Map<string, DescFile>();
  /** By message type, then by field number; empty for a message that nothing extends. */
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of withImports(listed)) {
    files.set(file.proto.name, file);
    for (const desc of nestedTypes(file)) {
      symbols.set(desc.typeName, file);
      switch (desc.kind) {
        case 'message':
          extensionsOf(desc.typeName);
          for (const member of [...desc.fields, ...desc.oneofs]) {
            symbols.set(`${desc.typeName}.${member.name}`, file);
          }
          break;
        case 'enum':
          // Protobuf's scoping: an enum's values are siblings of the enum.
          for (const value of desc.values) symbols.set(siblingName(desc.typeName, value.name), file);
          break;
        case 'service':
          for (const method of desc.methods) symbols.set(`${desc.typeName}.${method.name}`, file);
          break;
        case 'extension':
          extensionsOf(desc.extendee.typeName).set(desc.number, file);
          break;
      }
    }
  }

  function extensionsOf(extended: string): Map<number, DescFile> {
    const known = extensions.get(extended) ?? new Map<number, DescFile>();
    extensions.set(extended, known);
    return known;
  }

  const services = listed.flatMap((file) => file.services.map((service) => service.typeName)).sort();
  return { files, symbols, extensions, services };
}

function siblingName(typeName: string, name: string): string {
  return typeName.slice(0, typeName.lastIndexOf('.') + 1) + name;
}

/** The files and all that they import, each file before its imports, breadth first as grpc-go sends them. */
function withImports(files: readonly DescFile[]): Set<DescFile> {
  const found = new Set(files);
  // A set's iteration reaches what is added meanwhile.
  for (const file of found) {
    for (const dependency of file.dependencies) found.add(dependency);
  }
  return found;
}

/** One reflection stream, which ends when the server drains. A file that has gone out as an import is not sent as an import again. */
async function* responses<Request extends RequestV1 | RequestV1alpha>(
  requests: AsyncIterable<Request>,
  index: Index,
  values: ContextValues,
) {
  const sent = new Set<DescFile>();
  const one = async (request: Request) => {
    // Its idle time begins again.
    values.get(placeKey).wait();
    return {
      validHost: request.host,
      originalRequest: request,
      messageResponse: respondTo(request.messageRequest, index, sent),
    };
  };
  yield* mapConcurrently(requests, 1, one, values.get(drainingKey));
}

function respondTo(
  request: (RequestV1 | RequestV1alpha)['messageRequest'],
  index: Index,
  sent: Set<DescFile>,
) {
  switch (request.case) {
    case 'fileByFilename':
      return fileResponse(index.files.get(request.value), `file "${request.value}"`, sent);
    case 'fileContainingSymbol':
      return fileResponse(index.symbols.get(request.value), `symbol "${request.value}"`, sent);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = request.value;
      const file = index.extensions.get(containingType)?.get(extensionNumber);
      return fileResponse(file, `extension ${extensionNumber} of "${containingType}"`, sent);
    }
    case 'allExtensionNumbersOfType': {
      const numbers = index.extensions.get(request.value);
      if (numbers === undefined) return notFound(`message type "${request.value}"`);
      return {
        case: 'allExtensionNumbersResponse' as const,
        value: { baseTypeName: request.value, extensionNumber: [...numbers.keys()] },
      };
    }
    case 'listServices':
      return {
        case: 'listServicesResponse' as const,
        value: { service: index.services.map((name) => ({ name })) },
      };
    case undefined:
      throw new ConnectError('the request asks for nothing', Code.InvalidArgument);
  }
}

function fileResponse(file: DescFile | undefined, subject: string, sent: Set<DescFile>) {
  if (file === undefined) return notFound(subject);
  const files = [...withImports([file])].filter((each) => each === file || !sent.has(each));
  for (const each of files) sent.add(each);
  return {
    case: 'fileDescriptorResponse' as const,
    value: { fileDescriptorProto: files.map((each) => toBinary(FileDescriptorProtoSchema, each.proto)) },
  };
}

/** A name that is not found is a response in the stream, not its end. */
function notFound(subject: string) {
  return {
    case: 'errorResponse' as const,
    value: { errorCode: Code.NotFound, errorMessage: `no ${subject} here` },
  };
}
