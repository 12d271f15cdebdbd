#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How exact and how fast the guardian is, over a veth whose two ends are
captured by one clock: gaps of trains against a clock_nanosleep loop, the same
beside other scripts of one guardian, round trips against captures, sweeps
against a bare loop; and simulated internets in probes a second."""
import ctypes
import os
import random
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import pairs

BUILD = os.environ.get("O", "build")
SONDE = os.path.abspath(f"{BUILD}/bin/sonde")
BARE = os.path.abspath(f"{BUILD}/bench/bare-sweep")
SHARED = os.path.abspath(f"{BUILD}/bench/shared-guardian")
LOOP = os.path.abspath(f"{BUILD}/bench/gap-loop")
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")
TAG = f"stime{os.getpid()}"
HERE, THERE = f"{TAG}-0", f"{TAG}-1"
PAIRS = 5
POLICY = "".join(f"local-{what} = 1000000\n" for what in (
    "run-rate", "run-burst", "prefix-rate", "prefix-burst", "agent-rate",
    "agent-burst"))


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True,
                          text=True).stdout


def build():
    """Two namespaces and a veth; the far end has an address and no routes."""
    for node in (HERE, THERE):
        ip("netns", "add", node)
        ip("-n", node, "link", "set", "lo", "up")
    ip("link", "add", "v0", "netns", HERE, "type", "veth", "peer", "name",
       "v1", "netns", THERE)
    ip("-n", HERE, "addr", "add", "11.8.0.1/30", "dev", "v0")
    ip("-n", THERE, "addr", "add", "11.8.0.2/30", "dev", "v1")
    ip("-n", HERE, "link", "set", "v0", "up")
    ip("-n", THERE, "link", "set", "v1", "up")
    mac = re.search(r"link/ether (\S+)",
                    ip("-n", THERE, "link", "show", "v1")).group(1)
    ip("-n", HERE, "neigh", "replace", "11.8.0.2", "lladdr", mac, "dev", "v0",
       "nud", "permanent")
    ip("-n", HERE, "route", "add", "11.16.0.0/12", "via", "11.8.0.2")
    for n in range(3):      # these answer
        ip("-n", THERE, "addr", "add", f"11.24.{n}.1/32", "dev", "lo")
    return mac


def tear_down():
    for node in (HERE, THERE):
        subprocess.run(["ip", "netns", "del", node], check=False,
                       stderr=subprocess.DEVNULL)


def inside(*command, node=HERE):
    return ["ip", "netns", "exec", node, *command]


def script(name, *words):
    return [SONDE, "run", f"{SCRIPTS}/{name}.lua", *words]


class Capture:
    """tcpdump on one end; times in nanoseconds with the packets' octets."""

    def __init__(self, node, device, folder, what):
        self.path = f"{folder}/{device}.pcap"
        self.child = subprocess.Popen(
            inside("tcpdump", "-i", device, "-w", self.path, "-B", "8192",
                   "--time-stamp-precision=nano", what, node=node),
            stderr=subprocess.PIPE, text=True)
        while "listening" not in self.child.stderr.readline():
            if self.child.poll() is not None:
                raise RuntimeError("tcpdump did not start")

    def packets(self):
        time.sleep(1.2)     # its buffer is read once a second
        self.child.terminate()
        self.child.wait()
        with open(self.path, "rb") as file:
            data = file.read()
        at, found = 24, []
        while at + 16 <= len(data):
            s, ns, caplen, _ = struct.unpack_from("<IIII", data, at)
            found.append((s * 10**9 + ns, data[at + 16 + 14:at + 16 + caplen]))
            at += 16 + caplen
        return found


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def gap_errors(command, gap_us, folder):
    """How far each gap at the far end is from the one that was asked for."""
    capture = Capture(THERE, "v1", folder, "udp dst port 33434")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    times = [t for t, _ in capture.packets()]
    return [abs(b - a - gap_us * 1000) for a, b in zip(times, times[1:])]


def train(gap_us, count, folder):
    return gap_errors(inside(*script("train", "--count", str(count), "--gap",
                                     f"{gap_us}us", "11.8.0.2")),
                      gap_us, folder)


def loop(gap_us, count, folder):
    return gap_errors(inside(LOOP, "11.8.0.2", "33434", str(gap_us),
                             str(count)), gap_us, folder)


