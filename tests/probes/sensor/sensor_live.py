#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`sonde sensor -i` in namespaces of its own: one sends, one listens.  What
was sent is what was captured plus what was dropped, and nobody without the
right to capture gets further than the line that grants it."""
import json
import os
import socket
import subprocess
import sys
import threading
import time

import sensor_packets as make

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}/bin/sonde")
LISTENER = f"sonde-sensor-{os.getpid()}"
PATIENCE_S = 120
count = failed = 0


def check(what, ok, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}")
    if not ok:
        failed += 1
        print(f"# {detail}")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def in_listener(*command, **more):
    return subprocess.Popen(["ip", "netns", "exec", LISTENER, *command],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **more)


def send(packets):
    """From a thread in the namespace, on its end of the veth pair."""
    def work():
        with open(f"/run/netns/{LISTENER}") as namespace:
            if libc().setns(namespace.fileno(), 0x40000000) != 0:
                raise OSError("setns")
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("out0", 0))
            for packet in packets:
                out.send(make.frame("ethernet", packet))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def libc():
    import ctypes
    return ctypes.CDLL(None, use_errno=True)


def status(process):
    """Of its child, which is the one that reads packets; {}: none yet."""
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    try:
        with open(path, encoding="ascii") as children:
            [child] = children.read().split() or [""]
        with open(f"/proc/{child}/status", encoding="utf-8") as text:
            return dict(line.rstrip("\n").split(":\t", 1) for line in text
                        if ":\t" in line)
    except (OSError, ValueError):
        return {}


def wait_until(process, question):
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None and not question():
        if time.monotonic() > end:
            raise TimeoutError(status(process))
        time.sleep(0.05)


def listening(process):
    """Until it is in its sandbox, where it goes with its captures open."""
    wait_until(process, lambda: status(process).get("Seccomp") == "2")


def at_rest(process):
    """Until it has nothing to read any more.  The kernel hands a block of
    frames over after 100 ms at most; what then still has work is running or
    wants to, however busy the machine is."""
    seen = 0

    def sleeps():
        nonlocal seen
        seen = seen + 1 if status(process).get("State", "").startswith("S") else 0
        return seen >= 20
    wait_until(process, sleeps)


def results(process, before=()):
    """before: lines that were read already."""
    out, err = process.communicate(timeout=PATIENCE_S)
    lines = [json.loads(line) for line in [*before, *out.splitlines()]]
    summary = [line["summary"] for line in lines if "summary" in line]
    return ([line for line in lines if "src" in line],
            summary[0] if summary else None, err, process.returncode)


def test_catch():
    process = in_listener(SONDE, "sensor", "-i", "in0", "--json")
    listening(process)
    send([make.udp(f"203.0.113.{1 + n % 5}", "198.51.100.7", 1434,
                   make.SLAMMER) for n in range(50)])
    at_rest(process)
    process.terminate()
    found, summary, err, code = results(process)
    worms = [f for f in found if f["signature"] == "slammer"]
    check("worm packets on a wire are caught until a signal ends it",
          code == 0 and len(worms) == 5 and
          sum(f["packets"] for f in worms) == 50, (found, err, code))
    check("nothing was dropped", summary and summary["dropped"] == 0, summary)


def test_limits():
    process = in_listener(SONDE, "sensor", "-i", "in0", "--json", "--count",
                          "3", "--filter", "udp port 99")
    listening(process)
    send([make.udp("203.0.113.1", "198.51.100.7", 99) for _ in range(9)])
    _, summary, err, code = results(process)
    check("--count and --filter hold on a wire",
          code == 0 and summary["packets"] == 3, (summary, err))
    process = in_listener(SONDE, "sensor", "-i", "in0", "--json", "--for",
                          "300ms", "--filter", "udp port 99")
    _, summary, err, code = results(process)
    check("--for ends it", code == 0 and summary["packets"] == 0, err)
    process = in_listener(SONDE, "sensor", "-i", "in0", "--json", "--every",
                          "500ms", "--filter", "udp port 99")
    listening(process)
    lines = []
    for _ in range(2):
        send([make.udp("203.0.113.1", "198.51.100.7", 99)])
        lines.append("")
        while '"src"' not in lines[-1]:  # intervals without packets
            lines[-1] = process.stdout.readline()
    process.terminate()
    found, _, err, _ = results(process, lines)
    check("--every says what was found in each interval",
          [f["packets"] for f in found] == [1, 1], (found, err))


def test_burst():
    sent = 60000
    process = in_listener(SONDE, "sensor", "-i", "in0", "--json", "--filter",
                          "tcp port 23")
    listening(process)
    packets = [make.mirai(f"10.0.{n >> 8}.{n & 255}", "198.51.100.7")
               for n in range(1000)]
    send(packets * (sent // len(packets)))
    at_rest(process)
    process.terminate()
    found, summary, err, _ = results(process)
    check("captured + dropped = sent",
          summary and summary["packets"] + summary["dropped"] == sent,
          (summary, err))
    check("and all that were captured are in the findings",
          sum(f["packets"] for f in found) == summary["packets"], summary)


def test_permission():
    if not os.access(SONDE, os.X_OK):
        return
    done = subprocess.run([SONDE, "sensor", "-i", "lo"], user=65534,
                          group=65534, extra_groups=[], capture_output=True,
                          text=True, check=False)
    check("without the right to capture: exit 77 and the granting line",
          done.returncode == 77 and "setcap cap_net_raw" in done.stderr, done)


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root for namespaces")
        return 0
    try:
        ip("netns", "add", LISTENER)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"1..0 # SKIP no namespaces: {error}")
        return 0
    try:
        ip("-n", LISTENER, "link", "add", "out0", "type", "veth", "peer",
           "name", "in0")
        for name in ("out0", "in0"):
            ip("-n", LISTENER, "link", "set", name, "up")
        test_catch()
        test_limits()
        test_burst()
        test_permission()
    finally:
        ip("netns", "delete", LISTENER)
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
