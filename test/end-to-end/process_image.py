"""Calls image-processor with only its address, by reflection, and prints the responses as JSON.

    process_image.py 127.0.0.1:50051 picture.png [large.jpg]
"""

import json
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

address, picture, large = sys.argv[1:]

with grpc.insecure_channel(address) as channel:
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    service = pool.FindServiceByName("image.v1.ProcessorService")
    methods = {method.name: method for method in service.methods}

    def stub(name, kind):
        method = methods[name]
        return getattr(channel, kind)(
            f"/{service.full_name}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )

    process = stub("Process", "unary_unary")
    process_stream = stub("ProcessStream", "stream_stream")
    ProcessRequest = GetMessageClass(methods["Process"].input_type)
    ProcessStreamRequest = GetMessageClass(methods["ProcessStream"].input_type)

    with open(picture, "rb") as file:
        content = file.read()
    with open(large, "rb") as file:
        large_content = file.read()

    gray = ProcessRequest(content=content, grayscale=True)
    gray.tensor.datatype = 1  # DATATYPE_UINT8: the pixels themselves
    tensor = process(gray, timeout=20)

    resized = ProcessRequest(content=large_content, grayscale=True)
    resized.resize.width, resized.resize.height = 1024, 768
    resized_responses = [process(resized, timeout=20) for _ in range(3)]

    try:
        process(ProcessRequest(content=b"no image"), timeout=20)
        failure = None
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]
        failure = {
            "code": error.code().name,
            "message": error.details(),
            "has_reason": b"FORMAT_UNSUPPORTED" in details,
        }

    messages = [ProcessStreamRequest(id=str(number), request=gray) for number in range(5)]
    messages.insert(2, ProcessStreamRequest(id="bad"))
    responses = {response.id: response.WhichOneof("result") for response in process_stream(iter(messages), timeout=20)}

print(
    json.dumps(
        {
            "tensor": {
                "values": list(tensor.content),
                "shape": list(tensor.tensors[0].shape),
                "datatype": tensor.tensors[0].datatype,
            },
            "resized": [[response.content_type, response.width, response.height] for response in resized_responses],
            "failure": failure,
            "stream": responses,
        }
    )
)