def compare_gaps(folder):
    print(f"\ngaps of a train, error at the far end in us  ({PAIRS} pairs, "
          "medians)")
    print(f"  {'gap us':>8}{'train p50':>12}{'loop p50':>10}{'ratio':>8}"
          f"{'train p99':>12}{'loop p99':>10}{'ratio':>8}")
    for gap_us in (100, 300, 1000, 3000, 10000):
        count = 300 if gap_us < 10000 else 100
        rows = []
        for _ in range(PAIRS):
            a, b = train(gap_us, count, folder), loop(gap_us, count, folder)
            rows.append([quantile(v, p) / 1000 for p in (.5, .99)
                         for v in (a, b)])
        t50, l50, t99, l99 = (statistics.median(r[i] for r in rows)
                              for i in range(4))
        r50, r99 = (statistics.median(r[i] / r[i + 1] for r in rows)
                    for i in (0, 2))
        print(f"  {gap_us:8}{t50:12.1f}{l50:10.1f}{r50:8.2f}{t99:12.1f}"
              f"{l99:10.1f}{r99:8.2f}")


def train_beside(policy, folder, others):
    """The errors of a train of 500 at 1 ms beside other runs of the same
    guardian, each a list of words."""
    command = [SHARED, policy, f"{SCRIPTS}/train.lua", "--count", "500",
               "--gap", "1ms", "11.8.0.2"]
    for other in others:
        command += ["--", f"{SCRIPTS}/{other[0]}.lua", *other[1:]]
    return gap_errors(inside(*command), 1000, folder)


def compare_isolation(folder):
    """Of each round: quiet, quiet again, six that compute, and three that
    compute with three that send as fast as they may."""
    policy = f"{folder}/default-policy"
    with open(policy, "w", encoding="ascii"):
        pass
    ways = {"quiet": [], "quiet again": [],
            "six that compute": [["busy"]] * 6,
            "three compute, three send":
            [["busy"]] * 3 + [["flood", f"11.24.{n}.1"] for n in range(3)]}
    errors = {name: [] for name in ways}
    for _ in range(10):
        for name, others in ways.items():
            errors[name].append(train_beside(policy, folder, others))
    p99 = {name: [quantile(e, .99) / 1000 for e in runs]
           for name, runs in errors.items()}
    ratios = {name: [b / a for a, b in zip(p99["quiet"], values)]
              for name, values in p99.items()}
    spread = statistics.median(max(r, 1 / r) for r in ratios["quiet again"])
    print("\np99 of a train's errors, gap 1 ms, one guardian  (10 rounds)")
    print(f"  {'':28}{'p50 us':>8}{'p90 us':>8}{'p99 us':>8}"
          f"{'ratio to quiet: median':>25}{'least..most':>16}")
    for name, runs in errors.items():
        pooled = sum(runs, [])
        print(f"  {name:28}" + "".join(
            f"{quantile(pooled, q) / 1000:8.1f}" for q in (.5, .9, .99)) +
            f"{statistics.median(ratios[name]):25.2f}"
            f"{min(ratios[name]):8.2f}..{max(ratios[name]):.2f}")
    for name in list(ways)[2:]:
        beyond = statistics.median(ratios[name]) - spread
        print(f"  {name}: change less the quiet pairs' median spread "
              f"({spread:.2f}): {beyond:+.2f}, "
              f"{'holds' if beyond < .1 else 'does not hold'} (bar +0.10)")


def compare_rtts(folder):
    """RTT minus what the captures saw: the way there, the peer, the way back."""
    rows = []
    for _ in range(PAIRS):
        near = Capture(HERE, "v0", folder, "icmp")
        far = Capture(THERE, "v1", folder, "icmp")
        text = subprocess.run(
            inside(SONDE, "ping", "--json", "--count", "200", "--interval",
                   "2ms", "11.8.0.2"), check=True, capture_output=True,
            text=True).stdout
        sums = {}       # by sequence number: t1 - t0 + t2 - t1 + t3 - t2
        for capture, sign in ((near, 1), (far, 0)):
            for at, octets in capture.packets():
                key = octets[26:28]
                entry = sums.setdefault(key, {})
                entry[(sign, octets[20])] = at
        for number, rtt in enumerate(re.findall(r'"rtt_ns":(\d+)', text), 1):
            t = sums.get(struct.pack(">H", number), {})
            if len(t) == 4:
                way = ((t[0, 8] - t[1, 8]) + (t[0, 0] - t[0, 8]) +
                       (t[1, 0] - t[0, 0]))
                rows.append((int(rtt) - way) / 1000)
    print("\nround trips against captures at both ends")
    print(f"  {len(rows)} echoes: RTT minus both ways and the peer's "
          f"turnaround: median {statistics.median(rows):.2f} us (bar 2), p1 "
          f"{quantile(rows, .01):.2f}, p99 {quantile(rows, .99):.2f}")


