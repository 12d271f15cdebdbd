#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How long a worm's packet takes to the browser: from the moment it is sent
until the event stream names its source, with a real agent and collector and
no TLS; the sensor counts in minutes."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../probes/agent"))
import worm_path                                 # noqa: E402

PACKETS = 100


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1,
                             int(q * len(sorted_values)))]


def measure(path, browser):
    waits = []
    for n in range(PACKETS):
        src = f"203.0.{n // 200}.{n % 200 + 1}"
        time.sleep(random.uniform(0.05, 0.5))    # no rhythm of ours
        sent = time.time_ns()
        path.wire.send(worm_path.slammer(src))
        when, seen = browser.next()
        if not seen or seen["src"] != src:
            raise RuntimeError(f"no event for {src}: {path.log()}")
        waits.append((when - sent) / 1e6)
    return sorted(waits)


def main():
    live = worm_path.in_namespace()
    path = worm_path.Path(worm_path.Veth if live else worm_path.Fifo, "60s")
    try:
        waits = measure(path, path.start())
    finally:
        path.close()
    wire = "live capture, network namespace" if live else \
        "capture by a FIFO: no network namespace to be had here"
    print(f"\npacket to browser event, {PACKETS} new sources ({wire})")
    for name, q in (("p50", 0.5), ("p95", 0.95), ("largest", 1)):
        print(f"  {name:24}{quantile(waits, q):10.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
