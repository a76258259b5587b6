"""A model server without a model: the Open Inference Protocol over gRPC, by the messages of Triton's own client.

Prints its port, and then a JSON line for each input that comes. Refuses what lengths, shape or datatype contradict.
"""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

datatype_bytes = {"UINT8": 1, "FP16": 2, "BF16": 2, "FP32": 4}


class Service(service_pb2_grpc.GRPCInferenceServiceServicer):
    def ModelInfer(self, request, context):
        (given,) = request.inputs
        (content,) = request.raw_input_contents
        if len(content) != math.prod(given.shape) * datatype_bytes[given.datatype]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{len(content)} bytes for {given.datatype} {given.shape}")
        seen = {
            "model": request.model_name,
            "name": given.name,
            "datatype": given.datatype,
            "shape": list(given.shape),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        print(json.dumps(seen), flush=True)
        response = service_pb2.ModelInferResponse(model_name=request.model_name)
        response.outputs.add(name="length", datatype="INT32", shape=[1, 1])
        return response


server = grpc.server(ThreadPoolExecutor(2))
service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Service(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
