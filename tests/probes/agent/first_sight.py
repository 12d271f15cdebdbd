#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""From a worm's first packet to the browser, and each packet counted once.
The sensor's interval is an hour, so what arrives while the test waits cannot
have waited for the interval's end."""
import sys

import worm_path

SOURCES = 40
tap = worm_path.sonde_http.Tap()


def sources():
    return [f"203.0.113.{n}" for n in range(1, SOURCES + 1)]


def each_source_is_announced_before_the_next(path, browser):
    order = []
    for src in sources():
        path.wire.send(worm_path.slammer(src))
        _, seen = browser.next()
        order.append(seen and seen["src"])
        if not seen:
            print("# " + path.log().replace("\n", "\n# "))
            break
    tap.equal(order, sources(), "an event for each new source, in order")


def more_packets_of_known_sources(path):
    for dst in ("198.51.100.8", "198.51.100.9"):
        for src in sources():
            path.wire.send(worm_path.slammer(src, dst))


def the_interval_adds_what_followed(path, browser):
    more_packets_of_known_sources(path)
    path.until(lambda: counted(path) >= 3 * SOURCES)
    tap.equal(path.stop_agent(), 0, "the agent ends and ships the interval")
    found = {s["src"]: s for s in path.sightings()}
    tap.equal(sorted(found), sorted(sources()), "its sources are those")
    tap.equal({s["packets"] for s in found.values()}, {3},
              "each packet is counted once")
    tap.equal({s["targets"] for s in found.values()}, {3},
              "targets are those of the whole interval")
    # Events are in order: what comes before the next agent's is all there is.
    path.enrol(path.write_config("another", "60s"))
    kinds = browser.until("another")
    tap.ok("sighting" not in kinds, f"and nobody is announced again: {kinds}")


def counted(path):
    """Packets that the sensor has seen, by its newest heartbeat."""
    beats = path.get("/api/v1/records?kind=heartbeat&limit=1")["items"]
    return beats[0]["record"]["heartbeat"]["counters"].get(
        "sensor.decoded", 0) if beats else 0


def main():
    path = worm_path.Path()
    try:
        browser = path.start()
        each_source_is_announced_before_the_next(path, browser)
        the_interval_adds_what_followed(path, browser)
    finally:
        path.close()
    tap.done()


if __name__ == "__main__":
    sys.exit(main())
