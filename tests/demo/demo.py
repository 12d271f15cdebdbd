#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""make demo: a lab internet (as root) or a simulated one, five agents that
measure each other, a collector with its pages, and a worm that breaks out.

Each step is named and timed; what there is to see is said when it is there.
Runs until Ctrl-C and leaves nothing behind.  DEMO_FOR=90 stops it by itself;
the exit code is then 0 only if the API shows the map, the slow link and the
spike.  PORT chooses the port (8411).
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
import verdict                                              # noqa: E402
from milestones import Milestones                            # noqa: E402
from internet import LabInternet, SimulatedInternet, mesh   # noqa: E402

BUILD = os.path.abspath(os.environ.get("O", "build"))
PORT = int(os.environ.get("PORT", "8411"))
URL = f"http://127.0.0.1:{PORT}"
DEMO_FOR = float(os.environ.get("DEMO_FOR", "0"))
AGAIN_S = 300       # from one release to the next
RELEASES_MAX = 24
TTY = sys.stderr.isatty()
FIRST_STEP = int(os.environ.get("DEMO_STEP", "1"))  # demo.sh made those before


class Stop(Exception):
    """Ctrl-C, TERM or the end of DEMO_FOR."""


def say(text):
    """A line that stays."""
    start = "\r\033[Kdemo: " if TTY else "demo: "
    print(start + text, file=sys.stderr, flush=True)


def show(text):
    """How it is now: rewritten on a terminal, appended elsewhere."""
    if TTY:
        print(f"\r\033[K  {text}", end="", file=sys.stderr, flush=True)
    else:
        say(text)


class Steps:
    """Names each step before it begins and says what it took."""

    def __init__(self, number, last):
        self.number = number
        self.last = last
        self.began = None

    def next(self, name):
        self.end()
        self.began = time.monotonic()
        say(f"step {self.number} of {self.last}: {name}")

    def end(self):
        if self.began is None:
            return
        say(f"step {self.number} took {time.monotonic() - self.began:.1f} s")
        self.number += 1
        self.began = None


