#!/usr/bin/env python3
"""A library of Python in a FastAPI app, as a user would write it: `fastapi_apps.py LIBRARY`, a name of python_ways.WAYS.

Prints its port, and ends when its stdin ends.
"""

import os
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from python_ways import WAYS

app = FastAPI()


def add(name, make):
    # Not async: FastAPI runs it in a thread of its pool.
    @app.post(f"/{name}")
    def answer(image: UploadFile):
        return Response(make(image.file.read()), media_type="application/octet-stream")

    @app.post(f"/body/{name}")
    async def answer_body(request: Request):
        content = await run_in_threadpool(make, await request.body())
        return Response(content, media_type="application/octet-stream")


for name, make in WAYS[sys.argv[1]]().items():
    add(name, make)

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
# Connections wait for uvicorn from here on.
listener.listen()
print(listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
