#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`sonde sensor -r` over every form a capture file has: formats, byte orders,
resolutions and packings, several files, files that grow and are rotated,
filters, times that cannot be, intervals in the capture's own time; and broken
files, whose errors say where."""
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import sensor_packets as make

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}/bin/sonde")
PATIENCE_S = 120
START = 1700000000
count = failed = 0


def check(what, ok, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}")
    if not ok:
        failed += 1
        print(f"# {detail}")


def rows_of(text):
    lines = [json.loads(line) for line in text.splitlines()]
    return ([line for line in lines if "src" in line],
            [line["summary"] for line in lines if "summary" in line])


def read(*arguments, **more):
    done = subprocess.run([SONDE, "sensor", "--json", *arguments],
                          capture_output=True, timeout=PATIENCE_S,
                          check=False, **more)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    found, summaries = rows_of(done.stdout)
    return found, summaries, done


def packets_of(found):
    return sum(f["packets"] for f in found)


def seen(found):
    """What does not hang on the sensor's secret key."""
    return sorted((f["src"], f["packets"], f["first"], f["last"])
                  for f in found)


def worm(n=1):
    return make.mirai(f"203.0.113.{n}", "198.51.100.7")


def write(path, *parts):
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)
    return path


# ---- pcap, made from its parts

def header(order="<", magic=0xa1b2c3d4, link=1, snaplen=65535, minor=4):
    return struct.pack(order + "IHHiIII", magic, 2, minor, 0, 0, snaplen, link)


def record(data, at=START, part=0, order="<", more=b"", lengths=None):
    one, other = lengths or (len(data), len(data))
    return struct.pack(order + "IIII", at, part, one, other) + more + data


def ethernet(n=1):
    return make.frame("ethernet", worm(n))


# ---- pcapng, made from its parts

def block(kind, body, order="<", end=None):
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + \
        struct.pack(order + "I", size if end is None else end)


def option(code, data, order="<"):
    return struct.pack(order + "HH", code, len(data)) + data + \
        b"\0" * (-len(data) % 4)


def section(order="<", version=1):
    return block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, version,
                                         0, -1), order)


def interface(link=1, snaplen=0, options=b"", order="<"):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options,
                 order)


def enhanced(data, ticks, index=0, order="<", caplen=None):
    return block(6, struct.pack(
        order + "IIIII", index, ticks >> 32, ticks & 0xffffffff,
        len(data) if caplen is None else caplen, len(data)) + data, order)


def obsolete(data, ticks, index=0, order="<"):
    return block(2, struct.pack(order + "HHIIII", index, 0, ticks >> 32,
                                ticks & 0xffffffff, len(data), len(data)) +
                 data, order)


def simple(data, order="<"):
    return block(3, struct.pack(order + "I", len(data)) + data, order)


def first_of(found):
    return [f["first"] for f in found]


def test_pcap(folder):
    path = f"{folder}/a.pcap"
    when = "2023-11-14T22:13:20.000123"
    for name, data in (
            ("microseconds", header() + record(ethernet(), part=123)),
            ("nanoseconds", header(magic=0xa1b23c4d) +
             record(ethernet(), part=123000)),
            ("the other byte order", header(">") +
             record(ethernet(), part=123, order=">")),
            ("Kuznetzov's longer frame headers", header(magic=0xa1b2cd34) +
             record(ethernet(), part=123, more=b"\7" * 8)),
            ("a snaplen that is too small", header(snaplen=20) +
             record(ethernet(), part=123)),
            ("no snaplen at all", header(snaplen=0) +
             record(ethernet(), part=123)),
            ("lengths the other way round, as before 2.3",
             header(minor=2) + record(ethernet()[:54], part=123,
                                      lengths=(60, 54))),
            ("a link type with the length of a checksum",
             header(link=0x94000001) + record(ethernet() + b"\1" * 4,
                                              part=123))):
        found, _, done = read("-r", write(path, data))
        check(f"pcap with {name}", done.returncode == 0 and
              [f["signature"] for f in found] == ["mirai"] and
              found[0]["first"].startswith(when), (found, done.stderr))
    good = header() + record(ethernet()) * 3
    where = len(good)
    for name, data, words in (
            ("a frame's length that lies",
             record(b"", lengths=(1 << 30, 60)), "frame 4"),
            ("a frame that is cut", record(ethernet())[:-7], "in the middle"),
            ("a frame's header that is cut", b"\1" * 9, "in the middle")):
        found, summaries, done = read("-r", write(path, good, data))
        check(f"{name} is an error that says where, the rest is counted",
              done.returncode == 74 and f"at octet {where}" in done.stderr and
              words in done.stderr and summaries[0]["packets"] == 3 and
              packets_of(found) == 3, done.stderr)
    _, _, done = read("-r", write(path, header(minor=9)))
    check("a version that is not known is named", done.returncode == 74 and
          "2.9" in done.stderr, done.stderr)