class Collector:
    """The collector on its embedded default, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.log = f"{folder}/collector.log"
        config = f"{folder}/collector.conf"
        with open(config, "w", encoding="ascii") as to:
            to.write(f'state-dir = "{folder}/collector"\n'
                     f'listen = "127.0.0.1:{PORT}"\n'
                     'series-bin = "5s"\nalarm-bin = "5s"\n'
                     'alarm-warmup-bins = 4\nalarm-interval = "2s"\n')
        with open(self.log, "w", encoding="ascii") as log:
            self.process = subprocess.Popen(
                [f"{BUILD}/bin/sonde-collector", "-c", config],
                stdout=log, stderr=log)
        self._wait()
        with open(f"{folder}/collector/admin.token", encoding="ascii") as at:
            self.token = at.read().strip()

    def _wait(self):
        for _ in range(100):
            if self.process.poll() is not None:
                break
            try:
                self.get("/healthz")
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        with open(self.log, encoding="utf-8") as log:
            sys.exit(f"demo: the collector does not start:\n{log.read()}")

    def get(self, path):
        with urllib.request.urlopen(URL + path, timeout=10) as answer:
            return json.load(answer)

    def post(self, path, body):
        request = urllib.request.Request(
            URL + path, json.dumps(body).encode(),
            {"Content-Type": "application/json",
             "Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Agent:
    """One vantage point: enrolled, started, stopped."""

    def __init__(self, name, collector, internet):
        self.name = name
        self.folder = f"{collector.folder}/{name}"
        os.mkdir(self.folder)
        self.config = f"{self.folder}/agent.conf"
        with open(self.config, "w", encoding="ascii") as to:
            to.write(f'name = "{name}"\ncollector = "{URL}"\n'
                     f'state-dir = "{self.folder}/state"\n'
                     'heartbeat = "5s"\nsensor-interval = "5s"\n'
                     'spool-size = "64M"\n' + internet.agent_config(name))
        token = collector.post("/api/v1/tokens", {"name": name,
                                                  "tags": ["demo"]})["token"]
        command = internet.command(name, [f"{BUILD}/bin/sonde-agent"])
        self.log = f"{self.folder}/agent.log"
        with open(self.log, "w", encoding="ascii") as log:
            done = subprocess.run(
                [*command, "enrol", "-c", self.config, "--collector", URL,
                 "--token", token, "--name", name],
                stdout=log, stderr=log, check=False)
            if done.returncode != 0:
                with open(self.log, encoding="utf-8") as text:
                    sys.exit(f"demo: {name} cannot enrol:\n{text.read()}")
            self.process = subprocess.Popen([*command, "-c", self.config],
                                            stdout=log, stderr=log)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def submit(collector):
    """Every agent traces and pings every other."""
    for name, others in mesh().items():
        for script, every, options in (("trace", 5, {"attempts": 2}),
                                       ("ping", 5, {"count": 2})):
            collector.post("/api/v1/campaigns", {
                "script": script, "targets": others, "options": options,
                "on": [name], "every_s": every, "until": None})


def story(internet):
    """What happens when: (second, sentence, act).  The worms come back, not
    for ever: each release is bounded, and so is their number."""
    yield (0, "agents measure each other; the sensors are quiet",
           internet.noise)
    for number in range(RELEASES_MAX):
        again = " again" if number else ""
        at = 25 + number * AGAIN_S
        yield (at, f"a Slammer-shaped worm is released in the lab{again}",
               lambda: internet.release("slammer"))
        yield (at + 15, f"a Mirai-shaped worm follows{again}",
               lambda: internet.release("mirai"))


def outbreaks(alarms):
    """The alarms in a few words: "mirai and slammer", or how it was."""
    names = [sorted({a["signature"] for a in alarms
                     if bool(a["ended_at"]) == over}) for over in (0, 1)]
    if names[0]:
        return "outbreak of " + " and ".join(names[0])
    if names[1]:
        return "outbreak of " + " and ".join(names[1]) + " is over"
    return "no outbreak"


def tell(seen, now):
    show(f"{int(now):4} s  {seen['agents']['up']} agents up, "
         f"{seen['records']['stored']} records, "
         f"{outbreaks(seen['alarms'])}   (Ctrl-C ends)")


def introduce():
    """What to look at first, and what one may try."""
    say("")
    say(f"open {URL}/ in a browser and look first at")
    say(f"  Now        {URL}/")
    say("             who is up, which links are worst, what happens")
    say(f"  Map        {URL}/?page=map")
    say("             fills as traces come in; drag it, click a link")
    say(f"  Outbreaks  {URL}/?page=outbreaks")
    say("             quiet, until a worm breaks out in 25 s")
    say("or ask from another terminal:")
    say(f"  {command('sonde')} records --collector {URL} --kind trace")
    say("What there is to see is printed here when it is there. Ctrl-C ends.")
    say("")


def command(name):
    """A program as one may type it here."""
    return os.path.relpath(f"{BUILD}/bin/{name}")


def run(internet, collector, agents):
    """A quiet time, then worms.  Ends by Stop."""
    start = time.monotonic()
    milestones = Milestones(collector.get, URL, internet)
    coming = story(internet)
    following = next(coming, None)
    told_s = 0
    while True:
        now = time.monotonic() - start
        if following and now >= following[0]:
            say(f"{int(now):4} s  {following[1]}")
            following[2]()
            following = next(coming, None)
        pause(start, now + 1)
        for sentence, page in milestones.reached():
            say(f"{int(now):4} s  LOOK: {sentence}: {URL}/{page}")
        if now >= told_s + (2 if TTY else 10):
            tell(collector.get("/api/v1/overview"), now)
            told_s = now
        for agent in [a for a in agents if a.process.poll() is not None]:
            say(f"{agent.name} has died: {agent.log}")
            agents.remove(agent)


def pause(start, until):
    """Sleeps until `until` seconds after start, or stops when time is up."""
    while (now := time.monotonic() - start) < until:
        if DEMO_FOR and now >= DEMO_FOR:
            raise Stop
        time.sleep(min(0.2, until - now))


def stop_on_signal(*_):
    raise Stop


def need_port():
    """Ends when another program listens there: its answers are not ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError as error:
            sys.exit(f"demo: 127.0.0.1:{PORT}: {error.strerror}: end what "
                     "listens there, or set PORT to another number")


def main():
    need_port()
    signal.signal(signal.SIGTERM, stop_on_signal)
    signal.signal(signal.SIGINT, stop_on_signal)
    folder = tempfile.mkdtemp(prefix="sonde-demo-")
    os.chmod(folder, 0o755)
    running = []
    code = 0
    steps = Steps(FIRST_STEP, FIRST_STEP + 3)
    why_not = LabInternet.missing()
    if os.environ.get("DEMO_NET") == "sim":
        why_not = "DEMO_NET=sim"
    try:
        steps.next("build a lab internet of 20 routers in namespaces"
                   if not why_not else
                   f"simulate an internet (no lab here: {why_not})")
        make = SimulatedInternet if why_not else LabInternet
        with make(BUILD, folder, PORT) as internet:
            try:
                steps.next("start the collector")
                collector = Collector(folder)
                running.append(collector)
                steps.next(f"enrol and start {len(mesh())} agents: "
                           + ", ".join(mesh()))
                for name in mesh():
                    running.append(Agent(name, collector, internet))
                steps.next("ask each to trace and ping the others every 5 s")
                submit(collector)
                steps.end()
                introduce()
                run(internet, collector, running[1:])
            except Stop:
                if DEMO_FOR:
                    code = verdict.judge(collector.get, internet)
            finally:
                say("stopping")
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                for one in reversed(running):
                    one.stop()
    except Stop:
        pass
    finally:
        if code != 0 and os.environ.get("DEMO_LOGS"):
            shutil.copytree(folder, os.environ["DEMO_LOGS"],
                            dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("*.pcap"))
        shutil.rmtree(folder, ignore_errors=True)
    say("nothing is left behind")
    return code


if __name__ == "__main__":
    sys.exit(main())
