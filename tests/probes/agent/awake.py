#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An agent whose sensor's interface goes down for a while, with worms before
and after, beside one that is not there at first: nothing is lost, and meanwhile
the collector says that the agent does not watch.  In a network of its own."""
import subprocess
import sys

import worm_path

BEFORE, AFTER, LATE = "203.0.113.1", "203.0.113.2", "203.0.113.3"
tap = worm_path.sonde_http.Tap()


class TwoWires(worm_path.Veth):
    """One is there, the other comes later."""
    interface = 'worm1", "late0'


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def agent_of(path):
    return path.get("/api/v1/agents")["items"][0]


def watch_is(path, word):
    path.until(lambda: agent_of(path)["watch"] == word)
    return agent_of(path)


def interfaces(agent):
    return {i["name"]: i for i in agent["interfaces"]}


def blind(path):
    return path.get("/api/v1/overview")["agents"]["blind"]


def seen(path, source):
    path.until(lambda: source in {s["src"] for s in path.sightings()})


def one_that_never_came_blinds_no_other(path):
    agent = watch_is(path, "some")
    late = interfaces(agent)["late0"]
    tap.ok(not late["watched"] and late["why"] == "no such interface" and
           interfaces(agent)["worm1"]["watched"],
           f"the missing interface is named: {agent['interfaces']}")
    tap.equal(blind(path), 1, "the overview counts the agent")
    worm_path.make.carries("worm0")
    path.wire.send(worm_path.slammer(BEFORE))
    seen(path, BEFORE)
    tap.ok(True, "and the other is watched")


def wakeups(path):
    """How often its sensor has waited so far."""
    with open(f"/proc/{path.agent.pid}/task/{path.agent.pid}/children",
              encoding="ascii") as pids:
        for pid in pids.read().split():
            with open(f"/proc/{pid}/status", encoding="ascii") as text:
                fields = dict(line.split(":", 1) for line in text)
            if "sensor" in fields["Name"]:
                return int(fields["voluntary_ctxt_switches"])
    return 0


def it_sleeps_while_nothing_comes(path):
    before, start = wakeups(path), worm_path.time.monotonic()
    worm_path.time.sleep(2)
    woken = wakeups(path) - before
    most = 50 * (worm_path.time.monotonic() - start)
    tap.ok(0 <= woken < most, f"it sleeps while nothing comes: {woken}")


def both_are_told_when_they_are_down(path):
    ip("link", "set", "worm1", "down")
    agent = watch_is(path, "none")
    tap.equal(interfaces(agent)["worm1"]["why"], "the interface is down",
              "an interface that goes down is told at once, and why")
    listed = path.run("sonde", "agents")
    tap.ok("none" in listed.split("\n")[1].split(), f"sonde agents: {listed}")


def they_are_taken_when_they_come(path):
    ip("link", "set", "worm1", "up")
    watch_is(path, "some")
    worm_path.make.carries("worm0")
    path.wire.send(worm_path.slammer(AFTER))
    seen(path, AFTER)
    ip("link", "add", "late0", "type", "veth", "peer", "name", "late1")
    ip("link", "set", "late1", "up")
    ip("link", "set", "late0", "up")
    agent = watch_is(path, "all")
    tap.ok(all(i["why"] is None and i["ring_bytes"] == 2 << 20
               for i in agent["interfaces"]),
           f"both are watched by small rings: {agent['interfaces']}")
    tap.equal(blind(path), 0, "and the overview counts none")
    worm_path.make.carries("late1")
    with worm_path.socket.socket(worm_path.socket.AF_PACKET,
                                 worm_path.socket.SOCK_RAW) as out:
        out.bind(("late1", 0))
        out.send(worm_path.make.frame("ethernet", worm_path.slammer(LATE)))
    seen(path, LATE)
    ip("link", "del", "late0")
    watch_is(path, "some")


def everything_is_in_the_store(path):
    tap.equal(path.stop_agent(), 0, "the agent ends")
    found = {s["src"]: s["packets"] for s in path.sightings()}
    tap.equal({s: found.get(s) for s in (BEFORE, AFTER, LATE)},
              {BEFORE: 1, AFTER: 1, LATE: 1},
              "worms before, after and of the late one, each once")
    items = path.get("/api/v1/records?kind=coverage&limit=500")["items"]
    spans = [i["record"]["coverage"] for i in items]
    of = [s for s in spans if s["interface"] == "worm1"]
    of.sort(key=lambda s: (s["first_wall_ns"], s["last_wall_ns"]))
    tap.ok(all(a["last_wall_ns"] == b["first_wall_ns"]
               for a, b in zip(of, of[1:])) and
           [a["state"] for a, b in zip(of, [*of[1:], {"state": ""}])
            if a["state"] != b["state"]] == ["up", "down", "up"],
           f"coverage has no hole, and the time that was not watched: {of}")
    counters = path.get("/api/v1/records?kind=heartbeat&limit=1")[
        "items"][0]["record"]["heartbeat"]["counters"]
    tap.ok("sensor.watching" in counters and
           counters["sensor.blind_since_s.late0"] > 1600000000,
           f"heartbeats carry it too: {counters}")


def main():
    if not worm_path.in_namespace():
        print("1..0 # SKIP needs a network namespace of its own")
        return
    path = worm_path.Path(TwoWires)
    try:
        path.start()
        one_that_never_came_blinds_no_other(path)
        it_sleeps_while_nothing_comes(path)
        both_are_told_when_they_are_down(path)
        they_are_taken_when_they_come(path)
        everything_is_in_the_store(path)
    finally:
        path.close()
    tap.done()


if __name__ == "__main__":
    sys.exit(main())
