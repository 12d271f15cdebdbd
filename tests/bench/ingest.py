#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Records a second into the collector (four agents, signatures, exactly once,
rollups by minute, hour and day) and into a bare SQLite table: same records,
same durability (WAL, synchronous=FULL), 500 records a transaction.  And what the
collector's disk takes: the size of its files, and all that was written, a
record.  Then the same with a load of real cardinality, as many records as
SONDE_BENCH_RECORDS says, and every kind of query on what it left."""
import os
import statistics
import subprocess
import sys
import tempfile

BUILD = os.environ.get("O", "build")
BATCHES = 50                # of 500 records, of each agent
RUNS = 3
RECORDS = int(os.environ.get("SONDE_BENCH_RECORDS", "1000000"))


def written():
    """Bytes that this process's ended children sent to the disk."""
    with open("/proc/self/io", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith("write_bytes"))


def size_of(folder):
    """Bytes of all its files."""
    return sum(os.stat(os.path.join(at, name)).st_size
               for at, _, names in os.walk(folder) for name in names)


def rate(which):
    """Records a second; bytes kept and bytes written for each record."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        before = written()
        done = subprocess.run(
            [f"{BUILD}/bench/ingest-bench", which, folder, str(BATCHES)],
            stdout=subprocess.PIPE, check=True)
        kept = size_of(folder)
        count = BATCHES * 4 * 500
        return (float(done.stdout), kept / count,
                (written() - before) / count)


def mixed(bare):
    """A million sources, 3,400 destinations, five days; then queries."""
    print(f"\nmixed load, {RECORDS} records", flush=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        load, store = f"{folder}/load", f"{folder}/store"
        os.mkdir(store)
        bench = f"{BUILD}/bench/ingest-bench"
        subprocess.run([bench, "make", load, str(RECORDS), "full"],
                       stdout=subprocess.DEVNULL, check=True)
        done = subprocess.run([bench, "mixed", store, load],
                              stdout=subprocess.PIPE, check=True, text=True)
        print(done.stdout, end="")
        each = float(done.stdout.split()[-1])
        print(f"  {each:.0f} records/s, {each / bare:.2f} of the bare loop, "
              f"{size_of(store) / RECORDS:.0f} bytes kept", flush=True)
        subprocess.run([f"{BUILD}/bench/queries", store], check=True)


def main():
    names = {"ours": "sonde-collector", "bare": "bare SQLite loop"}
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
    mixed(statistics.median(run["bare"][0] for run in runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
