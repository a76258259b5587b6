"""Starts the Triton of the package nvidia-pytriton, which runs without a GPU, with the models of examples/triton.

python triton_server.py FOLDER HTTP_PORT GRPC_PORT

FOLDER is empty. The exports that the examples leave to their readers are models of triton_model.py there; `seen` takes the
inputs of the ensemble `detection` and describes them.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import pytriton

folder, http_port, grpc_port = sys.argv[1:]
server = Path(pytriton.__file__).parent / "tritonserver"
here = Path(__file__).parent
models = Path(folder, "models")
shutil.copytree(here.parent.parent / "examples/triton/models", models)

# The backend looks for its stub beside it.
backend = Path(folder, "backends/python")
shutil.copytree(server / "backends/python", backend)
version = f"{sys.version_info.major}.{sys.version_info.minor}"
shutil.copy(server / "python_backend_stubs" / version / "triton_python_backend_stub", backend)

inputs = re.findall(r"^input .*$", (models / "detection/config.pbtxt").read_text(), re.MULTILINE)
(models / "seen").mkdir()
(models / "seen/config.pbtxt").write_text(
    "\n".join(
        [
            'name: "seen"',
            'platform: "onnxruntime_onnx"',
            "max_batch_size: 16",
            *inputs,
            'output { name: "inputs" data_type: TYPE_STRING dims: [ 2 ] }',
        ]
    )
)
for config in models.glob("*/config.pbtxt"):
    text = config.read_text()
    version_folder = config.parent / "1"
    version_folder.mkdir(exist_ok=True)
    if "onnxruntime_onnx" in text:
        config.write_text(text.replace('platform: "onnxruntime_onnx"', 'backend: "python"'))
        shutil.copy(here / "triton_model.py", version_folder / "model.py")

arguments = {
    "model-repository": models,
    "backend-directory": Path(folder, "backends"),
    "http-address": "127.0.0.1",
    "http-port": http_port,
    "grpc-address": "127.0.0.1",
    "grpc-port": grpc_port,
    "allow-metrics": "false",
}
program = server / "bin/tritonserver"
environment = {
    **os.environ,
    # The backend imports the packages of the first Python there.
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    # The stub finds them relative to its folder otherwise.
    "LD_LIBRARY_PATH": str(server.parent.parent / "nvidia_pytriton.libs"),
}
os.execve(program, [str(program), *(f"--{name}={value}" for name, value in arguments.items())], environment)
