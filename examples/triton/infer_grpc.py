"""Sends an image to a model behind the Open Inference Protocol, all over gRPC, without NumPy in between.

python infer_grpc.py photo.jpg MODEL INPUT [PRESET]

The fields of `Tensor` in image-processor's response have the names of the protocol's InferInputTensor, and `content` is
an entry of raw_input_contents.
"""

import os
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tritonclient.grpc import service_pb2, service_pb2_grpc

photo, model, input_name, preset = (*sys.argv[1:], "clip-vit-base-patch32")[:4]

with grpc.insecure_channel(os.environ.get("IMAGE_PROCESSOR_URL", "localhost:50051")) as channel:
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName("image.v1.ProcessorService").methods_by_name["Process"]
    process = channel.unary_unary(
        "/image.v1.ProcessorService/Process",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    with open(photo, "rb") as image:
        answer = process(GetMessageClass(method.input_type)(content=image.read(), preset=preset), timeout=30)

request = service_pb2.ModelInferRequest(model_name=model, raw_input_contents=[answer.content])
(tensor,) = answer.tensors
request.inputs.add(name=input_name, datatype=tensor.datatype, shape=tensor.shape)
with grpc.insecure_channel(os.environ.get("MODEL_SERVER_ADDRESS", "localhost:8001")) as channel:
    result = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
for output in result.outputs:
    print(output.name, output.datatype, list(output.shape))
