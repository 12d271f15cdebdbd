#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Records a second into the collector (four agents, signatures, exactly once,
rollups by minute, hour and day), into its table of records alone by a loop of
inserts, and into a bare SQLite table: same records, same durability (WAL,
synchronous=FULL), 500 records a transaction.  And what the collector's disk
takes: the size of the database, and all that was written, a record."""
import os
import statistics
import subprocess
import sys
import tempfile

BUILD = os.environ.get("O", "build")
BATCHES = 50                # of 500 records, of each agent
RUNS = 3


def written():
    """Bytes that this process's ended children sent to the disk."""
    with open("/proc/self/io", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith("write_bytes"))


def rate(which):
    """Records a second; bytes kept and bytes written for each record."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        before = written()
        done = subprocess.run(
            [f"{BUILD}/bench/ingest-bench", which, folder, str(BATCHES)],
            stdout=subprocess.PIPE, check=True)
        kept = sum(entry.stat().st_size for entry in os.scandir(folder))
        count = BATCHES * 4 * 500
        return (float(done.stdout), kept / count,
                (written() - before) / count)


def main():
    names = {"ours": "sonde-collector", "indexed": "its records table, a loop",
             "bare": "bare SQLite loop"}
    runs = [{which: rate(which) for which in names} for _ in range(RUNS)]
    print(f"\ningest, {BATCHES * 4} batches of 500 records, half traces of 10 "
          f"hops, half sightings  ({RUNS} runs in turn, medians)")
    for which, name in names.items():
        each, kept, wrote = (statistics.median(run[which][i] for run in runs)
                             for i in range(3))
        ratio = statistics.median(run["ours"][0] / run[which][0]
                                  for run in runs)
        print(f"  {name:26}{each:10.0f} records/s{kept:8.0f} bytes kept"
              f"{wrote:8.0f} written" +
              (f"{ratio:8.2f} ours/it" if which != "ours" else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
