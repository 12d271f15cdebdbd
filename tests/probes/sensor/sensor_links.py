#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`sonde sensor -i` while interfaces come and go, in a network of its own: down
and up, not there yet, removed and made again, renamed, beside one that never
comes, of every link type that this kernel has; and rings that grow under load.
Nothing that was found is lost, and nothing ends by a signal of the sandbox.

Steps wait for what the sensor says of its interfaces, never for time alone."""
import ctypes
import fcntl
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import sensor_packets as make

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}/bin/sonde")
CLONE_NEWNET = 0x40000000
PATIENCE_S = 120
TARGET = "198.51.100.7"
count = failed = 0


def check(what, ok, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}", flush=True)
    if not ok:
        failed += 1
        print(f"# {detail}", flush=True)


def skip(what, why):
    global count
    count += 1
    print(f"ok {count} - {what} # SKIP {why}", flush=True)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def veth(name, peer):
    ip("link", "add", name, "type", "veth", "peer", "name", peer)
    for end in (name, peer):
        quiet(end)
        ip("link", "set", end, "up")


def quiet(name):
    """Nothing but what the test sends: no router or neighbour discovery."""
    try:
        with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w",
                  encoding="ascii") as file:
            file.write("1")
    except FileNotFoundError:
        pass


def send(device, packets, link="ethernet"):
    # Some devices that are made here count otherwise.
    make.carries(device, *(() if device != "one0" else (2, False)))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((device, 0))
        for packet in packets:
            out.send(make.frame(link, packet))


def worms(source, number=5):
    return [make.mirai(source, f"198.51.100.{n + 1}") for n in range(number)]


class Sensor:
    """What it says is read as it comes."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [SONDE, "sensor", "--json", *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.said, self.heard = queue.Queue(), []
        self.out = []
        self.threads = [threading.Thread(target=work) for work in (
            self._hear, lambda: self.out.extend(self.process.stdout))]
        for thread in self.threads:
            thread.start()
        self.until(lambda: self.status("Seccomp") == "2")

    def _hear(self):
        for line in self.process.stderr:
            self.said.put(line)

    def until(self, question):
        end = time.monotonic() + PATIENCE_S
        while not question():
            if self.process.poll() is not None or time.monotonic() > end:
                raise TimeoutError(f"status {self.process.poll()}, "
                                   f"heard {self.heard}")
            time.sleep(0.02)

    def child(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as children:
            [child] = children.read().split() or [""]
        return child

    def status(self, field):
        try:
            with open(f"/proc/{self.child()}/status", encoding="utf-8") as f:
                return dict(line.rstrip("\n").split(":\t", 1) for line in f
                            if ":\t" in line)[field]
        except (OSError, ValueError):
            return None

    def ring_bytes(self):
        with open(f"/proc/{self.child()}/maps", encoding="utf-8") as maps:
            spans = [line.split()[0].split("-") for line in maps
                     if "socket:" in line]
        return sum(int(b, 16) - int(a, 16) for a, b in spans)

    def rest(self):
        """Until it has read what there was: a block of the kernel's is handed
        over after 100 ms at most, and one that has work is not asleep."""
        seen = 0

        def sleeps():
            nonlocal seen
            asleep = (self.status("State") or "").startswith("S")
            seen = seen + 1 if asleep else 0
            return seen >= 25
        self.until(sleeps)

    def hear(self, *words):
        """The next line that has all of them."""
        while True:
            line = self.said.get(timeout=PATIENCE_S)
            self.heard.append(line)
            if all(word in line for word in words):
                return line

    def end(self):
        """Findings by source, the summary, the status."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        for thread in self.threads:
            thread.join()
        while not self.said.empty():
            self.heard.append(self.said.get())
        rows = [json.loads(line) for line in self.out]
        found = {row["src"]: row for row in rows if "src" in row}
        summary = [row["summary"] for row in rows if "summary" in row]
        return found, summary[0] if summary else None, code


def all_found(found, sources, packets=5):
    return all(source in found and found[source]["verdict"] == "worm" and
               found[source]["packets"] == packets for source in sources)


def test_flap():
    veth("in0", "out0")
    sensor = Sensor("-i", "in0")
    send("out0", worms("203.0.113.1"))
    for turn in range(3):
        ip("link", "set", "in0", "down")
        sensor.hear("in0: the interface is down", "waiting")
        ip("link", "set", "in0", "up")
        sensor.hear("in0: watched again")
        send("out0", worms(f"203.0.113.{turn + 2}"))
    ip("link", "set", "out0", "down")
    sensor.hear("in0: no link", "waiting")
    ip("link", "set", "out0", "up")
    sensor.hear("in0: watched again")
    send("out0", worms("203.0.113.9"))
    found, summary, code = sensor.end()
    check("a link that flaps costs no finding from before, between or after",
          code == 0 and all_found(found, [f"203.0.113.{n}" for n in
                                          (1, 2, 3, 4, 9)]),
          (code, found, sensor.heard))
    check("and nothing is dropped", summary and summary["dropped"] == 0,
          summary)
    ip("link", "del", "in0")


def test_absent():
    sensor = Sensor("-i", "late0")
    sensor.hear("late0: no such interface", "waiting")
    for turn in range(3):
        veth("late0", "out0")
        sensor.hear("late0: watched again")
        send("out0", worms(f"203.0.113.{turn + 1}"))
        ip("link", "del", "late0")
        sensor.hear("late0: no such interface", "waiting")
    found, _, code = sensor.end()
    check("an interface that is not there yet is taken whenever it comes, and "
          "what it had taken is not lost with it",
          code == 0 and all_found(found, [f"203.0.113.{n}" for n in
                                          (1, 2, 3)]),
          (code, found, sensor.heard))


def test_rename():
    veth("in0", "out0")
    veth("in1", "out1")
    sensor = Sensor("-i", "in0")
    send("out0", worms("203.0.113.1"))
    ip("link", "set", "in0", "down")
    sensor.hear("in0: the interface is down")
    ip("link", "set", "in0", "name", "other0")
    sensor.hear("in0: no such interface")
    ip("link", "set", "other0", "up")
    send("out0", worms("203.0.113.2"))
    ip("link", "set", "in1", "down")
    ip("link", "set", "in1", "name", "in0")
    ip("link", "set", "in0", "up")
    sensor.hear("in0: watched again")
    send("out1", worms("203.0.113.3"))
    send("out0", worms("203.0.113.4"))
    found, _, code = sensor.end()
    check("the name says which interface is watched",
          code == 0 and all_found(found, ["203.0.113.1", "203.0.113.3"]) and
          len(found) == 2, (code, found, sensor.heard))
    ip("link", "del", "other0")
    ip("link", "del", "in0")


def test_several():
    veth("in0", "out0")
    veth("in1", "out1")
    ip("link", "set", "in1", "down")
    sensor = Sensor("-i", "never0", "-i", "in1", "-i", "in0")
    sensor.hear("never0: no such interface")
    sensor.hear("in1: the interface is down")
    send("out0", worms("203.0.113.1"))
    ip("link", "set", "in1", "up")
    sensor.hear("in1: watched again")
    send("out1", worms("203.0.113.2"))
    ip("link", "del", "in0")
    sensor.hear("in0: no such interface")
    send("out1", worms("203.0.113.3"))
    found, summary, code = sensor.end()
    check("one that is down, or never comes, or goes blinds no other",
          code == 0 and all_found(found, ["203.0.113.1", "203.0.113.2",
                                          "203.0.113.3"]) and
          summary["dropped"] == 0, (code, found, summary, sensor.heard))
    ip("link", "del", "in1")


def tun(name, tap):
    """A tun or tap device: what is written to it, its interface receives."""
    TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454ca, 1, 2, 0x1000
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack(
        "16sH22x", name.encode(), (IFF_TAP if tap else IFF_TUN) | IFF_NO_PI))
    quiet(name)
    ip("link", "set", name, "up")
    return fd


def watch_one(kind, device, put):
    """One sensor before the interface flaps and after."""
    sensor = Sensor("-i", device)
    put(worms("203.0.113.1"))
    sensor.rest()
    ip("link", "set", device, "down")
    sensor.hear(f"{device}: ", "waiting")
    ip("link", "set", device, "up")
    sensor.hear(f"{device}: watched again")
    put(worms("203.0.113.2"))
    found, _, code = sensor.end()
    check(f"{kind}: watched before and after it was down, each packet once",
          code == 0 and all_found(found, ["203.0.113.1", "203.0.113.2"]),
          (code, found, sensor.heard))


def test_types():
    watch_one("loopback", "lo", lambda packets: send("lo", packets))
    for kind, tap, link in (("tun", False, "raw"), ("tap", True, "ethernet")):
        try:
            fd = tun("one0", tap)
        except OSError as error:
            skip(kind, error)
            continue
        watch_one(kind, "one0", lambda packets: [
            os.write(fd, make.frame(link, packet)) for packet in packets])
        os.close(fd)
    for kind, more in (("dummy", ()), ("bridge", ()), ("ifb", ()),
                       ("vlan", ("id", "5")), ("macvlan", ()),
                       ("sit", ("local", "192.0.2.1", "remote", "192.0.2.2")),
                       ("gre", ("local", "192.0.2.1", "remote", "192.0.2.2")),
                       ("ipip", ("local", "192.0.2.1", "remote", "192.0.2.2")),
                       ("vxlan", ("id", "5", "dstport", "4789", "local",
                                  "192.0.2.1", "remote", "192.0.2.2"))):
        make_link(kind, more)


def make_link(kind, more):
    """What this end sends is seen as well."""
    veth("in0", "out0")
    under = ("link", "in0") if kind in ("vlan", "macvlan") else ()
    try:
        ip("link", "add", *under, "name", "one0", "type", kind, *more)
    except subprocess.CalledProcessError as error:
        skip(kind, error.stderr.decode().strip() or "not in this kernel")
        ip("link", "del", "in0")
        return
    quiet("one0")
    ip("link", "set", "one0", "up")
    if kind == "bridge":
        ip("link", "set", "in0", "master", "one0")
    flat = kind in ("sit", "gre", "ipip")
    watch_one(kind, "one0", lambda packets: send(
        "one0", packets, "raw" if flat else "ethernet"))
    ip("link", "del", "one0")
    ip("link", "del", "in0")


def test_any():
    veth("in0", "out0")
    sensor = Sensor("-i", "any", "--filter", "src host 203.0.113.1")
    send("out0", worms("203.0.113.1"))
    ip("link", "set", "in0", "down")
    ip("link", "set", "in0", "up")
    ip("link", "del", "in0")
    send("lo", worms("203.0.113.1", 3))
    found, _, code = sensor.end()
    check("any: both ends of a wire, and loopback once",
          code == 0 and all_found(found, ["203.0.113.1"], 13),
          (code, found, sensor.heard))


def tagged(tags, packet):
    frame = make.frame("ethernet", packet)
    return frame[:12] + b"".join(struct.pack(">HH", *tag) for tag in tags) + \
        frame[12:]


def test_filter():
    veth("in0", "out0")
    frames = [tagged(tags, packet) for tags, source in (
        ((), "203.0.113.1"), (((0x8100, 5),), "203.0.113.2"),
        (((0x88a8, 7), (0x8100, 5)), "203.0.113.3"),
        (((0x8100, 6),), "192.0.2.9")) for packet in worms(source)]
    for expression, expected in (
            ("net 203.0.113.0/24", ["203.0.113.1", "203.0.113.2",
                                    "203.0.113.3"]),
            ("vlan 5", ["203.0.113.2"]),
            ("ether src 02:00:00:00:00:02 and tcp", [
                "203.0.113.1", "203.0.113.2", "203.0.113.3", "192.0.2.9"])):
        sensor = Sensor("-i", "in0", "--filter", expression)
        make.carries("out0")
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("out0", 0))
            for frame in frames:
                out.send(frame)
        found, _, code = sensor.end()
        check(f"--filter '{expression}' on a wire with tags", code == 0 and
              all_found(found, expected) and
              set(found) & {"203.0.113.1", "192.0.2.9"} ==
              set(expected) & {"203.0.113.1", "192.0.2.9"},
              (code, found, sensor.heard))
    ip("link", "del", "in0")


def test_growth():
    """The reader stands still while more comes than its ring holds."""
    veth("in0", "out0")
    quick = [make.frame("ethernet", packet)
             for packet in worms("203.0.113.1", 100)]
    sent = 0

    def burst(number):
        nonlocal sent
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("out0", 0))
            for n in range(number):
                out.send(quick[n % len(quick)])
        sent += number

    make.carries("out0")
    sensor = Sensor("-i", "in0")
    at_rest = sensor.ring_bytes()
    child = int(sensor.child())
    os.kill(child, signal.SIGSTOP)
    burst(80000)
    os.kill(child, signal.SIGCONT)
    sensor.rest()
    grown = sensor.ring_bytes()
    os.kill(child, signal.SIGSTOP)
    burst(110000)
    os.kill(child, signal.SIGCONT)
    sensor.rest()
    found, summary, code = sensor.end()
    check("a ring that was pressed has grown", at_rest == 8 << 20 and
          grown == 32 << 20, (at_rest, grown))
    check("captured + dropped = sent while it grew", code == 0 and
          summary["packets"] + summary["dropped"] == sent and
          found["203.0.113.1"]["packets"] == summary["packets"],
          (sent, summary, code))
    check("and the grown ring holds what the first did not",
          110000 <= summary["packets"] and 0 < summary["dropped"] < 40000,
          summary)
    ip("link", "del", "in0")


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root for a network of its own")
        return 0
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        print("1..0 # SKIP no network of its own")
        return 0
    ip("link", "set", "lo", "up")
    for test in (test_flap, test_absent, test_rename, test_several, test_types,
                 test_any, test_filter, test_growth):
        test()
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
