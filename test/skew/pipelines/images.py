"""Photographs that Python packages ship, and files made from them. None of them is in the repository."""

import importlib.util
import io
import os
import struct


def found(package, *names):
    spec = importlib.util.find_spec(package)
    if spec is None:
        return {}
    folder = os.path.dirname(spec.origin)
    paths = {os.path.basename(name): os.path.join(folder, name) for name in names}
    return {name: path for name, path in paths.items() if os.path.exists(path)}


def photographs():
    return {
        **found("sklearn", "datasets/images/china.jpg", "datasets/images/flower.jpg"),
        **found("skimage", *(f"data/{name}" for name in (
            "rocket.jpg", "coffee.png", "chelsea.png", "astronaut.png", "retina.jpg", "hubble_deep_field.jpg", "camera.png"))),
        **found("ultralytics", "assets/bus.jpg", "assets/zidane.jpg"),
    }


def held_out():
    """(name, kinds, bytes) of each file. Kinds are words; a pipeline runs on files that have all words of its own."""
    from PIL import Image

    paths = photographs()
    made = []

    def add(name, kind, data):
        made.append((name, kind, data))

    def saved(image, format, **options):
        buffer = io.BytesIO()
        image.save(buffer, format, **options)
        return buffer.getvalue()

    for name, path in paths.items():
        with open(path, "rb") as file:
            data = file.read()
        image = Image.open(path)
        kinds = ["gray" if image.mode == "L" else "photo"]
        kinds += ["jpeg"] if name.endswith(".jpg") else ["png"]
        kinds += ["large"] if min(image.size) >= 700 else []
        kinds += ["wide"] if image.width > image.height * 1.2 else []
        add(name, " ".join(kinds), data)
    for name, orientation in (("flower.jpg", 6), ("china.jpg", 8), ("rocket.jpg", 3)):
        if name in paths:
            image = Image.open(paths[name])
            exif = Image.Exif()
            exif[0x0112] = orientation
            add(f"orientation-{orientation}-{name}", "exif", saved(image, "JPEG", quality=93, exif=exif))
    for name in ("chelsea.png", "coffee.png"):
        if name in paths:
            image = Image.open(paths[name]).convert("RGB")
            odd = image.crop((0, 0, image.width - 2 + image.width % 2, image.height - 2 + image.height % 2)).crop((1, 1, image.width - 2, image.height - 2))
            add(name.replace(".png", "-odd.jpg"), "photo jpeg wide odd", saved(odd, "JPEG", quality=91))
            add(name.replace(".png", "-444.jpg"), "photo jpeg wide", saved(image, "JPEG", quality=96, subsampling=0, progressive=True))
            gradient = Image.linear_gradient("L").resize(image.size)
            image.putalpha(gradient)
            add(name.replace(".png", "-alpha.png"), "alpha", saved(image, "PNG"))
    for name in ("china.jpg", "coffee.png"):
        if name in paths:
            image = Image.open(paths[name]).convert("RGB")
            add(f"p3-{name.split('.')[0]}.jpg", "icc", saved(image, "JPEG", quality=94, icc_profile=wide_profile()))
    return made


def wide_profile():
    """An ICC profile, version 2, of the primaries of Display P3 with a gamma of 2.2."""

    def xyz(*values):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 3) + b"P3\0" + bytes(4 + 4 + 2 + 1 + 67),
        b"cprt": b"text\0\0\0\0CC0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407),
        **{name: b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) for name in (b"rTRC", b"gTRC", b"bTRC")},
    }
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">2I", at + len(data), len(value))
        data += value
    header = struct.pack(">I4sI4s4s4s", at + len(data), b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + data
