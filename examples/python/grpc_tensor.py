"""Gives an image as a tensor, over gRPC, with stubs that grpcio-tools makes of the proto when this runs.

python grpc_tensor.py photo.jpg [folder of the protos]

To make files of them instead, once and for all:
python -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. --grpc_python_out=. proto/image/v1/processor.proto
"""

import os
import sys
from pathlib import Path

import grpc
import numpy as np

protos = sys.argv[2] if len(sys.argv) > 2 else str(Path(__file__).resolve().parents[2] / "proto")
sys.path.append(protos)  # where grpc looks for protos
messages, services = grpc.protos_and_services("image/v1/processor.proto")

address = os.environ.get("IMAGE_PROCESSOR_URL", "localhost:50051")
with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", 256 << 20)]) as channel:
    processor = services.ProcessorServiceStub(channel)
    with open(sys.argv[1], "rb") as image:
        request = messages.ProcessRequest(
            content=image.read(),
            resize=messages.Resize(width=224, height=224, filter=messages.FILTER_BICUBIC),
            tensor=messages.TensorOutput(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
        )
    try:
        answer = processor.Process(request, timeout=30)
    except grpc.RpcError as error:
        raise SystemExit(f"{error.code().name}: {error.details()}") from None

tensor = np.frombuffer(answer.content, dtype="<f4").reshape(answer.tensors[0].shape)
print(tensor.shape, tensor.dtype, "mean of each channel:", tensor.mean(axis=(0, 2, 3), dtype=float).round(4).tolist())
