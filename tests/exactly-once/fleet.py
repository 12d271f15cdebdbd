# SPDX-License-Identifier: ISC
"""Agents, a collector and generators that a test starts, kills and judges.

The generators' ledgers are compared with the collector's databases, which are
read without the collector (store-dump).  O, SEED (1), AGENTS (2) and RATE (150
records a second and agent) are taken from the environment; KEEP=1 leaves the
folder behind.
"""

import collections
import hashlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

BUILD = os.environ.get("O", "build")
SEED = int(os.environ.get("SEED", "1"))
AGENTS = int(os.environ.get("AGENTS", "2"))
RATE = int(os.environ.get("RATE", "150"))
DRAIN_S = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """A process that is killed and started again."""

    def __init__(self, words, log):
        self.words = words
        self.log = log
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words, stdout=log,
                                            stderr=log)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=20):
        if self.process.poll() is not None:
            return self.process.returncode
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


class Collector(Program):
    def __init__(self, folder, port=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = f"{folder}/collector"
        config = f"{folder}/collector.conf"
        with open(config, "w", encoding="ascii") as to:
            to.write(f'state-dir = "{self.state}"\n'
                     f'listen = "127.0.0.1:{self.port}"\n'
                     'requests-per-second = 100000\n')
        super().__init__([f"{BUILD}/bin/sonde-collector", "-c", config],
                         f"{folder}/collector.log")

    def wait(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz",
                                            timeout=1):
                    return True
            except OSError:
                time.sleep(0.02)
        return False


class Agent(Program):
    """Enrolled when its folder is new; of an old one it goes on."""

    def __init__(self, folder, number, collector):
        self.number = number
        self.folder = f"{folder}/agent{number}"
        self.feed = f"{self.folder}/feed"
        self.ledger = f"{self.folder}/ledger"
        config = f"{self.folder}/agent.conf"
        super().__init__([f"{BUILD}/bin/sonde-agent", "-c", config],
                         f"{self.folder}/log")
        if not os.path.exists(self.folder):
            os.mkdir(self.folder)
            self.enrol(folder, config, collector)
        self.generator = Program(
            [f"{BUILD}/tests/exactly-once/generator", self.feed, self.ledger,
             str(self.next_serial()), str(RATE), str(SEED + number)],
            f"{self.folder}/generator.log")

    def next_serial(self):
        """Behind all that the ledger has seen sent."""
        sent = read_ledger(self.ledger)[0] if os.path.exists(
            self.ledger) else {}
        return max(sent, default=self.number * 10**9 - 1) + 1

    def enrol(self, folder, config, collector):
        with open(config, "w", encoding="ascii") as to:
            to.write(f'name = "a{self.number}"\ncollector = "{collector.url}"\n'
                     f'state-dir = "{self.folder}/state"\n'
                     f'feed = "{self.feed}"\nnet = "sim:{folder}/net.sim"\n'
                     'heartbeat = "1s"\nspool-segment = "64k"\n'
                     'retry-least = "5ms"\nretry-most = "80ms"\n'
                     'restart-least = "1ms"\ncrash-budget = 1000000\n'
                     'allow-weak-sandbox = true\nlog-level = "error"\n')
        with open(f"{collector.state}/admin.token",
                  encoding="ascii") as token:
            env = dict(os.environ, SONDE_TOKEN=token.read().strip(),
                       SONDE_COLLECTOR=collector.url)
        token = subprocess.run([f"{BUILD}/bin/sonde", "token"], env=env,
                               check=True, capture_output=True,
                               text=True).stdout.strip()
        subprocess.run([f"{BUILD}/bin/sonde-agent", "enrol", "-c", config,
                        "--token", token], check=True,
                       stdout=subprocess.DEVNULL)

    def child(self, name):
        """The pid of this agent's process of that name, or None."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        try:
            with open(path, encoding="ascii") as pids:
                for pid in pids.read().split():
                    with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                        if comm.read().strip() == f"sonde-{name}":
                            return int(pid)
        except OSError:
            pass
        return None

    def kill_child(self, name):
        pid = self.child(name)
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
                return True
            except ProcessLookupError:
                pass
        return False


def read_ledger(path):
    sent, confirmed = {}, set()
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[0] == "S":
                sent[int(words[1])] = words[2]
            else:
                confirmed.add(int(words[1]))
    return sent, confirmed


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of a protobuf message; enough of the wire format."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = data[at:at + 8], at + 8
        else:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def first(data, number):
    return next((v for n, v in fields(data) if n == number), None)


def serial_of(body):
    """The generator's serial in a record, or None for another record."""
    train = first(body, 19)
    if train is None or first(train, 1) != b"ledger":
        return None
    zigzag = first(first(train, 2), 2)
    return (zigzag >> 1) ^ -(zigzag & 1)


def numbers(packed):
    """The varints of a packed field."""
    value = shift = 0
    for byte in packed or b"":
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0


class Gap:
    """A gap record: what it declares."""

    def __init__(self, agent, body):
        self.agent = agent
        self.epoch = first(body, 1) or 0
        self.reason = (first(body, 4) or b"").decode()
        low = first(body, 2) or 0
        more = list(numbers(first(body, 6)))
        self.ranges = [(low, first(body, 3) or 0)] if low else []
        self.ranges += list(zip(more[::2], more[1::2]))

    def numbers(self):
        for low, high in self.ranges:
            yield from range(low, high + 1)


class Store:
    """The collector's databases, read without the collector: the numbers of
    all records, (agent, epoch, seq); hashes of the generators', by serial;
    declared gaps."""

    def __init__(self, state):
        self.state = state
        self.records = []
        self.declared = []
        self.hashes = collections.defaultdict(list)
        with subprocess.Popen(
                [f"{BUILD}/tests/exactly-once/store-dump", state],
                stdout=subprocess.PIPE) as dump:
            for line in dump.stdout:
                if line.strip():
                    self.take(line.decode().split())
        if dump.returncode:
            raise subprocess.CalledProcessError(dump.returncode, "store-dump")

    def take(self, words):
        agent, epoch, seq = (int(word) for word in words[:3])
        body = bytes.fromhex("".join(words[3:]))
        self.records.append((agent, epoch, seq))
        serial = serial_of(body)
        if serial is not None:
            self.hashes[serial].append(hashlib.sha256(body).hexdigest())
        gap = first(body, 23)
        if gap is not None:
            self.declared.append(Gap(agent, gap))

    def ask(self, name, sql):
        db = sqlite3.connect(f"file:{self.state}/{name}?mode=ro", uri=True)
        rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def ledger_records(self):
        return self.hashes

    def serials(self):
        return set(self.hashes)

    def gaps(self):
        return self.declared

    def accounts(self):
        """Epochs in which a number is neither stored nor declared lost, or
        both; and what was lost in all."""
        wrong, lost_in_all = [], 0
        lost = collections.defaultdict(set)
        for gap in self.gaps():
            lost[gap.agent, gap.epoch].update(gap.numbers())
        stored = collections.defaultdict(set)
        for agent, epoch, seq in self.records:
            if seq in stored[agent, epoch]:
                wrong.append((agent, epoch, seq, "twice"))
            stored[agent, epoch].add(seq)
        newest = partitions(self.state)[-1]
        for agent, epoch, following in self.ask(
                newest, "SELECT agent, epoch, next FROM watermarks"):
            have = stored[agent, epoch]
            gone = lost[agent, epoch]
            lost_in_all += len(gone)
            whole = set(range(1, following))
            if have & gone or not (have | gone) >= whole:
                wrong.append((agent, epoch, following, len(have), len(gone)))
        return wrong, lost_in_all


def partitions(state):
    """Their names below the state's folder, oldest first."""
    return sorted(f"telemetry/{name}" for name in os.listdir(
        f"{state}/telemetry") if re.fullmatch(r"\d{8}\.db", name))


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, what, good, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}")
        if not good and detail:
            print(f"# {detail}")

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def drain(collector, agents, seconds=DRAIN_S):
    """Until the collector has all that was confirmed, or it takes too long."""
    confirmed = set()
    for agent in agents:
        confirmed |= read_ledger(agent.ledger)[1]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not confirmed - Store(collector.state).serials():
            break
        time.sleep(1)
    for agent in agents:
        agent.stop()


