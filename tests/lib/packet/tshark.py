#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How many packets each source has, by our decoder and by tshark, which takes
the innermost packet too: in every carrier, in every carrier of every other, on
every link, cut at every length; and in the captures of the archives, if they
are there, where nine of ten have to be the same.  Every frame that
is made here has a source of its own, so it is known which one differs."""
import collections
import itertools
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import carrier_frames as make

BUILD = os.environ.get("O", "build")
DATA = os.environ.get("SONDE_DATA", "../shared/data")
ARCHIVES = ("hostile-pcaps.tar.gz", "suricata-verify-part.tar.gz")
LEAST_EQUAL = 0.9
# What an error, or a cache of routes, quotes was not sent in that frame.
QUOTERS = ("icmp", "icmpv6", "nhrp")
# tshark knows no tag behind Cisco's HDLC.
BLIND_LINKS = {("hdlc", "vlan"), ("ppp-serial", "vlan")}
tests = 0
failed = False


def check(good, name, notes=()):
    global tests, failed
    tests += 1
    failed = failed or not good
    for note in list(notes)[:20]:
        print(f"# {note}")
    print(f"{'ok' if good else 'not ok'} {tests} - {name}", flush=True)


def innermost(line):
    """The source that is behind all carriers, or None."""
    protocols, four, six = (line.split("\t") + ["", ""])[:3]
    layers = protocols.split(":")
    quoter = next((i for i, n in enumerate(layers) if n in QUOTERS),
                  len(layers))
    values = {"ip": four.split("|"), "ipv6": six.split("|")}
    for at in range(quoter - 1, -1, -1):
        of = values.get(layers[at])
        nth = layers[:at].count(layers[at])
        if of and nth < len(of) and of[nth]:
            return of[nth]
    return None


def theirs(path):
    """The source of each frame."""
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E",
               "occurrence=a", "-E", "aggregator=|", "-o",
               "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
               "tcp.desegment_tcp_streams:FALSE", "-d",
               "udp.port==8472,vxlan", "-e", "frame.protocols", "-e",
               "ip.src", "-e", "ipv6.src"]
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=600, check=False)
    return [innermost(line) for line in done.stdout.splitlines()]


def count(sources):
    return dict(collections.Counter(s for s in sources if s))


def ours(path):
    done = subprocess.run([f"{BUILD}/tests/lib/packet/decode-sources", path],
                          capture_output=True, text=True, timeout=120,
                          check=False)
    return {source: int(n) for source, n in
            (line.split() for line in done.stdout.splitlines())}


def dump(path):
    """(ok, source) of each frame."""
    done = subprocess.run([f"{BUILD}/tests/decode-dump", path],
                          capture_output=True, text=True, timeout=120,
                          check=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [(row[0] == "ok", row[3 - 1]) for row in rows]


class Sources:
    """A new one for each frame."""

    def __init__(self):
        self.next = 0
        self.names = {}

    def frame(self, name, six):
        self.next += 1
        high, low = divmod(self.next, 250)
        source = f"2001:db8:1::{self.next:x}" if six else \
            f"10.{high // 250}.{high % 250}.{low + 1}"
        self.names[source] = name
        return make.datagram(source, "2001:db8:2::9" if six
                             else "198.51.100.9")


def compare(path, sources, blind, what):
    """Each source once for us; for tshark too, but of what it is blind to."""
    got, seen = ours(path), count(theirs(path))
    wrong = [f"{sources.names[s]}: we read {got.get(s, 0)}"
             for s in sources.names if got.get(s) != 1]
    wrong += [f"{sources.names[s]}: tshark reads {seen.get(s, 0)}"
              for s in sources.names if seen.get(s) != 1 and
              not blind(sources.names[s])]
    wrong += [f"we read a source {s} of nobody" for s in got
              if s not in sources.names]
    check(not wrong and len(sources.names) > 10,
          f"{what}: {len(sources.names)} frames, each its source", wrong)


def is_blind(name):
    """tshark's GRE knows few types, its 802.1BR and 802.1ah no length."""
    inner, _, outer = name.partition(" in ")
    return (inner in ("vlan", "qinq", "802.1BR", "802.1ah", "pppoe", "trill")
            and outer in ("gre", "gre-checked", "gre-in-6", "gre-sequence")) \
        or (inner == "snap" and outer in ("802.1BR", "802.1ah")) or any(not make.CARRIERS[part][1] for part in name.split(" in ")
               if part in make.CARRIERS)


