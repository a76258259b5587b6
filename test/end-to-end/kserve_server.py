"""A model server of KServe with a model that describes its inputs.

python kserve_server.py PORT MODEL
"""

import hashlib
import json
import sys

from kserve import InferOutput, InferResponse, Model, ModelServer

port, name = sys.argv[1:]


class Describer(Model):
    def __init__(self):
        super().__init__(name)
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        seen = [
            json.dumps(
                {
                    "name": given.name,
                    "datatype": given.datatype,
                    "shape": list(given.as_numpy().shape),
                    "sha256": hashlib.sha256(given.as_numpy().tobytes()).hexdigest(),
                }
            )
            for given in payload.inputs
        ]
        output = InferOutput("inputs", [len(seen)], "BYTES", data=seen)
        return InferResponse(payload.id or "1", name, [output])


ModelServer(http_port=int(port), enable_grpc=False).start([Describer()])
