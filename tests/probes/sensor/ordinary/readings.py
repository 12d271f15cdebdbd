# SPDX-License-Identifier: ISC
"""The ways in which one capture is read, and what the sensor says of it."""
import json
import os
import struct
import subprocess

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}/bin/sonde")
HOME = "192.0.2.0/24"
BLAME = ("scan", "worm", "flood")
SHORT_SNAP = 68


def frames(path):
    """(record's header, octets) of a little-endian pcap."""
    with open(path, "rb") as file:
        file.seek(24)
        while True:
            record = file.read(16)
            if len(record) < 16:
                return
            caught = struct.unpack("<IIII", record)[2]
            yield record, file.read(caught)


def rewrite(path, to, change):
    """change(number, frame): the frames that stand in its place."""
    with open(to, "wb") as out:
        with open(path, "rb") as file:
            out.write(file.read(24))
        for i, (record, frame) in enumerate(frames(path)):
            for copy in change(i, frame):
                times, wire = record[:8], record[12:]
                out.write(times + struct.pack("<I", len(copy)) + wire + copy)


def cut_start(path, to):
    total = sum(1 for _ in frames(path))
    rewrite(path, to, lambda i, f: [f] if i >= total // 2 else [])


def cut_short(path, to):
    rewrite(path, to, lambda i, f: [f[:SHORT_SNAP]])


def double(path, to):
    rewrite(path, to, lambda i, f: [f, f])


def tag(path, to):
    rewrite(path, to, lambda i, f: [f[:12] + b"\x81\0\0\x64" + f[12:]])


def sensor(*words):
    done = subprocess.run([SONDE, "sensor", "--json", *words], check=False,
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: status {done.returncode}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row for row in rows if "src" in row]


def read_all(path, folder):
    """(name of the reading, rows)."""
    home = ["--home", HOME]
    yield "as it is", sensor("-r", path)
    yield "with the home given", sensor(*home, "-r", path)
    for name, words in (("inwards only", f"dst net {HOME}"),
                        ("outwards only", f"src net {HOME}")):
        yield name, sensor("--filter", words, "-r", path)
        yield name + ", home", sensor(*home, "--filter", words, "-r", path)
    for name, change in (("from the middle", cut_start),
                         ("cut to 68 octets", cut_short),
                         ("doubled", double), ("tagged", tag)):
        other = os.path.join(folder, "other.pcap")
        change(path, other)
        yield name, sensor("-r", other)
        yield name + ", home", sensor(*home, "-r", other)


def describe(row):
    names = ("src", "verdict", "signature", "rule", "odds", "proto", "dport",
             "packets", "targets", "ports", "attempts", "answered", "failed")
    return " ".join(f"{n}={row[n]}" for n in names
                    if row.get(n) is not None)
