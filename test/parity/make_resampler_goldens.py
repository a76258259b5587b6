"""Makes resampler-goldens.json: SHA-256 (its first 16 digits) of what libraries make of pictures of noise.

    python test/parity/make_resampler_goldens.py

test/parity/resamplers.test.ts makes the same pictures (test/processor/image/kernels/noise.ts) and compares. Run it once with
each Python that has some of the libraries of resamplers.py; those that are not installed keep the hashes that they have.
"""

import hashlib
import json
from pathlib import Path

import numpy

import resamplers

# source size, target size: by whole factors, down, up, up and down, tall, and small enough for torch's other kernel
GEOMETRIES = [
    ((96, 64), (32, 32)),
    ((301, 227), (97, 61)),
    ((60, 45), (128, 101)),
    ((50, 211), (77, 40)),
    ((40, 900), (31, 64)),
    ((129, 97), (43, 33)),
]


def noise(length):
    state = 1
    values = bytearray(length)
    for i in range(length):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = state >> 24
    return bytes(values)


def main():
    path = Path(__file__).with_name("resampler-goldens.json")
    made = json.loads(path.read_text()) if path.exists() else {"versions": [], "hashes": {}}
    versions, rows = resamplers.rows()
    names = {version.split()[0] for version in versions}
    is_kept = lambda version: version.split()[0] not in names or version.startswith(("Pillow", "OpenCV"))
    made["versions"] = sorted({*versions, *filter(is_kept, made["versions"])})
    for source, size in GEOMETRIES:
        image = numpy.frombuffer(noise(source[0] * source[1] * 3), numpy.uint8).reshape(source[1], source[0], 3)
        hashes = made["hashes"].setdefault(f"{source[0]}x{source[1]} to {size[0]}x{size[1]}", {})
        for name, resize in rows.items():
            result = numpy.ascontiguousarray(resize(image, size))
            if result.shape[1::-1] != size:
                continue  # reduce has sizes of its own
            hashes[name] = hashlib.sha256(result.tobytes()).hexdigest()[:16]
    path.write_text(json.dumps(made, indent=2) + "\n")


main()
