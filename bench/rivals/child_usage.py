"""Runs a command and writes what it and all its children used, as JSON, to the file of the first argument."""

import json
import resource
import subprocess
import sys
import time

start = time.monotonic()
status = subprocess.run(sys.argv[2:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump(
        {
            "status": status,
            "seconds": time.monotonic() - start,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "peak_mb": used.ru_maxrss / 1000,
        },
        file,
    )
