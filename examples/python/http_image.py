"""Makes an image 1024 x 768 and gray, over HTTP.

python http_image.py photo.jpg gray.jpg
"""

import os
import sys

import requests

api = os.environ.get("IMAGE_API_URL", "http://localhost:8080")
source, target = sys.argv[1:]

options = {"width": 1024, "height": 768, "grayscale": "true"}
with open(source, "rb") as image:
    answer = requests.post(f"{api}/v1/images", params=options, files={"image": image}, timeout=35)
if not answer.ok:
    problem = answer.json()
    raise SystemExit(f"{problem['reason']}: {problem['detail']}")

with open(target, "wb") as output:
    output.write(answer.content)
print(answer.headers["Content-Type"], answer.headers["Image-Width"], "x", answer.headers["Image-Height"])
