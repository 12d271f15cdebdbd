#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What scamper prints of a path is the measure of --format scamper.

Both measure the same lab path by the same methods.  Each member of ours must
be one that scamper has there, of the same kind, and what does not depend on
the moment must be equal.
"""
import json
import os
import shutil
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, "tests/web")
import sonde_http as http  # noqa: E402

SONDE = os.path.join(http.BUILD, "bin", "sonde")
TARGET, NOBODY = "10.9.2.1", "10.9.2.99"
# Newer scampers have these; of the others we know no value.
NEWER = {"no_responses"}
NOT_OURS = {"tcp_seq", "tcp_ack", "probe_ipid"}
EQUAL = {"type", "version", "method", "src", "dst", "stop_reason",
         "stop_data", "hop_count", "attempts", "firsthop", "probe_count",
         "addr", "probe_ttl", "probe_id", "reply_ttl", "icmp_type",
         "icmp_code", "icmp_q_ttl", "icmp_q_tos", "tcp_flags", "ping_sent",
         "from", "seq", "reply_proto", "replies", "loss", "ttl", "userid",
         "tos", "reply_tos", "wait_probe", "timeout"}

if os.geteuid() != 0:
    http.skip_all("needs root")
for tool in ("scamper", "ip"):
    if not shutil.which(tool):
        http.skip_all(f"{tool} is not installed")
if not os.path.exists(SONDE):
    http.skip_all(f"{SONDE} is not built")
tap = http.Tap()
names = [f"sonde-fmt-{os.getpid()}-{end}" for end in "abc"]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def build():
    host, router, target = names
    for name in names:
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        ip("netns", "exec", name, "sysctl", "-qw",
           "net.ipv4.icmp_ratelimit=0", "net.ipv4.ip_forward=1")
    for near, net in ((host, 1), (target, 2)):
        ip("link", "add", "near", "netns", near, "type", "veth", "peer",
           "name", f"to{net}", "netns", router)
        ip("-n", near, "addr", "add", f"10.9.{net}.1/24", "dev", "near")
        ip("-n", router, "addr", "add", f"10.9.{net}.2/24", "dev", f"to{net}")
        ip("-n", near, "link", "set", "near", "up")
        ip("-n", router, "link", "set", f"to{net}", "up")
        ip("-n", near, "route", "add", "default", "via", f"10.9.{net}.2")
    # The router has a neighbour there, so it does not say that there is none.
    ip("-n", router, "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:99",
       "nud", "permanent", "dev", "to2")


def run(*words):
    """The objects that it prints, without scamper's cycles."""
    done = subprocess.run(["ip", "netns", "exec", names[0], *words],
                          capture_output=True, text=True, timeout=60)
    return [one for one in map(json.loads, done.stdout.splitlines())
            if one["type"] in ("trace", "ping")]


def differences(ours, theirs, where=""):
    """What is ours and not scamper's."""
    for key, value in ours.items():
        at = f"{where}/{key}"
        if key in NEWER:
            continue
        if key not in theirs:
            yield f"{at}: scamper has none"
            continue
        other = theirs[key]
        if isinstance(value, dict):
            yield from differences(value, other, at)
        elif isinstance(value, list):
            if len(value) != len(other):
                yield f"{at}: {len(value)}, scamper has {len(other)}"
            for i, pair in enumerate(zip(value, other)):
                yield from differences(*pair, f"{at}/{i}")
        elif isinstance(value, str) != isinstance(other, str):
            yield f"{at}: {value!r}, scamper has {other!r}"
        elif key in EQUAL and value != other:
            yield f"{at}: {value!r}, scamper has {other!r}"
    for key in theirs.keys() - ours.keys() - NOT_OURS:
        yield f"{where}/{key}: only scamper has it"


def compare(what, ours, theirs):
    found = [f"{len(ours)} objects, scamper has {len(theirs)}"]
    if len(ours) == len(theirs) == 1:
        found = list(differences(ours[0], theirs[0]))
    if not tap.ok(not found, what):
        for line in found:
            print(f"#   {line}")


def main():
    for ours, theirs in (("udp", "udp-paris"), ("icmp", "icmp-paris"),
                         ("tcp", "tcp")):
        compare(f"a trace by {ours}",
                run(SONDE, "trace", "--format", "scamper", "-M", ours, TARGET),
                run("scamper", "-O", "json", "-p", "1000", "-I",
                    f"trace -P {theirs} -q 1 {TARGET}"))
    for ours, theirs in (("icmp", "icmp-echo"), ("udp", "udp"),
                         ("tcp", "tcp-syn")):
        compare(f"a ping by {ours}",
                run(SONDE, "ping", "--format", "scamper", "-c", "2", "-i",
                    "1s", "-M", ours, TARGET),
                run("scamper", "-O", "json", "-p", "1000", "-I",
                    f"ping -P {theirs} -c 2 -i 1 {TARGET}"))
    compare("a ping of nobody",
            run(SONDE, "ping", "--format", "scamper", "-c", "1", "-w",
                "500ms", NOBODY),
            run("scamper", "-O", "json", "-p", "1000", "-I",
                f"ping -c 1 {NOBODY}"))


try:
    build()
    tap.run(main)
finally:
    for name in names:
        subprocess.run(["ip", "netns", "del", name], check=False)
tap.done()
