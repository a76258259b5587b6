"""Makes src/processor/presets/ultralytics-names.json: the names of Ultralytics' models, by preset.

    pip install ultralytics && python test/parity/make_ultralytics_names.py

The names are those of the files that the package downloads. A model belongs to a preset only if its predictor makes
the same input (ultralytics/models/*/predict.py) of the same size; the sizes are those of the package's README and of the
models' pages in the documentation. The sizes of the others are not published in a way that leaves no doubt.
"""

import json
import re
from pathlib import Path

import ultralytics
from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

PATH = Path(__file__).resolve().parents[2] / "src/processor/presets/ultralytics-names.json"

# The first pattern that a name matches as a whole decides.
PATTERNS = {
    "ultralytics/yolo-p6": r"yolov5[nsmlx]6u|yolov8x-pose-p6",
    "ultralytics/yolo-cls": r"yolov8.-cls|yolo11.-cls|yolo26.-cls",
    "ultralytics/yolo-obb": r"yolov8.-obb|yolo11.-obb|yolo26.-obb",
    "ultralytics/yolo-depth": r"yolo26.-depth",
    "ultralytics/rtdetr": r"rtdetr-[lx]",
    "ultralytics/yolo": r"yolov3(-spp|-tiny)?u|yolov5[nsmlx]u|(yolov8|yolo11|yolo26)[nsmlx](-seg|-pose)?|yolov9.(-seg)?"
    r"|yolov10.|yolo12.",
}


def preset_of(name):
    return next((preset for preset, pattern in PATTERNS.items() if re.fullmatch(pattern, name)), None)


names = {preset: [] for preset in PATTERNS}
for file in sorted(GITHUB_ASSETS_NAMES):
    stem, _, suffix = file.rpartition(".")
    preset = preset_of(stem)
    if suffix == "pt" and preset is not None:
        names[preset].append(stem)
        # YOLO("yolov5n.pt") loads yolov5nu.pt: check_yolov5u_filename.
        if re.fullmatch(r"yolov5.6?u", stem):
            names[preset].append(stem.removesuffix("u"))
for stems in names.values():
    stems.sort()

head = {"ultralytics": ultralytics.__version__, "names": names}
PATH.write_text(json.dumps(head, indent=2) + "\n")
