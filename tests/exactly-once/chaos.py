#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Exactly once over a network that does its worst.

Between real agents and a real collector stands a proxy of ours.  To each
batch it does what the seed says: passes it, delays it, drops it, cuts its
body, repeats it, brings back a whole earlier one, answers in the collector's
place, cuts the answer, or keeps it to itself after the collector committed.
Nobody is killed, so nothing may be lost, not even declared: the generators'
ledgers are compared with the database, byte for byte.

SEED (1), AGENTS (2), RATE (records a second and agent) and SECONDS (12) of
trouble are taken from the environment.  LIE=1 makes the proxy acknowledge a
batch that it drops: then the test must fail.
"""

import collections
import json
import os
import random
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
import fleet  # noqa: E402 (beside this file)

SEED = int(os.environ.get("SEED", "1"))
AGENTS = int(os.environ.get("AGENTS", "2"))
SECONDS = float(os.environ.get("SECONDS", "12"))
LIE = bool(os.environ.get("LIE"))
MORE_S = 12                   # where a slow machine has not seen it all
DRAIN_S = 15
REMEMBERED = 40
FAULTS = {
    "pass": 30,           # as it came
    "delay": 8,
    "drop": 8,            # nobody hears of it
    "reset": 6,           # the same, with a RST
    "truncate": 8,        # half a body, then silence
    "shorten": 5,         # half a body that says it is whole
    "twice": 8,           # sent two times, the second answer counts
    "replay": 10,         # an earlier batch first, then this one
    "cut-answer": 8,      # committed, half an answer
    "swallow": 10,        # committed, no answer
    "error-500": 4,
    "error-502": 4,
    "error-429": 2,       # these two with Retry-After
    "error-503": 2,
}


class Broken(Exception):
    """The other side ended in the middle of a message."""


def read_message(sock, kept):
    """One HTTP message by its Content-Length: (head, body, what came after);
    None at the end."""
    data = kept
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            if data:
                raise Broken
            return None
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, value = line.split(b":", 1)
        if name.strip().lower() == b"content-length":
            length = int(value)
        elif name.strip().lower() == b"expect":
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(rest) < length:
        more = sock.recv(65536)
        if not more:
            raise Broken
        rest += more
    return head + b"\r\n\r\n", rest[:length], rest[length:]


def with_length(head, length):
    lines = [line for line in head.rstrip().split(b"\r\n")
             if not line.lower().startswith((b"content-length", b"expect"))]
    lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def answer(status, retry_after=None):
    head = f"HTTP/1.1 {status} Trouble\r\nContent-Length: 0\r\n"
    if retry_after is not None:
        head += f"Retry-After: {retry_after}\r\n"
    return head.encode() + b"\r\n"


def lie(body):
    """The acknowledgement that a batch would get (lib/record/batch.h)."""
    number = [int.from_bytes(body[at:at + size], "big")
              for at, size in ((24, 8), (32, 8), (48, 4))]
    text = json.dumps({"result": "stored", "generation": "0" * 32,
                       "epoch": number[0],
                       "next": number[1] + number[2]}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text


class Proxy:
    def __init__(self, port):
        self.upstream = port
        self.rng = random.Random(SEED)
        self.deck = []
        self.lock = threading.Lock()
        self.calm = False
        self.done = collections.Counter()
        self.replay_answers = collections.Counter()
        self.earlier = []
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            client.settimeout(60)
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def draw(self):
        """Shuffled like cards, so that each kind comes in every round."""
        if not self.deck:
            self.deck = [name for name, many in FAULTS.items()
                         for _ in range(many)]
            self.rng.shuffle(self.deck)
        return self.deck.pop()

    def has_dealt_all(self):
        with self.lock:
            return sum(self.done.values()) >= sum(FAULTS.values())

    def choose(self, body):
        """The next fault of the seed's list, and an earlier batch."""
        with self.lock:
            if self.calm:
                return "pass", body
            fault = self.draw()
            place = self.rng.random()
            earlier = body
            if self.earlier:
                earlier = self.earlier[int(place * len(self.earlier))]
            self.done[fault] += 1
            self.earlier = (self.earlier + [body])[-REMEMBERED:]
            if LIE and self.done["drop"] == 5 and fault == "drop":
                fault = "lie"
            return fault, earlier

    def serve(self, client):
        kept = b""
        try:
            while True:
                message = read_message(client, kept)
                if not message:
                    break
                head, body, kept = message
                if not self.handle(client, head, body):
                    break
        except (OSError, Broken):
            pass
        client.close()

    def ask(self, head, body, cut=None):
        """The collector's answer to a request, or to the start of one."""
        with socket.create_connection(("127.0.0.1", self.upstream),
                                      timeout=40) as sock:
            sock.sendall(head + body[:cut])
            if cut is not None:
                return None
            message = read_message(sock, b"")
            if not message:
                raise Broken
            return message[0] + message[1]

    def handle(self, client, head, body):
        """False: the connection is to be closed."""
        if b"/api/v1/ingest" not in head.split(b"\r\n", 1)[0]:
            client.sendall(self.ask(head, body))
            return True
        fault, earlier = self.choose(body)
        head = with_length(head, len(body))
        before = getattr(self, "before_" + fault.replace("-", "_"), None)
        if before:
            return before(client, head, body)
        if fault.startswith("error-"):
            retry = 1 if fault in ("error-429", "error-503") else None
            client.sendall(answer(fault[6:], retry))
            return True
        if fault == "delay":
            time.sleep(0.1)
        if fault == "twice":
            self.ask(head, body)
        if fault == "replay":
            got = self.ask(with_length(head, len(earlier)), earlier)
            with self.lock:
                self.replay_answers[got.split(b" ", 2)[1].decode()] += 1
        got = self.ask(head, body)
        if fault == "swallow":
            return False
        if fault == "cut-answer":
            client.sendall(got[:len(got) // 2])
            return False
        client.sendall(got)
        return True

    def before_drop(self, _client, _head, _body):
        return False

    def before_reset(self, client, _head, _body):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          b"\1\0\0\0\0\0\0\0")
        return False

    def before_truncate(self, _client, head, body):
        self.ask(head, body, len(body) // 2)
        return False

    def before_shorten(self, client, head, body):
        half = body[:len(body) // 2]
        client.sendall(self.ask(with_length(head, len(half)), half))
        return True

    def before_lie(self, client, _head, body):
        client.sendall(lie(body))
        return True


def check_trouble(tap, proxy):
    print("# " + " ".join(f"{name}:{count}"
                          for name, count in sorted(proxy.done.items())))
    tap.check("every kind of trouble came up",
              all(proxy.done[name] > 0 for name in FAULTS),
              str([name for name in FAULTS if not proxy.done[name]]))
    tap.check("an earlier batch was always acknowledged, or out of turn",
              proxy.replay_answers["200"] > 0 and
              not set(proxy.replay_answers) - {"200", "409"},
              str(dict(proxy.replay_answers)))


def check_records(tap, collector, agents):
    store = fleet.Store(collector.state)
    found = store.ledger_records()
    sent, confirmed = {}, set()
    for agent in agents:
        some_sent, some_confirmed = fleet.read_ledger(agent.ledger)
        sent.update(some_sent)
        confirmed |= some_confirmed
    wrong, declared = store.accounts()
    lost = confirmed - set(found)
    print(f"# {len(sent)} sent, {len(confirmed)} confirmed, {len(found)} "
          f"stored")
    tap.check("there was something to lose", len(confirmed) > 200)
    tap.check("every record is stored", not lost,
              f"{len(lost)} lost: {sorted(lost)[:10]}")
    tap.check("none is stored twice",
              all(len(hashes) == 1 for hashes in found.values()))
    tap.check("each has the bytes that were sent",
              all(sent.get(serial) == hashes[0]
                  for serial, hashes in found.items()))
    tap.check("the numbers have no hole and no declared gap",
              not wrong and declared == 0, f"{wrong[:10]} {declared}")


def trouble(tap, folder, started):
    collector = fleet.Collector(folder)
    collector.start()
    started.append(collector)
    if not collector.wait():
        tap.check("the collector starts", False)
        return
    proxy = Proxy(collector.port)
    collector.url = proxy.url
    agents = []
    for number in range(1, AGENTS + 1):
        agents.append(fleet.Agent(folder, number, collector))
    for agent in agents:
        agent.start()
        started.append(agent)
        agent.generator.start()
        started.append(agent.generator)
    begin = time.monotonic()
    while time.monotonic() - begin < SECONDS or (
            not proxy.has_dealt_all() and
            time.monotonic() - begin < SECONDS + MORE_S):
        time.sleep(0.2)
    for agent in agents:
        agent.generator.stop()
    proxy.calm = True
    fleet.drain(collector, agents, DRAIN_S)
    collector.stop()
    proxy.server.close()
    check_trouble(tap, proxy)
    check_records(tap, collector, agents)


if __name__ == "__main__":
    sys.exit(fleet.play("chaos", trouble))
