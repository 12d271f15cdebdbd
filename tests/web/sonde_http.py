# SPDX-License-Identifier: ISC
"""A collector of the test's own, and requests to it; TAP for its findings."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("O", "build")
COLLECTOR = os.path.join(BUILD, "bin", "sonde-collector")
TOOL = os.path.join(BUILD, "tests", "web", "agent-tool")
JSON = "application/json"
BATCH = "application/vnd.sonde.batch"


class Tap:
    """Counts and prints; a check that raises is not ok."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, what):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}",
              flush=True)
        return good

    def equal(self, got, want, what):
        if not self.ok(got == want, what):
            print(f"#   got {got!r}, expected {want!r}")

    def run(self, test):
        what = test.__name__.replace("_", " ")
        try:
            test()
        except Exception as error:  # a test that breaks is a failure
            self.ok(False, f"{what}: {type(error).__name__}: {error}")
            if os.environ.get("SONDE_TRACE"):
                raise

    def skip(self, what, why):
        self.count += 1
        print(f"ok {self.count} - {what} # SKIP {why}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(self.failed != 0)


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Collector:
    """Started on a port of its own choice with a state folder of its own."""

    def __init__(self, extra="", listen=("127.0.0.1:0",)):
        self.folder = tempfile.mkdtemp(prefix="sonde-api-")
        self.config = os.path.join(self.folder, "conf")
        quoted = ", ".join(f'"{at}"' for at in listen)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f'state-dir = "{self.folder}/state"\n'
                    f"listen = {{{quoted}}}\n{extra}\n")
        self.process = None
        self.ports = []
        try:
            self.start()
        except RuntimeError:
            shutil.rmtree(self.folder)
            raise

    def start(self):
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [COLLECTOR, "-c", self.config], stderr=log)
        until = time.monotonic() + 30
        while not self.ports and time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"collector: {self.said()}")
            self.ports = [int(p) for p in re.findall(
                r"serving https?://\S+:(\d+)", self.said())]
            time.sleep(0.02)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.ports = []
        return self.process.wait(timeout=30)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def admin_token(self):
        path = os.path.join(self.folder, "state", "admin.token")
        with open(path, encoding="ascii") as f:
            return f.read().strip()

    def bearer(self):
        return {"Authorization": f"Bearer {self.admin_token()}"}

    def ask(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.ports[0], timeout=60)
        try:
            connection.request(method, target, body, headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, target, headers=None):
        return self.ask("GET", target, None, headers)

    def post(self, target, value, headers=None, kind=JSON):
        body = json.dumps(value) if kind == JSON else value
        return self.ask("POST", target, body,
                        {"Content-Type": kind, **(headers or {})})

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(
            ("127.0.0.1", self.ports[0]), 60, (source, 0))


class Agent:
    """A key and what it signs, by agent-tool."""

    def __init__(self, collector, name=None):
        self.collector = collector
        self.key = tempfile.mktemp(dir=collector.folder)
        self.tool("new")
        if name:
            self.answer = self.enrol(name).json()

    def tool(self, *words):
        return subprocess.run([TOOL, "--key", self.key, *map(str, words)],
                              check=True, stdout=subprocess.PIPE).stdout

    def enrol(self, called, token=None, **changes):
        token = token or self.collector.post(
            "/api/v1/tokens", {}, self.collector.bearer()).json()["token"]
        body = json.loads(self.tool("enrol", token, called))
        return self.collector.post("/api/v1/enrol", {**body, **changes})

    def batch(self, first=1, count=10, **options):
        words = [f"--{name.replace('_', '-')}={value}"
                 for name, value in options.items()]
        return self.tool(f"--first={first}", f"--count={count}", *words,
                         "batch")

    def ingest(self, first=1, count=10, **options):
        return self.send(self.batch(first, count, **options))

    def send(self, body):
        return self.collector.post("/api/v1/ingest", body, kind=BATCH)

    def work(self, after=0, time_ns=None, **changes):
        target = f"/api/v1/work?after={after}"
        lines = self.tool("work", time_ns or time.time_ns(), target)
        headers = dict(line.split(": ", 1)
                       for line in lines.decode().splitlines())
        return self.collector.get(target, {**headers, **changes})
