"""Calls image-processor with nothing but its address: it tells its own messages by reflection.

python grpc_by_reflection.py photo.jpg
"""

import os
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

address = os.environ.get("IMAGE_PROCESSOR_URL", "localhost:50051")
with grpc.insecure_channel(address) as channel:
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName("image.v1.ProcessorService").methods_by_name["Process"]
    process = channel.unary_unary(
        "/image.v1.ProcessorService/Process",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    with open(sys.argv[1], "rb") as image:
        request = GetMessageClass(method.input_type)(content=image.read(), grayscale=True)
    request.resize.width, request.resize.height = 1024, 768
    answer = process(request, timeout=30)

print(answer.content_type, answer.width, "x", answer.height, "of", answer.source.width, "x", answer.source.height)
