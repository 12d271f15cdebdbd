#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A second opinion on where packets may go.  The tables here were written
from the registries, not from addr-special.c, and the rules from the manual page;
both opinions must agree on every boundary, on random addresses, on every
embedded form, and on a sweep through all of IPv4.

SONDE_EXHAUSTIVE=1 makes the sweep visit all 2^32 addresses (minutes)."""
import ipaddress
import os
import random
import re
import subprocess
import sys
import tempfile

N4, N6 = ipaddress.IPv4Network, ipaddress.IPv6Network
A4, A6 = ipaddress.IPv4Address, ipaddress.IPv6Address

# Unicast that stays within a site or a link.
SITE = [N4(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                        "100.64.0.0/10", "169.254.0.0/16")]
SITE += [N6(n) for n in ("fc00::/7", "fe80::/10", "fec0::/10",
                         "64:ff9b:1::/48")]
# Registered as not globally reachable (or not applicable), for other uses.
USES = [N4(n) for n in ("192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24",
                        "203.0.113.0/24", "198.18.0.0/15", "192.88.99.0/24")]
USES += [N6(n) for n in ("2001::/23", "2001:db8::/32", "3fff::/20",
                         "100::/64", "100:0:0:1::/64", "5f00::/16")]
# Inside those, what the registries call globally reachable, and tunnels.
FINE = [N6(n) for n in (
    "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128",
    "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28")]
GIVEN = [N6("2000::/3"), N6("64:ff9b::/96")]

DENY = [N4("8.8.8.0/24"), N4("9.0.0.0/8"), N4("9.9.9.9/32"),
        N4("11.1.2.3/32"), N6("2620:fe::/48"), N6("2620:fe::9/128")]
POLICY = "deny = {" + ", ".join(f'"{n}"' for n in reversed(DENY)) + "}\n"


def is_in(address, networks):
    value, version = int(address), address.version
    return any(version == n.version and
               not (value ^ int(n.network_address)) >> n.max_prefixlen -
               n.prefixlen for n in networks)


def embedded(a):
    """IPv4 addresses that a tunnel's end or a translator makes of a."""
    value = int(a)
    found = []
    if a.sixtofour:
        found.append(a.sixtofour)
    if a.teredo:
        found += list(a.teredo)
    elif (value >> 32) & 0xfdffffff == 0x5efe:
        found.append(A4(value & 0xffffffff))
    if is_in(a, [N6("64:ff9b:1::/48")]):
        octets = a.packed[6:8] + a.packed[9:]
        found += [e for e in (A4(octets[i:i + 4]) for i in (0, 1, 2, 5))
                  if place(False, e) != "special-purpose"]
    if is_in(a, [N6("64:ff9b::/96"), N6("::ffff:0:0:0/96")]):
        found.append(A4(value & 0xffffffff))
    return found


def place(remote, a):
    if is_in(a, [N4("224.0.0.0/4"), N6("ff00::/8")]):
        return "multicast"
    if a == A4("255.255.255.255"):
        return "broadcast"
    if is_in(a, [N4("0.0.0.0/8"), N4("240.0.0.0/4"), N6("::/128")]):
        return "special-purpose"
    if is_in(a, [N4("127.0.0.0/8"), N6("::1/128")]):
        return "special-purpose" if remote else "allowed"
    if is_in(a, [N6("::/96"), N6("::ffff:0:0/96")]):
        return "embedded-address"
    if is_in(a, SITE) and remote:
        return "private"
    other = is_in(a, USES) and not is_in(a, FINE)
    if a.version == 6 and not is_in(a, GIVEN + SITE):
        other = True
    if other and remote:
        return "special-purpose"
    if remote and is_in(a, DENY):
        return "deny-list"
    return "allowed"


def verdict(remote, a, flags):
    what = place(remote, a)
    if what == "allowed" and a.version == 6 and any(
            place(remote, e) != "allowed" for e in embedded(a)):
        what = "embedded-address"
    if "b" in flags and what != "multicast":
        what = "broadcast"
    if "o" in flags and what == "allowed" and remote:
        what = "own-address"
    return what


def edges(networks, top):
    for n in networks:
        for value in (int(n[0]), int(n[-1])):
            for step in (-1, 0, 1):
                if 0 <= value + step < top:
                    yield value + step


ALL4 = [n for n in SITE + USES + DENY if n.version == 4] + [
    N4("0.0.0.0/8"), N4("127.0.0.0/8"), N4("224.0.0.0/4"),
    N4("240.0.0.0/4"), N4("255.255.255.255/32"), N4("192.31.196.0/24"),
    N4("192.52.193.0/24"), N4("192.175.48.0/24")]
ALL6 = [n for n in SITE + USES + FINE + GIVEN + DENY if n.version == 6] + [
    N6("::/128"), N6("::1/128"), N6("::/96"), N6("::ffff:0:0/96"),
    N6("::ffff:0:0:0/96"), N6("2002::/16"), N6("ff00::/8"),
    N6("2620:4f:8000::/48"), N6("2001:2::/48"), N6("2001:10::/28")]


