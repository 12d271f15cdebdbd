#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""One target, and 20,000, behind a chain of namespaces: `sonde ping` and `sonde
trace` against traceroute, fping and scamper."""
import os
import shutil
import subprocess
import sys
import tempfile

import pairs

BUILD = os.environ.get("O", "build")
SONDE = os.path.abspath(f"{BUILD}/bin/sonde")
TAG = f"sbench{os.getpid()}"
HOPS = 4                    # routers between us and the targets
TARGETS = 20000


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def shell(node, script):
    subprocess.run(["ip", "netns", "exec", f"{TAG}-{node}", "sh", "-ec",
                    script], check=True)


def build():
    """source 0, routers 1..HOPS, and a last node that owns all of 11.9/16."""
    for node in range(HOPS + 2):
        ip("netns", "add", f"{TAG}-{node}")
        shell(node, "ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward;"
              "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit;"
              "echo 1000000 >/proc/sys/net/ipv4/icmp_msgs_per_sec || true;"
              "echo 1000000 >/proc/sys/net/ipv4/icmp_msgs_burst || true;"
              "echo 1 >/proc/sys/net/ipv4/icmp_errors_use_inbound_ifaddr")
    for near in range(HOPS + 1):
        far = near + 1
        ip("link", "add", f"r{near}", "netns", f"{TAG}-{near}", "type", "veth",
           "peer", "name", f"l{far}", "netns", f"{TAG}-{far}")
        shell(near, f"ip addr add 11.8.{near}.1/30 dev r{near};"
              f"ip link set r{near} up")
        shell(far, f"ip addr add 11.8.{near}.2/30 dev l{far};"
              f"ip link set l{far} up; ip route add default via 11.8.{near}.1")
        shell(near, f"ip route add 11.9.0.0/16 via 11.8.{near}.2;"
              f"for n in $(seq {far} {HOPS}); do "
              f"ip route add 11.8.$n.0/30 via 11.8.{near}.2; done")
    shell(HOPS + 1, "ip route add local 11.9.0.0/16 dev lo")


def tear_down():
    for node in range(HOPS + 2):
        subprocess.run(["ip", "netns", "del", f"{TAG}-{node}"], check=False,
                       stderr=subprocess.DEVNULL)


def inside(*command):
    return ["ip", "netns", "exec", f"{TAG}-0", *command]


def one_trace():
    """Inside already: entering a namespace would take as long as a trace."""
    pairs.compare(
        f"trace of one target, {HOPS + 1} hops, command to prompt",
        ("sonde trace", [SONDE, "trace", "11.9.0.1"]),
        [("traceroute -n", ["traceroute", "-n", "11.9.0.1"]),
         ("scamper -i", ["scamper", "-i", "11.9.0.1"])],
        runs=21)


def main():
    if sys.argv[1:] == ["one"]:
        one_trace()
        return 0
    lacks = [t for t in ("fping", "scamper", "traceroute") if not shutil.which(t)]
    if os.geteuid() != 0 or lacks:
        print(f"measure: skipped: needs root and {' '.join(lacks) or 'ip'}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        targets = f"{folder}/targets"
        with open(targets, "w", encoding="ascii") as to:
            for n in range(TARGETS):
                to.write(f"11.9.{n // 250}.{1 + n % 250}\n")
        try:
            build()
            subprocess.run(inside(sys.executable, __file__, "one"),
                           check=True)
            pairs.compare(
                f"ping, {TARGETS} targets, one echo each",
                ("sonde ping", inside(SONDE, "ping", "--json", "--count", "1",
                                      "-f", targets)),
                [("fping -c1 -i 0.01", inside("fping", "-q", "-c1", "-i",
                                              "0.01", "-f", targets)),
                 ("scamper ping -p 10000",
                  inside("scamper", "-p", "10000", "-c", "ping -c 1", "-O",
                         "warts", "-o", f"{folder}/ping.warts", targets))])
            pairs.compare(
                f"trace, {TARGETS} targets, {HOPS + 1} hops, Paris UDP",
                ("sonde trace", inside(SONDE, "trace", "--json", "--attempts",
                                       "1", "-f", targets)),
                [("scamper trace -q 1",
                  inside("scamper", "-p", "10000", "-w", "1000", "-c",
                         "trace -P udp-paris -q 1 -w 1", "-O", "warts", "-o",
                         f"{folder}/trace.warts", targets))])
        finally:
            tear_down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
