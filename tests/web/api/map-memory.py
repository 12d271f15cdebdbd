#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A map of thousands of places takes much memory while it is made; once it is
packed, the system has that back, whichever thread made it."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
import sonde_http                                           # noqa: E402

FILL = os.path.join(sonde_http.BUILD, "bench", "map-fill")
MAPS = 6
LEFT_MOST_KIB = 128 << 10   # a map of 10,250 places takes some 100 MB

tap = sonde_http.Tap()
collector = sonde_http.Collector()


def kib(what):
    with open(f"/proc/{collector.process.pid}/status",
              encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith(what))


def memory_is_given_back():
    before = kib("RssAnon")
    sizes = [len(collector.get(f"/api/v1/topology?from=-50m&to=-{i}m",
                               {"Accept-Encoding": "gzip"}).body)
             for i in range(1, MAPS + 1)]
    peak, left = kib("VmHWM") - before, kib("RssAnon") - before
    tap.ok(min(sizes) > 100 << 10 and left < LEFT_MOST_KIB,
           f"{MAPS} maps took {peak} KiB at the peak, {left} KiB are left")


try:
    collector.stop()
    subprocess.run([FILL, os.path.join(collector.folder, "state")],
                   check=True, stdout=subprocess.DEVNULL)
    collector.start()
    tap.run(memory_is_given_back)
finally:
    collector.close()
tap.done()
