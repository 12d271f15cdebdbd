#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A long run under load: collector, agents, generators, readers of the API and
a subscriber to the event stream, with kills and restarts now and then.

usage: soak.py [--short]

At the end the ledger must hold (tests/exactly-once/fleet.py), no process may
have more descriptors or threads at rest than when its life began, no WAL may
ever have passed 64 MiB, nobody may have got a wrong answer, no sanitizer may
have reported, and, in lives of four hours or more, resident memory may grow by
less than 0.1 % an hour.  The collector is killed in the first quarter only, so
that its last life is long; agent 1 as well.

SOAK_HOURS (24) and SEED (1) are taken from the environment.  A run that was
stopped goes on: $O/soak holds its state, saved each minute.  --short: a
quarter of a minute, from the start.
"""

import collections
import json
import os
import random
import re
import shutil
import signal
import statistics
import sys
import threading
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, "tests/exactly-once")
SHORT = "--short" in sys.argv
os.environ.setdefault("RATE", "100" if SHORT else "10")
import fleet  # noqa: E402 (the line above)

SECONDS = 14 if SHORT else float(os.environ.get("SOAK_HOURS", "24")) * 3600
SAMPLE_S = 1 if SHORT else 60
WARM_S = 3 if SHORT else 120      # of a life, before it is measured at rest
REST_S = 2 if SHORT else 15       # without readers, before a measurement
REST_MOST_S = 40
READ_PAUSE_S = 0.02 if SHORT else 1
STREAM_S = 5 if SHORT else 20       # of a subscriber, then another
MOVE_S = min(SECONDS / 25, 600)   # between two kills, on average
WAL_MOST = 64 << 20
SPARE_FDS = 6    # connections of agents that come and go
SLOPE_MOST = 0.1  # per cent an hour
SLOPE_LEAST_S = 4 * 3600
MOVES = {"keeper": 30, "shipper": 30, "agent": 20, "collector": 20}
PATHS = ["overview", "agents", "alarms", "gaps", "signatures", "campaigns",
         "runs", "results", "topology", "records?limit=50",
         "records?kind=train&limit=20", "records?format=csv&limit=100",
         "sightings", "series?signature=slammer"]
REPORTS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer",
           "runtime error:")


def kind_of(target):
    """socket, pipe, anon_inode, or the name of a file."""
    return re.sub(r":.*", "", os.path.basename(target))


class Process:
    """What /proc says of one life of a process."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        self.life = f"{pid}.{words[19]}"
        self.threads = int(words[17])
        self.rss = int(words[21]) * os.sysconf("SC_PAGE_SIZE")
        self.open = collections.Counter()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                self.open[kind_of(os.readlink(f"/proc/{pid}/fd/{fd}"))] += 1
            except OSError:
                pass  # it was closed meanwhile
        self.fds = sum(self.open.values())


class Crowd:
    """Readers of the API and a subscriber, as browsers are."""

    def __init__(self, url):
        self.url = url
        self.rest = threading.Event()
        self.done = threading.Event()
        self.counts = collections.Counter()
        self.wrong = collections.Counter()
        self.down = True  # while the collector is: refusals are no fault
        self.threads = [threading.Thread(target=self.read, daemon=True)
                        for _ in range(2)]
        self.threads.append(threading.Thread(target=self.subscribe,
                                             daemon=True))
        for thread in self.threads:
            thread.start()

    def read(self):
        while not self.done.is_set():
            for path in PATHS:
                if self.rest.is_set() or self.done.is_set():
                    break
                self.ask(path)
                time.sleep(READ_PAUSE_S)
            else:
                continue
            time.sleep(0.1)

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}",
                                        timeout=30) as answer:
                answer.read()
            self.counts["read"] += 1
        except urllib.error.HTTPError as error:
            error.read()
            if error.code != 503:
                self.wrong[f"{path}: {error.code}"] += 1
            error.close()
        except OSError:
            self.counts["refused"] += 1
        except ValueError:   # half an answer, of one that was killed
            self.counts["cut"] += 1

    def subscribe(self):
        """A browser that goes from page to page."""
        while not self.done.is_set():
            if self.rest.is_set():
                time.sleep(0.1)
                continue
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/events",
                                            timeout=2) as stream:
                    self.counts["subscribed"] += 1
                    end = time.monotonic() + STREAM_S
                    while time.monotonic() < end:
                        if stream.readline():
                            self.counts["event lines"] += 1
            except (OSError, ValueError):
                pass
            time.sleep(0.1)