def judge(tap, collector, agents, least):
    """least: of confirmed records, or the test was none."""
    store = Store(collector.state)
    found = store.ledger_records()
    sent, confirmed = {}, set()
    for agent in agents:
        some_sent, some_confirmed = read_ledger(agent.ledger)
        sent.update(some_sent)
        confirmed |= some_confirmed
    lost = confirmed - set(found)
    doubled = [s for s, hashes in found.items() if len(hashes) > 1]
    invented = [s for s in found if s not in sent]
    changed = [s for s, hashes in found.items()
               if s in sent and hashes[0] != sent[s]]
    wrong, declared = store.accounts()
    print(f"# {len(sent)} sent, {len(confirmed)} confirmed, {len(found)} "
          f"stored, {declared} numbers declared lost")
    tap.check("there was something to lose", len(confirmed) > least,
              f"{len(confirmed)} records, expected more than {least}")
    tap.check("every confirmed record is stored", not lost,
              f"{len(lost)} lost: {sorted(lost)[:10]}")
    tap.check("none is stored twice", not doubled, str(doubled[:10]))
    tap.check("none was invented", not invented, str(invented[:10]))
    tap.check("each has the bytes that were sent", not changed,
              str(changed[:10]))
    tap.check("produced = stored + declared lost, in every epoch",
              not wrong, str(wrong[:10]))


def missing_program():
    for name in ("bin/sonde-agent", "bin/sonde-shipper",
                 "bin/sonde-collector", "bin/sonde", "bin/sonde-commands",
                 "tests/exactly-once/generator",
                 "tests/exactly-once/store-dump"):
        if not os.path.exists(f"{BUILD}/{name}"):
            return name
    return None


def play(name, test):
    """Runs test(tap, folder, started) in a folder of its own; what it put
    into started is killed at the end.  Gives the exit code."""
    if missing_program():
        print(f"1..0 # SKIP {missing_program()} is not built")
        return 0
    folder = tempfile.mkdtemp(prefix=f"sonde-{name}-")
    shutil.copy("tests/exactly-once/net.sim", f"{folder}/net.sim")
    os.chmod(folder, 0o755)
    tap = Tap()
    started = []
    try:
        test(tap, folder, started)
    finally:
        for program in started:
            if program.process.poll() is None:
                program.kill()
        if tap.failed or os.environ.get("KEEP"):
            print(f"# left for you to look at: {folder}")
        else:
            shutil.rmtree(folder)
    return tap.end()
