"""A model of Triton's Python backend that describes its inputs, or returns zeros in the place of weights."""

import hashlib
import json

import numpy
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.inputs = [given["name"] for given in config["input"]]
        self.outputs = [
            (output["name"], [int(length) for length in output["dims"]], triton.triton_string_to_numpy(output["data_type"]))
            for output in config["output"]
        ]

    def execute(self, requests):
        return [triton.InferenceResponse(self.outputs_of(request)) for request in requests]

    def outputs_of(self, request):
        given = [(name, triton.get_input_tensor_by_name(request, name).as_numpy()) for name in self.inputs]
        if self.outputs[0][0] == "inputs":
            return [triton.Tensor("inputs", numpy.array([[described(*each) for each in given]], dtype=object))]
        images = len(given[0][1])
        return [triton.Tensor(name, numpy.zeros([images, *dims], dtype)) for name, dims, dtype in self.outputs]


def described(name, values):
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    return json.dumps({"name": name, "dtype": str(values.dtype), "shape": values.shape, "sha256": digest})