class Soak:
    def __init__(self, folder, tap, started):
        self.folder = folder
        self.tap = tap
        self.started = started
        self.path = f"{folder}/state.json"
        self.state = {"elapsed": 0, "moves": 0, "seed": fleet.SEED,
                      "port": fleet.free_port(), "wal": 0, "grown": [],
                      "samples": [], "reads": 0, "wrong": []}
        if os.path.exists(self.path):
            with open(self.path, encoding="ascii") as text:
                self.state = json.load(text)
        self.began = time.monotonic() - self.state["elapsed"]
        self.collector = fleet.Collector(folder, self.state["port"])
        self.at_rest = {}   # name: Process when its life had begun
        self.agents = []
        self.crowd = None

    def elapsed(self):
        return time.monotonic() - self.began

    def save(self):
        self.state["elapsed"] = self.elapsed()
        self.state["reads"] += self.crowd.counts.pop("read", 0)
        self.state["wrong"] = sorted(set(self.state["wrong"]) |
                                     set(self.crowd.wrong))
        with open(self.path + ".part", "w", encoding="ascii") as to:
            json.dump(self.state, to)
        os.rename(self.path + ".part", self.path)

    def start(self):
        self.collector.start()
        self.started.append(self.collector)
        if not self.collector.wait():
            return False
        for number in range(1, fleet.AGENTS + 1):
            agent = fleet.Agent(self.folder, number, self.collector)
            agent.start()
            agent.generator.start()
            self.started += [agent, agent.generator]
            self.agents.append(agent)
        self.crowd = Crowd(self.collector.url)
        return True

    def pids(self):
        yield "collector", self.collector.process.pid
        yield "supervisor", self.agents[0].process.pid
        for name in ("keeper", "shipper", "guardian"):
            pid = self.agents[0].child(name)
            if pid:
                yield name, pid

    def processes(self):
        found = {}
        for name, pid in self.pids():
            try:
                found[name] = Process(pid)
            except OSError:
                pass  # it ended meanwhile
        return found

    def sample(self):
        wal = 0
        for top, _, names in os.walk(self.collector.state):
            for name in names:
                if name.endswith("-wal"):
                    try:
                        wal = max(wal, os.stat(f"{top}/{name}").st_size)
                    except OSError:
                        pass
        self.state["wal"] = max(self.state["wal"], wal)
        for name, p in self.processes().items():
            self.state["samples"].append(
                [round(self.elapsed()), name, p.life, p.rss, p.fds,
                 p.threads, wal])

    def grown(self):
        """What has more than when its life began."""
        for name, now in self.processes().items():
            then = self.at_rest.get(name)
            if (then and then.life == now.life and
                    (now.fds > then.fds + SPARE_FDS or
                     now.threads > then.threads)):
                yield (f"{name}: descriptors {then.fds} to {now.fds}, threads "
                       f"{then.threads} to {now.threads}; more: "
                       f"{dict(now.open - then.open)}")

    def rest(self):
        """Of each life what it holds while nobody asks: kept the first time,
        compared later.  Streams whose readers went end with their next line,
        so it may take a while."""
        self.crowd.rest.set()
        end = time.monotonic() + REST_MOST_S
        time.sleep(REST_S)
        while list(self.grown()) and time.monotonic() < end:
            time.sleep(0.2)
        self.state["grown"] += self.grown()
        for name, now in self.processes().items():
            then = self.at_rest.get(name)
            if not then or then.life != now.life:
                self.at_rest[name] = now
        self.crowd.rest.clear()

    def move(self):
        """The next kill of the seed's list."""
        rng = random.Random(self.state["seed"] * 10**6 + self.state["moves"])
        self.state["moves"] += 1
        early = self.elapsed() < SECONDS / 4
        what = rng.choices(list(MOVES), MOVES.values())[0]
        agent = rng.choice(self.agents if early else self.agents[1:])
        if what == "collector":
            if early and rng.random() < 0.5:
                self.collector.kill()
            elif early:
                self.collector.stop()
            if early:
                self.collector.start()
                self.collector.wait()
        elif what == "agent":
            agent.kill()
            agent.start()
        else:
            agent.kill_child(what)
        return rng.expovariate(1 / MOVE_S)

    def run(self):
        """Until the time is over; at rest after the quarter of kills, and at
        the end."""
        next_move = next_sample = self.elapsed()
        measured = False
        while self.elapsed() < SECONDS:
            now = self.elapsed()
            if now >= next_move:
                next_move = now + self.move()
            if now >= next_sample:
                next_sample = now + SAMPLE_S
                self.sample()
                self.save()
            if not measured and now >= SECONDS / 4 + WARM_S:
                measured = True
                self.rest()
            time.sleep(0.1)
        self.rest()
        self.sample()
        self.crowd.done.set()
        self.save()

    def slopes(self):
        """Per cent an hour, of lives that were long enough; least squares on
        all but the first hour."""
        lives = collections.defaultdict(list)
        for at, name, life, rss, *_ in self.state["samples"]:
            lives[name, life].append((at / 3600, rss))
        for (name, _), points in lives.items():
            if points[-1][0] - points[0][0] < SLOPE_LEAST_S / 3600:
                continue
            points = [p for p in points if p[0] > points[0][0] + 1]
            hours, rss = zip(*points)
            line = statistics.linear_regression(hours, rss)
            yield name, 100 * line.slope / statistics.mean(rss)

    def reports(self):
        for top, _, names in os.walk(self.folder):
            for name in names:
                if name.endswith("log"):
                    with open(f"{top}/{name}", errors="replace",
                              encoding="utf-8") as log:
                        yield from (f"{name}: {line.strip()}" for line in log
                                    if any(r in line for r in REPORTS))

    def judge(self):
        state, check = self.state, self.tap.check
        last = {name: p for name, p in self.at_rest.items()}
        print(f"# {state['elapsed'] / 3600:.2f} h, {state['moves']} kills, "
              f"{state['reads']} answers, {dict(self.crowd.counts)}")
        for name, p in last.items():
            print(f"# {name}: {p.fds} descriptors, {p.threads} threads, "
                  f"{p.rss / 2**20:.0f} MiB")
        fleet.judge(self.tap, self.collector, self.agents, 200)
        check("descriptors and threads are as at the start of a life",
              not state["grown"] and "collector" in self.at_rest,
              str(state["grown"]))
        check("no WAL passed 64 MiB", 0 < state["wal"] <= WAL_MOST,
              f"{state['wal']} octets")
        print(f"# the largest WAL had {state['wal'] / 2**20:.1f} MiB")
        check("there were readers, and none got a wrong answer",
              state["reads"] >= min(200, SECONDS) and not state["wrong"],
              f"{state['reads']} answers, {state['wrong']}")
        check("the subscriber heard of events",
              self.crowd.counts["event lines"] > 0)
        reports = list(self.reports())
        check("no sanitizer reported", not reports, str(reports[:5]))
        for name, slope in self.slopes():
            check(f"{name}: resident memory grows by less than "
                  f"{SLOPE_MOST} % an hour", slope < SLOPE_MOST,
                  f"{slope:.3f} % an hour")


def soak(tap, folder, started):
    run = Soak(folder, tap, started)
    if not run.start():
        tap.check("the collector starts", False)
        return
    run.run()
    for agent in run.agents:
        agent.generator.stop()
    fleet.drain(run.collector, run.agents)
    run.collector.stop()
    run.judge()


def main():
    if SHORT:
        return fleet.play("soak", soak)
    if fleet.missing_program():
        print(f"soak: {fleet.missing_program()} is not built")
        return 2
    folder = f"{fleet.BUILD}/soak"
    if os.path.exists(f"{folder}/state.json"):
        print(f"soak: {folder} goes on", flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        shutil.copy("tests/exactly-once/net.sim", f"{folder}/net.sim")
    print(f"soak: {SECONDS / 3600:g} h, seed {fleet.SEED}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tap, started = fleet.Tap(), []
    try:
        soak(tap, os.path.abspath(folder), started)
    except KeyboardInterrupt:
        print(f"soak: stopped; `make soak` goes on from {folder}")
        return 130
    finally:
        for program in started:
            if program.process.poll() is None:
                program.kill()
    os.rename(f"{folder}/state.json", f"{folder}/finished.json")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
