#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Hops print as they come: the router's line is there while the trace still
waits for what is behind it, and when it is interrupted everything that is known
has been printed once."""
import os
import shutil
import signal
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, "tests/web")
import sonde_http as http  # noqa: E402

SONDE = os.path.join(http.BUILD, "bin", "sonde")
NOBODY = "10.9.8.1"

if os.geteuid() != 0:
    http.skip_all("needs root")
if not shutil.which("ip"):
    http.skip_all("ip is not installed")
if not os.path.exists(SONDE):
    http.skip_all(f"{SONDE} is not built")
tap = http.Tap()
host, router = [f"sonde-hops-{os.getpid()}-{end}" for end in "ab"]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def build():
    for name in (host, router):
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
    ip("netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1",
       "net.ipv4.icmp_ratelimit=0")
    ip("link", "add", "near", "netns", host, "type", "veth", "peer", "name",
       "far", "netns", router)
    ip("-n", host, "addr", "add", "10.9.1.1/24", "dev", "near")
    ip("-n", router, "addr", "add", "10.9.1.2/24", "dev", "far")
    ip("-n", host, "link", "set", "near", "up")
    ip("-n", router, "link", "set", "far", "up")
    ip("-n", host, "route", "add", "default", "via", "10.9.1.2")
    # Behind the router a wire whose other end hears nothing.
    ip("-n", router, "link", "add", "out", "type", "veth", "peer", "name",
       "void")
    for end in ("out", "void"):
        ip("-n", router, "link", "set", end, "up")
    ip("-n", router, "addr", "add", "10.9.8.2/24", "dev", "out")
    ip("-n", router, "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:09",
       "dev", "out")


def sonde(*words):
    return subprocess.Popen(
        ["ip", "netns", "exec", host, SONDE, *words], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def hops_come():
    trace = sonde("trace", "-w", "10s", NOBODY)
    head, first = trace.stdout.readline(), trace.stdout.readline()
    tap.ok(head.startswith(f"trace to {NOBODY} from 10.9.1.1, udp"),
           f"the head: {head.strip()}")
    tap.equal(first.split()[:2], ["1", "10.9.1.2"], "the first hop")
    tap.equal(trace.poll(), None, "it is printed while the trace goes on")
    trace.send_signal(signal.SIGINT)
    rest, _ = trace.communicate(timeout=30)
    tap.equal(rest.splitlines(),
              ["not reached: stopped before the end, 1 probe"],
              "an interrupt prints what is missing, once")
    tap.equal(trace.returncode, 1, "the target was not reached")


def ping_stops():
    ping = sonde("ping", "-c", "1000", "-w", "100ms", "--late", "0", NOBODY)
    lines = [ping.stdout.readline() for _ in range(2)]
    tap.equal(lines[1].split(), ["1", "no", "reply"], "the first probe")
    ping.send_signal(signal.SIGINT)
    rest, _ = ping.communicate(timeout=30)
    rest = rest.splitlines()
    # A second one may have left, and be known, before the signal came.
    tap.ok(len(rest) <= 2, f"no line a probe that was not sent: {rest[:5]}")
    tap.ok(rest and rest[-1].endswith(" sent, 0 received, 100 % lost"),
           "the sums are of those that were sent")


def main():
    build()
    hops_come()
    ping_stops()


try:
    tap.run(main)
finally:
    for name in (host, router):
        subprocess.run(["ip", "netns", "del", name], check=False)
tap.done()