def compare_sweeps(mac, policy):
    count = "1000000"
    pairs.compare(
        f"sweep, {count} addresses to a veth whose peer drops, one core",
        ("sonde.sweep", inside("taskset", "-c", "1", *script(
            "sweep", "--count", count, "--wait", "1ms", "--policy", policy,
            "11.16.0.0"))),
        # In the guardian's class, or on a busy machine it would only wait.
        [("bare sendmmsg, bypass", inside(
            "chrt", "-f", "1", "taskset", "-c", "1", BARE, "v0", mac,
            count))])


# Script, probes, what the world says of nobody's addresses, what must come of
# it.
SIMULATED = (
    ("probes", 100000, "", "100000 sent 100000 answers"),
    ("sweep", 100000, "", "100000 sent 100000 answers 0 others"),
    ("sweep", 1000000, "silent", "1000000 sent 100000 answers 0 others"),
    ("sweep", 1000000, "", "1000000 sent 100000 answers 900000 others"),
)


def simulate(folder, policy):
    """The first 100,000 addresses are a router each; behind them is nobody, of
    which the first router speaks or not."""
    ctypes.CDLL(None).prctl(pairs.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def command(name, count, silent, *words):
        world = f"{folder}/mesh{silent}.sim"
        with open(world, "w", encoding="ascii") as to:
            to.write("vantage v 192.0.2.1/24\n"
                     f"router top 198.51.100.1 {silent}\nlink v top\n"
                     "generate mesh core at top count 100000 degree 2 "
                     "addresses 10.0.0.0/8 delay 1ms..20ms\n")
        return script(name, "--count", str(count), *words, "--net",
                      f"sim:{world}", "--policy", policy, "10.0.0.1")

    def figures(*words):
        runs = [pairs.run_once(command(*words)) for _ in range(PAIRS)]
        return [statistics.median(r[i] for r in runs) for i in range(2)]
    empty = figures("probes", 1, "")
    print(f"\nsimulated internet of 100,000 routers  (medians of {PAIRS}; "
          f"{empty[0]:.2f} s to load it are taken off)")
    print(f"  {'':44}{'probes/s':>10}{'CPU us a probe':>16}")
    for name, count, silent, expected in SIMULATED:
        said = subprocess.run(command(name, count, silent), check=True,
                              capture_output=True, text=True).stderr
        if expected not in said:
            raise RuntimeError(f"{name}: expected '{expected}', got '{said}'")
        wall, cpu = figures(name, count, silent)
        others = "" if count == 100000 else \
            ", others silent" if silent else ", others refused"
        title = (f"{count:,} by {'sweep' if name == 'sweep' else 'script'}, "
                 f"100,000 answer{others}")
        print(f"  {title:44}{count / (wall - empty[0]):10.0f}"
              f"{(cpu - empty[1]) / count * 1e6:16.2f}")
    print("  to one address, us a probe:")
    for count in (10000, 20000, 100000):
        wall = figures("probes", count, "", "--one")[0]
        print(f"    {count:8} probes{(wall - empty[0]) / count * 1e6:10.1f}")


def main():
    lacks = [t for t in ("tcpdump", "taskset") if not shutil.which(t)]
    if os.geteuid() != 0 or lacks:
        print(f"timing: skipped: needs root and {' '.join(lacks) or 'ip'}")
        return 0
    random.seed(1)
    only = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        policy = f"{folder}/policy"
        with open(policy, "w", encoding="ascii") as to:
            to.write(POLICY)
        try:
            mac = build()
            for name, part in (
                    ("gaps", lambda: compare_gaps(folder)),
                    ("isolation", lambda: compare_isolation(folder)),
                    ("rtt", lambda: compare_rtts(folder)),
                    ("sweep", lambda: compare_sweeps(mac, policy)),
                    ("sim", lambda: simulate(folder, policy))):
                if not only or name in only:
                    part()
                    sys.stdout.flush()
        finally:
            tear_down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
