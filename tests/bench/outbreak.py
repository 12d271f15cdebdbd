#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An agent in an outbreak: Slammer's packets from many sources in random
order over a veth pair, at a steady rate, into a real agent that reports to a
real collector.  What is lost on the way (the kernel drops what the sensor
does not fetch in time), what arrives at the collector, what it costs."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../probes/agent"))
import worm_path                                 # noqa: E402

SOURCES = int(os.environ.get("SOURCES", "100000"))
PACKETS = int(os.environ.get("PACKETS", "1500000"))
RATE_PPS = int(os.environ.get("RATE", "25000"))
TICK_S = 0.005


def outbreak(wire):
    """Seconds that it took."""
    frames = [worm_path.make.frame("ethernet", worm_path.slammer(
        f"100.{64 + n // 65536}.{n // 256 % 256}.{n % 256}"))
        for n in range(SOURCES)]
    choose, send = random.Random(1).randrange, wire.out.send
    sent, start = 0, time.monotonic()
    while sent < PACKETS:
        due = min(PACKETS, int((time.monotonic() - start) * RATE_PPS))
        for _ in range(due - sent):
            send(frames[choose(SOURCES)])
        sent = due
        time.sleep(TICK_S)
    return time.monotonic() - start


def processes(agent):
    """CPU seconds and largest MiB of each of the agent's processes."""
    found = {}
    with open(f"/proc/{agent.pid}/task/{agent.pid}/children",
              encoding="ascii") as pids:
        for pid in pids.read().split():
            with open(f"/proc/{pid}/stat", encoding="ascii") as text:
                name, _, rest = text.read().partition(") ")
            fields = rest.split()
            ticks = int(fields[11]) + int(fields[12])
            with open(f"/proc/{pid}/status", encoding="ascii") as text:
                peak = next((int(x.split()[1]) for x in text
                             if x.startswith("VmHWM")), 0)
            found[name.partition("sonde-")[2]] = (
                ticks / os.sysconf("SC_CLK_TCK"), peak / 1024)
    return found


def newest_beat(path):
    beats = path.get("/api/v1/records?kind=heartbeat&limit=1")["items"]
    return beats[0]["record"] if beats else {"wall_ns": 0}


def wait_for_the_rest(path):
    """Until a heartbeat made after the sensor's next interval is stored."""
    due = time.time_ns() + 65 * 10**9
    end = time.monotonic() + 600
    while newest_beat(path)["wall_ns"] < due and time.monotonic() < end:
        time.sleep(0.5)
    return newest_beat(path)["heartbeat"]["counters"]


def main():
    if not worm_path.in_namespace():
        print("outbreak: skipped, no network namespace to be had here")
        return 0
    path = worm_path.Path(worm_path.Veth, "60s")
    try:
        path.start()
        took_s = outbreak(path.wire)
        got = wait_for_the_rest(path)
        used = processes(path.agent)
        stored = sum(s["packets"] for s in
                     path.get("/api/v1/signatures")["items"]
                     if s["signature"] == "slammer")
    finally:
        path.close()
    print(f"\noutbreak, {PACKETS} packets of {SOURCES} sources in "
          f"{took_s:.0f} s")
    for name in ("captured", "dropped", "evicted", "sightings", "aggregated",
                 "first_sightings", "first_deferred"):
        print(f"  sensor.{name:17}{got.get('sensor.' + name, 0):12}")
    print(f"  {'records kept':24}{got['keeper.stored']:12}")
    print(f"  {'packets at collector':24}{stored:12}"
          f"  {100 * stored / PACKETS:.1f} % of those sent")
    for name, (cpu_s, mib) in sorted(used.items()):
        print(f"  {name:24}{cpu_s:10.1f} s{mib:10.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
