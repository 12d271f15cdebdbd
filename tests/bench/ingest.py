#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Records a second into the collector (four agents, signatures, exactly once,
rollups by minute, hour and day) and into a bare SQLite table by a loop of
inserts: same records, same durability, same records a transaction."""
import os
import statistics
import subprocess
import sys
import tempfile

BUILD = os.environ.get("O", "build")
BATCHES = 50                # of 500 records, of each agent
RUNS = 3


def rate(which):
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        done = subprocess.run(
            [f"{BUILD}/bench/ingest-bench", which, folder, str(BATCHES)],
            stdout=subprocess.PIPE, check=True)
        return float(done.stdout)


def main():
    pairs = [(rate("ours"), rate("bare")) for _ in range(RUNS)]
    ours, bare = (statistics.median(p[i] for p in pairs) for i in range(2))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"\ningest, {BATCHES * 4} batches of 500 records, half traces of 10 "
          f"hops, half sightings  ({RUNS} runs in turn, medians)")
    print(f"  {'sonde-collector':24}{ours:10.0f} records/s")
    print(f"  {'bare SQLite loop':24}{bare:10.0f} records/s"
          f"{ratio:12.2f} ours/it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
