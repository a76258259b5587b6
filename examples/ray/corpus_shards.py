"""Makes the shards of a corpus that `image-client corpus plan` has planned, by Ray Data: a task for each shard.

    python corpus_shards.py OUT [WORKERS]

Each task is one process of image-client, so that Ray's workers hold no images. A task that fails is tried again on
whichever node is free; a shard that exists already takes no time.
"""

import json
import os
import shlex
import subprocess
import sys

import ray

CLIENT = shlex.split(os.environ.get("IMAGE_CLIENT", "image-client"))


def corpus(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([*CLIENT, "corpus", *words], capture_output=True, text=True)


def shards_of(out: str) -> int:
    # verify exits with 1 as long as shards are missing.
    done = corpus("verify", "--out", out, "--json", "--counts-only")
    if not done.stdout:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["shards"]["planned"]


def make_shard(row: dict, out: str) -> dict:
    done = corpus("work", "--out", out, "--shard", str(row["id"]), "--json", "--quiet")
    if done.returncode != 0:
        raise RuntimeError(f"shard {row['id']} ended with {done.returncode}: {done.stderr}")
    result = json.loads(done.stdout)
    return {"shard": result["shard"], "state": result["state"]}


def main() -> None:
    out = sys.argv[1]
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    shards = shards_of(out)
    made = (
        ray.data.range(shards, override_num_blocks=shards)
        .map(make_shard, fn_args=(out,), concurrency=workers, max_retries=5, retry_exceptions=True)
        .take_all()
    )
    for row in sorted(made, key=lambda row: row["shard"]):
        print(row["shard"], row["state"])


if __name__ == "__main__":
    main()