def carriers_alone_and_nested(folder):
    sources, frames = Sources(), []
    for name, (wrap, _) in make.CARRIERS.items():
        for six in (False, True):
            frame = wrap(sources.frame(name, six))
            if frame is not None:
                frames.append(frame)
            else:
                sources.names.popitem()
    path = f"{folder}/alone.pcap"
    make.write_capture(path, 1, frames)
    compare(path, sources, is_blind, "carriers")

    sources, frames = Sources(), []
    for outer, (wrap, _) in make.CARRIERS.items():
        for inner, (wrap_inner, _) in make.CARRIERS.items():
            for six in (False, True):
                frame = wrap_inner(sources.frame(f"{inner} in {outer}", six))
                frame = wrap(frame) if frame is not None else None
                if frame is not None:
                    frames.append(frame)
                else:
                    sources.names.popitem()
    path = f"{folder}/nested.pcap"
    make.write_capture(path, 1, frames)
    compare(path, sources, is_blind, "carriers in carriers")


def carriers_cut(folder):
    """Where we read a source it is the one that tshark reads; and where tshark
    has the innermost datagram's ports, we read it."""
    frames, about = [], []
    for name, (wrap, known) in make.CARRIERS.items():
        for six in (False, True):
            source = "2001:db8:1::5" if six else "10.0.0.5"
            frame = wrap(Sources().frame(name, six).replace(
                make.address("2001:db8:1::1" if six else "10.0.0.2"),
                make.address(source)))
            if frame is None or not known:
                continue
            for size in range(14, len(frame) + 1):
                frames.append((frame, size))
                about.append((name, source, size, len(frame)))
    path = f"{folder}/cut.pcap"
    make.write_capture(path, 1, frames)
    wrong = []
    for (name, source, size, whole), (ok, got), seen in zip(
            about, dump(path), theirs(path), strict=True):
        ports = size >= whole - len("quiet!") - 4
        if ports and not (ok and got == source):
            wrong.append(f"{name} cut to {size}: {got} is not {source}")
        elif ok and got != seen:
            wrong.append(f"{name} cut to {size}: {got}, tshark {seen}")
    check(not wrong and len(frames) > 3000,
          f"{len(frames)} frames that are cut: never another source", wrong)


def links(folder):
    for name, (link, wrap) in make.LINKS.items():
        sources, frames = Sources(), []
        for carrier in ("", "vlan", "gre", "vxlan", "mpls"):
            for six in (False, True):
                frame = sources.frame(carrier or "plain", six)
                if carrier:
                    frame = make.CARRIERS[carrier][0](frame)
                frame = wrap(frame)
                if frame is not None:
                    frames.append(frame)
                else:
                    sources.names.popitem()
        path = f"{folder}/link-{name}.pcap"
        make.write_capture(path, link, frames)
        got, seen = ours(path), count(theirs(path))
        wrong = [f"{sources.names[s]}: we {got.get(s)}, tshark {seen.get(s)}"
                 for s in sources.names if got.get(s) != 1 or
                 (seen.get(s) != 1 and
                  (name, sources.names[s]) not in BLIND_LINKS)]
        check(not wrong and len(frames) >= 6 and
              set(got) == set(sources.names),
              f"{name}: {len(frames)} frames", wrong)


def captures():
    """(name, link, frames) of each classic capture of the archives."""
    for archive in (os.path.join(DATA, name) for name in ARCHIVES):
        if not os.path.exists(archive):
            continue
        with tarfile.open(archive) as tar:
            for member in tar:
                file = tar.extractfile(member)
                link, frames = make.read_capture(file.read() if file else b"")
                if frames:
                    yield os.path.basename(member.name), link, frames


def archives(folder):
    """All frames of a link in one file, as tshark takes its time to start."""
    by_link = collections.defaultdict(list)
    names = []
    for name, link, frames in captures():
        by_link[link] += [(len(names), frame) for frame in frames]
        names.append(name)
    if not names:
        check(True, f"captures # SKIP no {' or '.join(ARCHIVES)} in {DATA}")
        return
    we, they = ([collections.Counter() for _ in names] for _ in range(2))
    for link, frames in by_link.items():
        path = f"{folder}/archive-{link}.pcap"
        make.write_capture(path, link, [frame for _, frame in frames])
        # A link that one of the two does not know has no sources for it.
        unread = itertools.repeat((False, "-")), itertools.repeat(None)
        for (at, _), (ok, got), seen in zip(
                frames, itertools.chain(dump(path), unread[0]),
                itertools.chain(theirs(path), unread[1])):
            we[at][got if ok else None] += 1
            they[at][seen] += 1
    equal = [i for i in range(len(names)) if we[i] == they[i]]
    spoken = sum(set(they[i]) != {None} for i in equal)
    check(len(equal) >= LEAST_EQUAL * len(names) and spoken >= 220,
          f"{len(equal)} of {len(names)} captures are equal, {spoken} of them "
          "with IP", [f"{n} differs" for i, n in enumerate(names)
                      if we[i] != they[i]])


def main():
    if not shutil.which("tshark"):
        print("1..0 # SKIP no tshark")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        carriers_alone_and_nested(folder)
        carriers_cut(folder)
        links(folder)
        archives(folder)
    print(f"1..{tests}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
