#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The map of 10,250 places over HTTP: made for the first asker, then from the
cache, and for a client that has it."""
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "web"))
import sonde_http as http  # noqa: E402

FILL = os.path.join(http.BUILD, "bench", "map-fill")
RUNS = 20


def main():
    collector = http.Collector()
    collector.stop()
    nodes = int(subprocess.run(
        [FILL, os.path.join(collector.folder, "state")], check=True,
        stdout=subprocess.PIPE).stdout)
    collector.start()
    packed = {"Accept-Encoding": "gzip"}

    def ask(query, headers):
        begin = time.monotonic()
        reply = collector.get("/api/v1/topology?from=-50m" + query, headers)
        return (time.monotonic() - begin) * 1000, reply

    # Another range each time is another map.
    made = [ask(f"&to=-{i}m", packed)[0] for i in range(1, 4)]
    _, first = ask("&to=-1m", packed)
    kept = [ask("&to=-1m", packed)[0] for _ in range(RUNS)]
    known = [ask("&to=-1m", {**packed, "If-None-Match":
                             first.headers["ETag"]}) for _ in range(RUNS)]
    plain = [ask("&to=-1m", {})[0] for _ in range(3)]
    text = gzip.decompress(first.body)
    got = len(json.loads(text)["nodes"])
    print(f"\nmap of {got} places (of {nodes}), {len(text)} bytes of JSON, "
          f"{len(first.body)} as gzip; milliseconds, median and most of "
          f"{RUNS} requests, gzip, on loopback")
    for name, times in (("made for the first asker", made),
                        ("from the cache", kept),
                        ("304 to a client that has it",
                         [t for t, _ in known]),
                        ("without gzip, from the cache", plain)):
        print(f"  {name:30}{statistics.median(times):8.1f}{max(times):8.1f}")
    if any(reply.status != 304 for _, reply in known):
        print("  the tag was not recognised")
    collector.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