def test_pcapng(folder):
    path = f"{folder}/a.pcapng"
    micro = START * 10**6
    parts, sources = [], 0
    for order in "<>":
        parts.append(section(order))
        for link, options, ticks in (
                (1, b"", micro),
                (101, option(9, b"\x09", order), START * 10**9),
                (113, option(9, b"\x03", order), START * 1000),
                (276, option(9, b"\x94", order), START << 20),
                (0, option(9, b"\x8a", order) +
                 option(14, struct.pack(order + "q", START - 7), order),
                 7 << 10)):
            parts.append(interface(link, 128, options, order))
            name = {1: "ethernet", 101: "raw", 113: "sll", 276: "sll2",
                    0: "null"}[link]
            sources += 1
            data = make.frame(name, worm(sources))
            index = (sources - 1) % 5
            parts.append(block(0x0bad, b"\1\2\3" * 50000, order))
            parts.append(enhanced(data, ticks, index, order))
            parts.append(obsolete(data, ticks, index, order))
        parts.append(simple(make.frame("ethernet", worm(99)), order))
    parts.append(block(5, struct.pack(">III", 0, 0, 0) +
                       option(5, struct.pack(">Q", 30), ">") +
                       option(7, struct.pack(">Q", 12), ">"), ">"))
    found, summaries, done = read("-r", write(path, *parts))
    check("pcapng: sections of both byte orders, interfaces with link types "
          "and resolutions of their own, all kinds of packet blocks",
          done.returncode == 0 and len(found) == 11 and
          packets_of(found) == 22 and
          set(first_of(found)) == {"2023-11-14T22:13:20.000000000Z"},
          (first_of(found), done.stderr))
    check("what its statistics say was dropped is dropped",
          summaries[0]["dropped"] == 42, summaries)
    head = section() + interface() + enhanced(ethernet(), micro)
    bad = block(6, struct.pack("<IIIII", 0, 0, 0, 9000, 9000) + b"\0" * 60)
    for name, data, words in (
            ("a frame longer than its block", bad, "beyond it"),
            ("two lengths that differ", block(6, bad[8:-4], end=16),
             "another one"),
            ("no multiple of four", struct.pack("<II", 6, 33), "multiple"),
            ("an interface that is not there",
             enhanced(ethernet(), micro, 7), "interface"),
            ("an option beyond its end", interface(
                options=struct.pack("<HH", 9, 400)), "option"),
            ("a resolution of 10^-20", interface(options=option(9, b"\x14")),
             "resolution"),
            ("a section of another version", section(version=3), "3.0"),
            ("a section without a byte order",
             block(0x0a0d0d0a, b"\7" * 16), "byte order"),
            ("an unknown block that does not end",
             struct.pack("<II", 0xbad, 4000) + b"\0" * 400, "missing")):
        found, summaries, done = read("-r", write(path, head, data))
        check(f"pcapng: {name}: an error that says where, what was before "
              "is counted", done.returncode == 74 and
              (f"at octet {len(head)}" in done.stderr or
               words == "missing") and words in done.stderr and
              packets_of(found) == 1, done.stderr)
    mixed = section() + interface(147) + interface(1) + \
        enhanced(b"\1" * 40, micro) + enhanced(ethernet(), micro, 1)
    found, summaries, done = read("-r", write(path, mixed))
    check("frames of a link type that is not known are counted beside others",
          done.returncode == 0 and packets_of(found) == 1 and
          summaries[0]["packets"] == 2 and summaries[0]["not_ip"] == 1,
          (summaries, done.stderr))
    only = section() + interface(147) + enhanced(b"\1" * 40, micro)
    found, summaries, done = read("-r", write(path, only))
    check("and when there are no others that is an error",
          done.returncode == 74 and "147" in done.stderr, done.stderr)


