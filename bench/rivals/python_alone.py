#!/usr/bin/env python3
"""Pillow or transformers in a bare process, `python_alone.py pillow | transformers`: a line of JSON is {"files"}, {"work", "count"} or {"answers"}."""

import base64
import json
import sys
import time

from python_ways import WAYS

ways = WAYS[sys.argv[1]]()
files, answers = [], []
for line in iter(sys.stdin.buffer.readline, b""):
    question = json.loads(line)
    if "files" in question:
        files = [base64.b64decode(file) for file in question["files"]]
        reply = None
    elif "work" in question:
        make, answers, times = ways[question["work"]], [], []
        for index in range(question["count"]):
            start = time.perf_counter()
            answers.append(make(files[index % len(files)]))
            times.append((time.perf_counter() - start) * 1000)
        reply = times
    else:
        assert all(answer == answers[index % len(files)] for index, answer in enumerate(answers))
        reply = [base64.b64encode(answer).decode() for answer in answers[: len(files)]]
    print(json.dumps(reply), flush=True)
