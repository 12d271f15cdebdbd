# SPDX-License-Identifier: ISC
"""A worm's packet's whole way: a sensor of a real agent, a real collector, and
a browser that listens to the event stream.  The packets come by a FIFO, or,
where a network namespace can be had, over a veth pair that only exists in
there; everything else goes over loopback."""
import http.client
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
sys.path[:0] = [os.path.join(ROOT, "tests/web"),
                os.path.join(ROOT, "tests/probes/sensor")]

import sensor_packets as make                    # noqa: E402
import sonde_http                                # noqa: E402

BUILD = os.environ.get("O", "build")
PATIENCE_S = 60
TARGET = "198.51.100.7"


def slammer(src, dst=TARGET):
    return make.udp(src, dst, 1434, make.SLAMMER)


class Fifo:
    """A capture file that is written as it happens."""

    def __init__(self, folder):
        self.path = f"{folder}/wire.fifo"
        self.interface = f"file:{self.path}"
        os.mkfifo(self.path)
        self.out = None

    def open(self):
        self.out = open(self.path, "wb", buffering=0)
        self.out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535,
                                   make.DLT["raw"]))

    def send(self, packet):
        now = time.time_ns()
        self.out.write(struct.pack("<IIII", now // 10**9, now % 10**9,
                                   len(packet), len(packet)) + packet)

    def close(self):
        if self.out:
            self.out.close()


class Veth:
    """Only in a network namespace of its own: see in_namespace()."""
    interface = "worm1"

    def __init__(self, _):
        for words in ("link set lo up", "link add worm0 type veth peer worm1",
                      "link set worm0 up", "link set worm1 up"):
            subprocess.run(["ip", *words.split()], check=True)
        self.out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.out.bind(("worm0", 0))

    def open(self):
        pass

    def send(self, packet):
        self.out.send(make.frame("ethernet", packet))

    def close(self):
        self.out.close()


def in_namespace():
    """Goes on in a network namespace of our own; false where that is not
    allowed, and nothing has happened."""
    if os.environ.get("SONDE_IN_NAMESPACE"):
        return True
    if os.geteuid() != 0 or subprocess.run(
            ["unshare", "-n", "true"], capture_output=True,
            check=False).returncode != 0:
        return False
    os.environ["SONDE_IN_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])
    return False


class Browser(threading.Thread):
    """Listens to the event stream; (when, kind, event) of each."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.seen = queue.Queue()
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.connection.request("GET", "/api/v1/events")
        self.lines = self.connection.getresponse()
        self.start()

    def run(self):
        kind = None
        for line in self.lines:
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: "):
                self.seen.put((time.time_ns(), kind.decode(),
                               json.loads(line[6:])))

    def next(self, kind="sighting"):
        """When the next event of a kind came, and it; (0, None) when none
        comes."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                when, what, event = self.seen.get(timeout=1)
            except queue.Empty:
                continue
            if what == kind:
                return when, event
        return 0, None

    def until(self, text):
        """The kinds of all events up to one that says so."""
        kinds = []
        while True:
            _, kind, event = self.seen.get(timeout=PATIENCE_S)
            kinds.append(kind)
            if text in event["text"]:
                return kinds


class Path:
    """Collector, agent, wire and browser.  interval: the sensor's."""

    def __init__(self, wire=Fifo, interval="3600s"):
        self.collector = sonde_http.Collector()
        self.folder = self.collector.folder
        os.chmod(self.folder, 0o755)
        self.port = self.collector.ports[0]
        self.wire = wire(self.folder)
        self.agent = None
        self.config = self.write_config("sensor", interval)
        with open(f"{self.folder}/world.sim", "w", encoding="ascii") as to:
            to.write("start now\nvantage here 11.1.1.2/24\n")

    def write_config(self, name, interval):
        config = f"{self.folder}/{name}.conf"
        with open(config, "w", encoding="ascii") as to:
            to.write(f'collector = "http://127.0.0.1:{self.port}"\n'
                     f'name = "{name}"\n'
                     f'state-dir = "{self.folder}/{name}"\n'
                     f'net = "sim:{self.folder}/world.sim"\n'
                     f'sensor-interfaces = {{"{self.wire.interface}"}}\n'
                     f'sensor-interval = "{interval}"\n'
                     'heartbeat = "500ms"\n'
                     'allow-weak-sandbox = true\n')
        return config

    def enrol(self, config):
        token = self.run("sonde", "token").strip()
        self.run("sonde-agent", "enrol", "-c", config, "--token", token)

    def run(self, *words):
        env = dict(os.environ, SONDE_TOKEN=self.collector.admin_token(),
                   SONDE_COLLECTOR=f"http://127.0.0.1:{self.port}")
        return subprocess.run([f"{BUILD}/bin/{words[0]}", *words[1:]],
                              env=env, capture_output=True, text=True,
                              check=True).stdout

    def start(self):
        """Until the agent is up and its sensor has its wire open."""
        self.enrol(self.config)
        with open(f"{self.folder}/agent.log", "wb") as log:
            self.agent = subprocess.Popen(
                [f"{BUILD}/bin/sonde-agent", "-c", self.config], stderr=log)
        self.wire.open()
        self.until(lambda: self.get("/api/v1/agents")["items"][0]["state"]
                   == "up")
        return Browser(self.port)

    def until(self, question):
        end = time.monotonic() + PATIENCE_S
        while not question():
            if time.monotonic() > end:
                raise TimeoutError(self.log())
            time.sleep(0.02)

    def get(self, target):
        return self.collector.get(target).json()

    def sightings(self):
        return self.get("/api/v1/sightings?limit=500")["items"]

    def log(self):
        with open(f"{self.folder}/agent.log", encoding="utf-8",
                  errors="replace") as text:
            return text.read()

    def stop_agent(self):
        """Its end closes the interval and ships what is left."""
        self.agent.terminate()
        return self.agent.wait(PATIENCE_S)

    def close(self):
        self.wire.close()
        if self.agent and self.agent.poll() is None:
            self.agent.kill()
            self.agent.wait()
        self.collector.close()
