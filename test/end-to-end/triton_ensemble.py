"""Reads a model repository of Triton with the message of its own client.

python triton_ensemble.py FOLDER

Prints a line of JSON for each tensor of each ensemble and of its steps: the ensemble's name for it, and what the model
declares.
"""

import json
import sys
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

configs = {
    path.parent.name: text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
    for path in sorted(Path(sys.argv[1]).glob("*/config.pbtxt"))
}


def tensors(config, kind):
    for tensor in getattr(config, kind):
        datatype = model_config_pb2.DataType.Name(tensor.data_type)
        yield tensor.name, {"model": config.name, "kind": kind, "datatype": datatype, "dims": list(tensor.dims)}


for folder, config in configs.items():
    if config.name != folder:
        raise SystemExit(f"{folder} contains the model {config.name}")
    if config.platform != "ensemble":
        continue
    for kind in ("input", "output"):
        for name, declared in tensors(config, kind):
            print(json.dumps({"name": name, **declared}))
    for step in config.ensemble_scheduling.step:
        for kind, names in (("input", step.input_map), ("output", step.output_map)):
            declared = dict(tensors(configs[step.model_name], kind))
            if declared.keys() != names.keys():
                raise SystemExit(f"{step.model_name} declares {list(declared)}, and the ensemble maps {list(names)}")
            for name, values in declared.items():
                print(json.dumps({"name": names[name], **values}))
