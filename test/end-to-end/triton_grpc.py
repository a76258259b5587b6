"""Sends the body of `format=open_inference` to a model of Triton over gRPC.

python triton_grpc.py ADDRESS MODEL LENGTH

Reads the body from standard input. LENGTH is that of its JSON. Prints the strings of the first output, a line each.
"""

import json
import sys

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import deserialize_bytes_tensor

address, model, length = sys.argv[1:]
body = sys.stdin.buffer.read()
request = service_pb2.ModelInferRequest(model_name=model)
start = int(length)
for given in json.loads(body[:start])["inputs"]:
    request.inputs.add(name=given["name"], datatype=given["datatype"], shape=given["shape"])
    end = start + given["parameters"]["binary_data_size"]
    request.raw_input_contents.append(body[start:end])
    start = end
with grpc.insecure_channel(address) as channel:
    response = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
for text in deserialize_bytes_tensor(response.raw_output_contents[0]):
    print(text.decode())
