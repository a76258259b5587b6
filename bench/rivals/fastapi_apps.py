#!/usr/bin/env python3
"""Pillow, OpenCV or transformers in a FastAPI app, as a user would write it: `fastapi_apps.py pillow | opencv | transformers`.

Prints its port, and ends when its stdin ends.
"""

import os
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI, Response, UploadFile

from python_ways import WAYS

app = FastAPI()


def add(name, make):
    # Not async: FastAPI runs it in a thread of its pool.
    @app.post(f"/{name}")
    def answer(image: UploadFile):
        return Response(make(image.file.read()), media_type="application/octet-stream")


for name, make in WAYS[sys.argv[1]]().items():
    add(name, make)

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