def wrap(v4, rng):
    """Every IPv6 form that embeds v4."""
    low = rng.getrandbits(64)
    net = int(A6("2400::")) | rng.getrandbits(30) << 64
    yield A6(int(A6("2002::")) | v4 << 80 | low)
    yield A6(int(A6("64:ff9b::")) | v4)
    yield A6(int(A6("64:ff9b:1::")) | rng.getrandbits(48) << 32 | v4)
    for length in (48, 56, 64):  # RFC 6052 section 2.2
        bits = f"{v4:032b}"
        before = bits[:64 - length]
        after = bits[64 - length:].ljust(56, rng.choice("01"))
        tail = "0" * (length - 48) + before + "0" * 8 + after
        yield A6(int(A6("64:ff9b:1::")) | int(tail, 2))
    yield A6(int(A6("::ffff:0:0")) | v4)
    yield A6(int(A6("::ffff:0:0:0")) | v4)
    yield A6(v4)
    yield A6(net | 0x5efe << 32 | v4)
    yield A6(net | 0x02005efe << 32 | v4)
    good = int(A4("11.0.0.1"))
    yield A6(0x20010000 << 96 | v4 << 64 | good ^ 0xffffffff)
    yield A6(0x20010000 << 96 | good << 64 | rng.getrandbits(32) << 32 |
             v4 ^ 0xffffffff)


def questions():
    rng = random.Random(6890)
    edges4 = sorted(set(edges(ALL4, 1 << 32)))
    addresses = [A4(a) for a in edges4]
    addresses += [A6(a) for a in edges(ALL6, 1 << 128)]
    addresses += [w for a in edges4 for w in wrap(a, rng)]
    addresses += [A4(rng.getrandbits(32)) for _ in range(6000)]
    addresses += [A6(rng.getrandbits(128)) for _ in range(2000)]
    for n in ALL6:
        addresses += [A6(int(n[0]) | rng.getrandbits(128 - n.prefixlen or 1))
                      for _ in range(30) if n.prefixlen < 128]
    for _ in range(200):
        addresses += wrap(rng.getrandbits(32), rng)
    for a in addresses:
        for remote in (False, True):
            yield remote, a, "-"
    for a in addresses[:len(edges4) * 3]:
        for remote in (False, True):
            for flags in ("o", "b", "ob"):
                yield remote, a, flags


def runs(remote, step):
    """The verdict on every step-th IPv4 address, as runs."""
    points = {0}
    for n in ALL4:
        points |= {int(n[0]), int(n[-1]) + 1}
    last = None
    for p in sorted(points):
        p = -(-p // step) * step  # the first that the sweep visits
        if p >= 1 << 32:
            break
        now = verdict(remote, A4(p), "")
        if now != last:
            yield f"{p} {now}"
        last = now


def undocumented():
    """Keys and defaults of the code that the manual page does not give."""
    root = os.path.join(os.path.dirname(__file__), "../../..")
    with open(os.path.join(root, "man/sonde-policy.5")) as f:
        given = dict(
            re.match(r" *(\S+) (.*)", words).groups()
            for line in f if line.startswith('.\\" defaults')
            for words in line[len('.\\" defaults '):].split(","))
    with open(os.path.join(root, "probes/policy/policy-file.c")) as f:
        code = re.findall(
            r'(NUMBER|FLAG)\(\s*"([a-z-]+)",([^)]*)\)', f.read())
    wrong = [] if len(code) == len(given) else [f"{len(code)} keys"]
    for _, key, rest in code:
        want = " ".join(word.strip() for word in rest.split(",")[-2:])
        if given.get(key) != want:
            wrong.append(f"{key}: {given.get(key)}, not {want}")
    return wrong


class Tap:
    count = failed = 0

    def check(self, what, wrong):
        self.count += 1
        self.failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {self.count} - {what}")
        for line in wrong[:5]:
            print(f"# {line}")


def main():
    tap = Tap()
    tool = os.path.join(os.environ.get("O", "build"),
                        "tests/probes/policy-print")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write(POLICY)
        f.flush()
        asked = list(questions())
        text = "".join(f"{'remote' if r else 'local'} {a} {flags}\n"
                       for r, a, flags in asked)
        said = subprocess.run([tool, f.name], input=text, check=True,
                              capture_output=True, text=True).stdout.split()
        want = [verdict(*q) for q in asked]
        tap.check(f"both opinions agree on {len(asked)} questions",
                  [f"{q}: {s}, expected {w}"
                   for q, s, w in zip(asked, said, want) if s != w] +
                  ([] if len(said) == len(asked) else ["answers missing"]))
        kinds = set(want)
        tap.check("every kind of verdict was among them",
                  [] if len(kinds) == 8 else [sorted(kinds)])
        step = 1 if os.environ.get("SONDE_EXHAUSTIVE") else 256
        for who in ("local", "remote"):
            out = subprocess.run([tool, f.name, who, str(step)], check=True,
                                 capture_output=True, text=True).stdout
            agreed = [*runs(who == "remote", step), "end"]
            tap.check(f"a sweep of IPv4 in steps of {step} agrees, {who}",
                      [f"{g} / {w}" for g, w in
                       zip(out.splitlines() + ["end"], agreed) if g != w])
    tap.check("the manual page gives every key and its defaults",
              undocumented())
    print(f"1..{tap.count}")
    sys.exit(tap.failed != 0)


main()
