"""Turns a folder of images into tensors over one gRPC stream, a few at a time.

python grpc_stream.py photos tensors

For whole data sets there is `image-client job`, which goes on where it ended after a kill.
"""

import os
import sys
from pathlib import Path
from threading import Semaphore

import grpc

sys.path.append(os.environ.get("PROTO_PATH", str(Path(__file__).resolve().parents[2] / "proto")))
messages, services = grpc.protos_and_services("image/v1/processor.proto")

folder, target = Path(sys.argv[1]), Path(sys.argv[2])
target.mkdir(parents=True, exist_ok=True)
room = Semaphore(16)  # images under way; without it grpc would read the whole folder into memory


def requests():
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        room.acquire()
        request = messages.ProcessRequest(content=path.read_bytes(), preset="clip-vit-base-patch32")
        request.tensor.container = messages.TENSOR_CONTAINER_NPY
        yield messages.ProcessStreamRequest(id=path.name, request=request)


with grpc.insecure_channel(os.environ.get("IMAGE_PROCESSOR_URL", "localhost:50051")) as channel:
    # Responses arrive when they are ready; a failed one does not end the stream.
    for answer in services.ProcessorServiceStub(channel).ProcessStream(requests()):
        room.release()
        if answer.WhichOneof("result") == "failure":
            again = " (can be retried)" if answer.failure.retryable else ""
            print(f"{answer.id}: {answer.failure.reason}: {answer.failure.message}{again}", file=sys.stderr)
        else:
            (target / f"{answer.id}.npy").write_bytes(answer.response.content)
            print(answer.id, list(answer.response.tensors[0].shape))