def test_packings(folder):
    plain = header() + b"".join(record(ethernet(n % 200 + 1), START + n)
                                for n in range(4000))
    path = write(f"{folder}/plain.pcap", plain)
    want = seen(read("-r", path)[0])
    forms = {"gzip": gzip.compress(plain),
             "two gzip members and a tape's padding":
                 gzip.compress(plain[:9999]) + gzip.compress(plain[9999:]) +
                 b"\0" * 300}
    if shutil.which("zstd"):
        forms["zstd"] = subprocess.run(
            ["zstd", "-q", "-c", path], capture_output=True,
            check=True).stdout
    for name, data in forms.items():
        packed = write(f"{folder}/no-such-name", data)
        found, _, done = read("-r", packed)
        check(f"{name} is read as it is, whatever its name",
              done.returncode == 0 and seen(found) == want, done.stderr)
        with open(packed, "rb") as file:
            found, _, done = read("-r", "-", stdin=file)
        same = seen(found) == want
        found, _, done = read("-r", "-", input=data)
        check(f"{name} from standard input, a file and a pipe",
              same and seen(found) == want and done.returncode == 0, done.stderr)
        found, _, done = read("-r", write(packed, data[:len(data) // 2]))
        check(f"half of {name} gives half and an error that says where",
              done.returncode == 74 and "octet" in done.stderr and
              packets_of(found) < 4000, done.stderr)
    spoiled = bytearray(forms["gzip"])
    spoiled[len(spoiled) // 2] ^= 255
    _, _, done = read("-r", write(packed, spoiled))
    check("a spoiled gzip stream is an error", done.returncode == 74 and
          len(done.stderr.splitlines()) == 1, done.stderr)
    for magic, name in ((b"\xfd7zXZ\0", "xz"), (b"BZh9", "bzip2"),
                        (b"\x04\x22\x4d\x18", "lz4")):
        _, _, done = read("-r", write(packed, magic, plain))
        check(f"what {name} has packed is named", done.returncode == 74 and
              name in done.stderr, done.stderr)
    bomb = write(f"{folder}/bomb", gzip.compress(
        header() + record(b"", START) * 4000000, 9))
    done = subprocess.run(
        [sys.executable, "-c", "import resource, subprocess, sys\n"
         "d = subprocess.run(sys.argv[1:], capture_output=True)\n"
         "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,"
         "d.stdout.decode().count('\"packets\":4000000'))",
         SONDE, "sensor", "--json", "-r", bomb], capture_output=True,
        timeout=PATIENCE_S, check=False)
    kib, counted = map(int, done.stdout.split())
    check(f"64 MB from {os.path.getsize(bomb) >> 10} KiB stay in bounded "
          "memory", counted == 1 and kib < 65536, done)


def test_several(folder):
    paths = []
    for start, name in ((0, "b"), (1, "a"), (0.5, "c")):
        paths += ["-r", make.pcap(f"{folder}/{name}.pcap",
                                  [worm(n + 1) for n in range(40)],
                                  start=START + start, step=2.0)]
    found, summaries, done = read(*paths, "--every", "2s")
    check("several files are merged in time order",
          done.returncode == 0 and packets_of(found) == 120 and
          [s["packets"] for s in summaries] == [3] * 40, summaries)
    later = make.pcap(f"{folder}/later.pcap", [worm(7)], start=START + 5000)
    early = make.pcap(f"{folder}/early.pcap", [worm(7)], start=START - 5000)
    found, summaries, _ = read("-r", later, *paths, "-r", early, "--every",
                               "1h")
    check("whatever order they are named in",
          [s["packets"] for s in summaries] == [1, 120, 1], summaries)
    torn = write(f"{folder}/torn.pcap", header(), record(ethernet(), START),
                 b"\1\2\3")
    found, summaries, done = read("-r", torn, *paths)
    check("one that is broken is named, and the others are read",
          done.returncode == 74 and "torn.pcap" in done.stderr and
          summaries[0]["packets"] == 121, (summaries, done.stderr))
    with open(later, "rb") as file:
        found, summaries, done = read("-r", "-", *paths, stdin=file)
    check("standard input may be one of them",
          summaries[0]["packets"] == 121 and done.returncode == 0, summaries)
    with open(later, "rb") as file:
        found, summaries, done = read("-r", "-", *paths,
                                      input=file.read())
    check("also when it is a pipe",
          summaries[0]["packets"] == 121 and done.returncode == 0, summaries)
    many = []
    for n in range(200):
        many += ["-r", make.pcap(f"{folder}/m{n}.pcap", [worm(n % 9 + 1)] * 2,
                                 start=START + n * 60)]
    _, summaries, done = read(*many)
    check("a capture rotated 200 times is read at once",
          done.returncode == 0 and summaries[0]["packets"] == 400,
          (summaries, done.stderr))
    codes = [read("-r", "-", "-r", "-", stdin=subprocess.DEVNULL),
             read("-r", "-", "--follow", stdin=subprocess.DEVNULL),
             read("-i", "lo", "--follow")]
    check("what has no meaning is a usage error",
          [done.returncode for _, _, done in codes] == [2, 2, 2],
          [done.stderr for _, _, done in codes])


def test_times(folder):
    path = f"{folder}/t.pcap"
    near = [make.tcp("203.0.113.5", "198.51.100.7", 80, ident=n)
            for n in range(20)]
    for name, wrong in (("of 1970 before all", (0, -START)),
                        ("of 2106 before all", (0, 2500000000)),
                        ("of 1970 in the middle", (10, -START)),
                        ("of 2106 in the middle", (10, 2500000000)),
                        ("of 2106 behind all", (19, 2500000000)),
                        ("of 1970 behind all", (19, -START))):
        packets = list(enumerate(near))
        packets[wrong[0]] = (wrong[1], near[wrong[0]])
        make.pcap(path, packets)
        found, summaries, _ = read("-r", path)
        ends = found[0]["first"][:4] + found[0]["last"][:4]
        _, hours, _ = read("-r", path, "--every", "1h")
        check(f"one time {name} spoils nothing and is counted",
              summaries[0]["wrong_times"] == 1 and ends == "20232023" and
              len(hours) == 1 and hours[0]["packets"] == 20,
              (summaries, ends, len(hours)))
    for name, after in (("a gap of 40 days", [0, 1, 40 * 86400, 40 * 86400 + 1]),
                        ("a packet every two days",
                         [n * 172800 for n in range(9)]),
                        ("a clock that is set back for good",
                         [0, 1, -864000, -863999])):
        make.pcap(path, list(zip(after, near)))
        _, summaries, _ = read("-r", path)
        check(f"{name} is no wrong time", summaries[0]["wrong_times"] == 0,
              summaries)
    make.pcap(path, near, start=2**31)
    found, _, _ = read("-r", path)
    check("2038 is a year", found[0]["first"].startswith("2038-01-19"), found)


def test_intervals(folder):
    path = make.pcap(f"{folder}/i.pcap", [worm(n % 200 + 1)
                                          for n in range(240)],
                     start=1700006400, step=60.0)
    _, summaries, _ = read("-r", path, "--every", "1h")
    check("--every counts the capture's time",
          [s["packets"] for s in summaries] == [60] * 4 and
          [s["since"][11:19] for s in summaries] ==
          ["00:00:00", "01:00:00", "02:00:00", "03:00:00"] and
          [s["until"][11:19] for s in summaries] ==
          ["01:00:00", "02:00:00", "03:00:00", "04:00:00"], summaries)
    _, summaries, _ = read("-r", path, "--for", "30m")
    check("and so does --for", [s["packets"] for s in summaries] == [30],
          summaries)
    _, summaries, _ = read("-r", path, "--for", "90m", "--every", "1h")
    check("and both", [s["packets"] for s in summaries] == [60, 30],
          summaries)
    _, summaries, done = read("-r", path, "--every", "1h", "--fail-on",
                              "worm")
    check("--fail-on knows all intervals", done.returncode == 1, done)
    _, summaries, _ = read("-r", path)
    check("without, a summary is about the time of the packets",
          summaries[0]["since"] == "2023-11-15T00:00:00.000000000Z" and
          summaries[0]["until"] == "2023-11-15T03:59:00.000000000Z",
          summaries)
    empty = write(f"{folder}/empty.pcap", header())
    _, summaries, done = read("-r", empty, "--every", "1h")
    check("a capture without packets has one summary",
          [s["packets"] for s in summaries] == [0] and done.returncode == 0,
          summaries)


def test_filters(folder):
    other = make.udp("192.0.2.9", "198.51.100.7", 53, b"x")
    for link in ("vlan", "qinq", "ethernet", "sll2"):
        path = make.pcap(f"{folder}/f.pcap", [worm(), other], link)
        got = [read("-r", path, "--filter", expression)[1][0]["packets"]
               for expression in ("net 203.0.113.0/24", "not port 53",
                                  "udp port 53 or tcp port 23", "port 99")]
        check(f"filters see what {link} carries", got == [1, 1, 2, 0], got)
    tag = b"\0\x64\x08\0"
    cooked = make.frame("sll", worm())[:14] + b"\x81\0" + tag + worm()
    path = write(f"{folder}/f.pcap", header(link=113) + record(cooked))
    _, summaries, _ = read("-r", path, "--filter", "tcp port 23")
    check("tags in cooked frames hide nothing", summaries[0]["packets"] == 1,
          summaries)
    second = make.frame("sll2", worm())
    cooked = b"\x81\0" + second[2:20] + tag + worm()
    path = write(f"{folder}/f.pcap", header(link=276) + record(cooked))
    _, summaries, _ = read("-r", path, "--filter", "tcp port 23")
    check("of the second version either", summaries[0]["packets"] == 1,
          summaries)
    path = make.pcap(f"{folder}/f.pcap", [worm(), other], "vlan")
    got = [read("-r", path, "--filter", expression)[1][0]["packets"]
           for expression in ("vlan 100 and port 53", "vlan 7", "vlan")]
    check("an expression that names tags sees them", got == [1, 0, 2], got)
    _, summaries, _ = read("-r", path, "--filter", "port 99")
    check("a filter that lets nothing pass is said",
          summaries[0]["filtered"] == 2 and
          summaries[0]["warnings"][0].startswith("the filter let none of 2"),
          summaries)
    mixed = section() + interface(1) + interface(101) + \
        enhanced(make.frame("ethernet", worm()), START * 10**6) + \
        enhanced(worm(2), START * 10**6, 1) + \
        enhanced(other, START * 10**6, 1)
    path = write(f"{folder}/f.pcapng", mixed)
    found, summaries, _ = read("-r", path, "--filter", "tcp")
    check("each link type has its program", summaries[0]["packets"] == 2 and
          len(found) == 2, summaries)
    _, _, done = read("-r", path, "--filter", "ether host 2:0:0:0:0:2")
    check("a filter without meaning for a link type is refused and both named",
          done.returncode == 2 and "RAW" in done.stderr, done.stderr)


def test_warnings(folder):
    path = make.pcap(f"{folder}/w.pcap", [worm(n + 1) for n in range(98)] +
                     [worm(), make.frame("ethernet", worm())[:9]])
    few = read("-r", path)[1][0]["warnings"]
    path = make.pcap(f"{folder}/w.pcap", [worm(n + 1) for n in range(90)] +
                     [b"\x45\0\0"] * 7 + [b"\x60"] * 3)
    many = read("-r", path)[1][0]["warnings"]
    done = subprocess.run([SONDE, "sensor", "-r", path], capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False)
    lines = done.stdout.split("\n\n")[-1].splitlines()
    check("what was not understood is said first, when it is more than a "
          "hundredth", not few and len(many) == 1 and
          many[0].startswith("10 of 100 packets (10.0 %) were not understood:")
          and len(lines) == 2 and lines[0] == "warning: " + many[0],
          (few, many, lines))
    mixed = section() + interface(147) + interface(1) + \
        enhanced(b"\1" * 40, START * 10**6) + \
        enhanced(ethernet(), START * 10**6, 1)
    many = read("-r", write(path, mixed))[1][0]["warnings"]
    check("with its reason", len(many) == 1 and "1 unknown-link" in many[0],
          many)


class Follower:
    """A sensor that follows; its summary once it was stopped."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [SONDE, "sensor", "--json", "--every", "1d", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop(self):
        self.process.terminate()
        out, err = self.process.communicate(timeout=PATIENCE_S)
        found, summaries = rows_of(out)
        return found, summaries, err, self.process.returncode


def followed(what, want, arguments, steps):
    """Takes each step when all before it was read.  How much was read is told
    by --count: the sensor ends by itself at that packet and not before."""
    follower = Follower(*arguments, "--count", str(want))
    try:
        for step in steps:
            time.sleep(0.6)  # longer than a look; no verdict hangs on it
            step()
        out, err = follower.process.communicate(timeout=PATIENCE_S)
        found, _ = rows_of(out)
        check(what, packets_of(found) == want, (found, err))
    finally:
        follower.process.kill()


def test_follow(folder):
    path = f"{folder}/grow.pcap"

    def append(*parts, to=path, mode="ab"):
        def step():
            with open(to, mode) as file:
                for part in parts:
                    file.write(part)
        return step
    write(path, header())
    half = record(ethernet(2), START + 1)
    followed("a file that grows is followed, octet by octet", 3,
             ["-r", path, "--follow"],
             [append(record(ethernet(1), START), half[:20]),
              append(half[20:]), append(record(ethernet(3), START + 2))])
    write(path, header(), record(ethernet(1), START))

    def rotate():
        os.rename(path, path + ".old")
        append(record(ethernet(9), START + 1), to=path + ".old")()
        write(path, header(), record(ethernet(2), START + 2))
    followed("a file that is renamed is read to its end, then the next one",
             4, ["-r", path, "--follow"],
             [rotate, append(record(ethernet(3), START + 3))])
    write(path, header(), record(ethernet(1), START) * 5)
    followed("a file that is emptied is read again from its beginning", 7,
             ["-r", path, "--follow"],
             [append(header(), record(ethernet(2), START + 1), mode="wb"),
              append(record(ethernet(3), START + 2))])
    write(path, header(), record(ethernet(1), START))
    followed("tcpdump -C goes on in FILE1 and FILE2", 4,
             ["-r", path, "--follow"],
             [append(header(), record(ethernet(2), START + 1),
                     to=path + "1"),
              append(header(), record(ethernet(3), START + 2),
                     to=path + "2"),
              append(record(ethernet(4), START + 3), to=path + "2")])
    packed = gzip.compress(header() + b"".join(
        record(ethernet(n), START + n) for n in range(1, 9)))
    other = write(f"{folder}/grow.gz", packed[:len(packed) // 2])
    write(path, header())
    os.unlink(path + "1")
    os.unlink(path + "2")
    followed("several are followed, packed ones too", 9,
             ["-r", path, "-r", other, "--follow"],
             [append(packed[len(packed) // 2:], to=other),
              append(record(ethernet(50), START + 60))])
    now = int(time.time())
    write(path, header(), record(ethernet(1), now))
    done = subprocess.run([SONDE, "sensor", "--json", "-r", path, "--follow",
                           "--for", "1s"], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    check("--for ends it though nothing comes any more",
          done.returncode == 0 and rows_of(done.stdout)[1][0]["packets"] == 1,
          done)


def test_fifo(folder):
    path = f"{folder}/fifo"
    os.mkfifo(path)
    data = gzip.compress(header() + b"".join(
        record(ethernet(n % 100 + 1), START + n) for n in range(5000)))

    def feed():
        with open(path, "wb") as file:
            file.write(data)
    followed("a FIFO is read as it is fed", 5000, ["-r", path], [feed])


def main():
    tests = (test_pcap, test_pcapng, test_packings, test_several, test_times,
             test_intervals, test_filters, test_warnings, test_follow, test_fifo)
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
