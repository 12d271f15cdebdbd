#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The collector over real HTTP: agents that ship, browsers that listen,
clients that mean no good."""
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
sys.path.insert(0, "tests/web")
import sonde_http as http  # noqa: E402

for program in (http.COLLECTOR, http.TOOL):
    if not os.path.exists(program):
        http.skip_all(f"no {program}")
tap = http.Tap()
collector = http.Collector()


def stored():
    return collector.get("/api/v1/overview").json()["records"]["stored"]


def batches_are_taken_in_once_and_in_order():
    agent = http.Agent(collector, "ship")
    tap.equal(agent.answer["name"], "ship", "enrolled by its name")
    before = stored()
    first = agent.ingest(1, 10).json()
    tap.equal((first["result"], first["epoch"], first["next"]),
              ("stored", 1, 11), "the first batch is stored")
    tap.equal(first["generation"], agent.answer["generation"],
              "the generation is that of the enrolment")
    tap.equal(agent.ingest(1, 10).json()["result"], "duplicate",
              "the same again is a duplicate")
    tap.equal(stored() - before, 10, "and was stored once")
    gap = agent.ingest(21, 10)
    tap.equal((gap.status, gap.json()["code"], gap.json()["expected"]),
              (409, "gap", 11), "a gap says what is expected")
    fork = agent.ingest(1, 10, salt="other")
    tap.equal((fork.status, fork.json()["code"]), (409, "forked"),
              "other bytes under the same numbers are a fork")
    tap.equal(agent.ingest(11, 5).json()["next"], 16, "it goes on")
    tap.equal(agent.ingest(21, 5, gap_from=16).json()["next"], 26,
              "over a gap that is declared lost")
    tap.equal(agent.ingest(1, 3, epoch=2).json()["next"], 4,
              "a new epoch begins at 1")
    tap.equal(stored() - before, 23, "all that was taken is stored")


def what_is_wrong_changes_nothing():
    agent = http.Agent(collector, "wrong")
    agent.ingest(1, 10)
    before = stored()
    good = agent.batch(11, 10)
    header = bytearray(good)
    header[60] ^= 1  # the count's last byte
    body = bytearray(good)
    body[-1] ^= 1
    cases = [
        ("empty", b"", 400, "malformed"),
        ("text", b"GET / HTTP/1.1", 400, "malformed"),
        ("cut short", good[:-1], 400, "malformed"),
        ("with more behind", good + b"x", 400, "malformed"),
        ("with another count", bytes(header), 401, "signature"),
        ("with another payload", bytes(body), 400, "malformed"),
        ("signed by another", agent.batch(11, 10, wrong="key"), 401,
         "signature"),
        ("with a record that is none", agent.batch(11, 10, wrong="record"),
         400, "malformed"),
        ("a bomb", agent.batch(11, 10, wrong="bomb"), 413, "bomb"),
        ("over the size", good + bytes(2 << 20), 413, "too-big"),
    ]
    for what, data, status, code in cases:
        reply = agent.send(data)
        tap.equal((reply.status, reply.json()["code"]), (status, code),
                  f"a batch {what}")
    tap.equal(stored(), before, "nothing of it was stored")
    tap.equal(agent.ingest(11, 10).json()["next"], 21, "the good one goes")


def campaigns_reach_their_agents():
    agent = http.Agent(collector, "worker")
    have = agent.work().json()
    tap.equal(have["campaigns"], [], "nothing to do at first")
    result = {}

    def wait():
        result["work"] = agent.work(have["revision"]).json()

    thread = threading.Thread(target=wait)
    began = time.monotonic()
    thread.start()
    time.sleep(0.3)
    made = collector.post("/api/v1/campaigns", {
        "script": "trace", "targets": ["192.0.2.1", "2001:db8::1"],
        "options": {"method": "icmp"}, "on": ["worker"], "every_s": 30},
        collector.bearer()).json()
    thread.join()
    tap.ok(0.2 < time.monotonic() - began < 20, "the poll waited, then came")
    work = result["work"]["campaigns"][0]
    tap.equal((work["id"], work["script"], work["targets"], work["options"],
               work["every_s"]), (made["id"], "trace", made["targets"],
                                  {"method": "icmp"}, 30), "with the work")
    collector.ask("DELETE", f"/api/v1/campaigns/{made['id']}", None,
                  collector.bearer())
    tap.equal(agent.work(result["work"]["revision"]).json()["campaigns"], [],
              "stopped, it is gone")
    clock = agent.work(time_ns=time.time_ns() - 10**12)
    tap.equal((clock.status, clock.json()["code"]), (401, "clock"),
              "an agent whose clock is off is answered with why")
    tap.ok(clock.json()["server_time"].startswith("20"), "and the time too")
    other = agent.work(**{"Sonde-Signature": "0" * 128})
    tap.equal((other.status, other.json()["code"]), (401, "signature"),
              "a signature that does not verify")


class Events:
    """Reads a stream; ids of what came."""

    def __init__(self, last_id=None, query=""):
        self.socket = collector.connect()
        line = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall((f"GET /api/v1/events{query} HTTP/1.1\r\n"
                             f"Host: 127.0.0.1\r\n{line}\r\n").encode())
        self.text = ""
        self.read_until(lambda: "retry:" in self.text)

    def read_until(self, done):
        until = time.monotonic() + 30
        while not done() and time.monotonic() < until:
            data = self.socket.recv(65536)
            if not data:
                break
            self.text += data.decode()

    def events(self):
        blocks = self.text.split("\n\n")[:-1]
        found = []
        for block in blocks:
            fields = dict(line.split(": ", 1) for line in block.split("\n")
                          if line.startswith(("id: ", "event: ", "data: ")))
            if "id" in fields:
                found.append((int(fields["id"]), fields["event"],
                              json.loads(fields["data"])))
        return found

    def close(self):
        self.socket.close()


def events_are_resumed_without_a_gap():
    agent = http.Agent(collector, "events")
    whole = Events()
    first = Events()
    agent.ingest(1, 20, kind="ping")
    for stream in (whole, first):
        stream.read_until(lambda s=stream: len(s.events()) >= 5)
    tap.ok({e[1] for e in first.events()} & {"run", "agent"},
           "results and agents make events")
    tap.ok(all(e[2]["text"] for e in first.events()), "each says what it is")
    last = first.events()[-1][0]
    first.close()
    agent.ingest(21, 30, kind="ping")
    newest = Events(query="?last=1")
    newest.read_until(newest.events)
    end = newest.events()[-1][0]
    newest.close()
    again = Events(last_id=last)
    for stream in (whole, again):
        stream.read_until(lambda s=stream: s.events() and
                          s.events()[-1][0] >= end)
    ids = [e[0] for e in first.events() + again.events()]
    tap.equal([i for i in ids if i <= end],
              [e[0] for e in whole.events() if e[0] <= end],
              "two parts give the whole, nothing twice, nothing missing")
    whole.close()
    again.close()


def slow_clients_harm_nobody():
    drips = [collector.connect(f"127.0.0.{2 + i % 8}") for i in range(30)]
    for drip in drips:
        drip.sendall(b"GET /api/v1/overview HTTP/1.1\r\nHost: 127.")
    began = time.monotonic()
    times = []
    alive = list(drips)
    # A byte each second satisfies any limit on inactivity.
    while alive and time.monotonic() - began < 40:
        at = time.monotonic()
        tap_status = collector.get("/api/v1/overview").status
        times.append(time.monotonic() - at if tap_status == 200 else 99)
        for drip in list(alive):
            try:
                drip.sendall(b"0")
            except OSError:
                alive.remove(drip)
        time.sleep(1)
    tap.ok(max(times) < 10, "others are served meanwhile")
    tap.equal(len(alive), 0, "a header that never ends is cut")
    for drip in drips:
        drip.close()


def raw(data, source="127.0.0.1"):
    with collector.connect(source) as connection:
        reply = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while True:
                more = connection.recv(65536)
                reply += more
                if not more:
                    break
        except OSError:
            pass  # refused before we had said all
        return reply


def hostile_requests_are_refused():
    cases = [
        ("another host", b"GET / HTTP/1.1\r\nHost: evil\r\n\r\n", b"421"),
        ("no host", b"GET / HTTP/1.1\r\n\r\n", b"400"),
        ("a long header", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " +
         b"a" * 100000 + b"\r\n\r\n", b"4"),
        ("a long path", b"GET /" + b"a" * 100000 +
         b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"4"),
        ("a length that is none", b"POST /api/v1/enrol HTTP/1.1\r\n"
         b"Host: 127.0.0.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        ("two lengths", b"POST /api/v1/enrol HTTP/1.1\r\nHost: 127.0.0.1\r\n"
         b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
        ("a chunk of nonsense", b"POST /api/v1/enrol HTTP/1.1\r\n"
         b"Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
         b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b""),
        ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b""),
    ]
    for what, data, status in cases:
        reply = raw(data)
        good = reply.startswith(b"HTTP/1.1 " + status) or \
            (not reply and status in (b"", b"4"))
        if not tap.ok(good, f"refused: {what}"):
            print(f"#   {reply[:120]!r}")
    for path in ("/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                 "/..%2f..%2fetc%2fpasswd", "//etc/passwd",
                 "/assets/../../../../etc/passwd"):
        reply = raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    "Connection: close\r\n\r\n".encode())
        tap.ok(b"root:" not in reply, f"no file by {path}")
    tap.equal(collector.get("/healthz").status, 200, "still well")


def metrics_are_readable():
    text = collector.get("/metrics").body
    if shutil.which("promtool"):
        check = subprocess.run(["promtool", "check", "metrics"], input=text,
                               stdout=subprocess.PIPE, check=False,
                               stderr=subprocess.STDOUT)
        tap.equal((check.returncode, check.stdout), (0, b""),
                  "promtool is content")
    else:
        tap.skip("promtool is content", "no promtool")
    tap.ok(b'sonde_batches_total{result="stored"}' in text, "and it counts")
    reply = collector.get(
        "/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
    lines = reply.body.decode().splitlines()
    tap.equal(lines[-1], "# EOF", "OpenMetrics ends with its mark")
    family, wrong = "", []
    for line in lines[:-1]:
        if line.startswith("# TYPE "):
            family, kind = line.split()[2:]
        elif not line.startswith("#"):
            name = line.split("{")[0].split()[0]
            suffix = "_total" if kind == "counter" else ""
            if name != family + suffix:
                wrong.append(line)
    tap.equal(wrong, [], "each sample is of its family")


def make_certificate(folder, name):
    paths = [os.path.join(folder, f"{name}.{end}") for end in ("crt", "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=sonde", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-out", paths[0],
                    "-keyout", paths[1]], check=True,
                   stderr=subprocess.DEVNULL)
    return paths


def start_fails(extra, listen, words):
    try:
        http.Collector(extra, listen).close()
    except RuntimeError as error:
        tap.ok(words in str(error), f"does not start: {words}")
        return
    tap.ok(False, f"does not start: {words}")


def tls_is_for_all_but_loopback():
    if not shutil.which("openssl"):
        tap.skip("TLS", "no openssl")
        return
    cert, key = make_certificate(collector.folder, "one")
    _, other = make_certificate(collector.folder, "two")
    start_fails("", ("http://0.0.0.0:0",), "plain HTTP is for loopback")
    start_fails("", ("0.0.0.0:0",), "https needs both tls-cert and tls-key")
    start_fails(f'tls-cert = "{cert}"\ntls-key = "{other}"',
                ("https://127.0.0.1:0",), "tls-cert and tls-key:")
    server = http.Collector(f'tls-cert = "{cert}"\ntls-key = "{key}"',
                            ("https://127.0.0.1:0", "127.0.0.1:0"))
    try:
        context = ssl.create_default_context(cafile=cert)
        address = ("127.0.0.1", server.ports[0])
        with socket.create_connection(address) as plain, \
                context.wrap_socket(plain, server_hostname="127.0.0.1") as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            reply = s.recv(65536)
            tap.ok(reply.startswith(b"HTTP/1.1 200"), "TLS is served")
            tap.ok(b"Strict-Transport-Security:" in reply, "with HSTS")
            tap.equal(s.version(), "TLSv1.3", "by the newest version")
        for version, good in (("-tls1_2", True), ("-tls1_1", False)):
            client = subprocess.run(
                ["openssl", "s_client", "-connect",
                 f"127.0.0.1:{server.ports[0]}", version, "-cipher",
                 "ALL:@SECLEVEL=0", "-CAfile", cert], check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            tap.equal(client.returncode == 0, good, f"openssl {version}")
        with socket.create_connection(("127.0.0.1", server.ports[1])) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            tap.ok(s.recv(100).startswith(b"HTTP/1.1 200"),
                   "loopback is plain beside it")
    finally:
        server.close()


def a_database_that_is_gone_is_told():
    server = http.Collector()
    try:
        agent = http.Agent(server, "left")
        agent.ingest(1, 10)
        bearer = server.bearer()
        shutil.rmtree(os.path.join(server.folder, "state"))
        campaign = server.post("/api/v1/campaigns", {
            "script": "ping", "targets": ["192.0.2.1"], "on": ["all"]},
            bearer)
        batch = agent.ingest(11, 10)
        for what, reply in (("campaign", campaign), ("batch", batch)):
            tap.equal((reply.status, reply.json()["code"]),
                      (503, "storage"), f"a {what} is not acknowledged")
            tap.equal(reply.headers["Content-Type"],
                      "application/problem+json", "as a problem")
            tap.ok("00000001.db was deleted" in reply.json()["detail"],
                   "that says what happened")
        health = server.get("/healthz")
        tap.equal((health.status,
                   health.json()["checks"]["database"]["status"]),
                  (503, "degraded"), "it is not well")
        time.sleep(1.5)  # ticks that meet it again
        tap.equal(server.said().count("00000001.db was deleted"), 1,
                  "it is logged once")
        tap.equal(server.stop(), 0, "and it still ends cleanly")
    finally:
        server.close()


def it_stops_in_the_middle_of_streams():
    agent = http.Agent(collector, "stop")
    streams = [Events() for _ in range(5)]
    result = {}

    def wait():
        revision = agent.work().json()["revision"]
        result["status"] = agent.work(revision).status

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    tap.equal(collector.stop(), 0, "a clean exit")
    tap.ok(time.monotonic() - began < 15, "soon")
    thread.join()
    tap.equal(result["status"], 200, "the poll was answered")
    for stream in streams:
        stream.read_until(lambda: False)
        stream.close()
    tap.ok(True, "the streams ended")


try:
    for test in (batches_are_taken_in_once_and_in_order,
                 what_is_wrong_changes_nothing, campaigns_reach_their_agents,
                 events_are_resumed_without_a_gap, slow_clients_harm_nobody,
                 hostile_requests_are_refused, metrics_are_readable,
                 tls_is_for_all_but_loopback,
                 a_database_that_is_gone_is_told,
                 it_stops_in_the_middle_of_streams):
        tap.run(test)
finally:
    collector.close()
tap.done()
