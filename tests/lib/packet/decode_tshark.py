#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What our decoder and tshark read in the same packets: those of this test
and, if they are there, the hostile captures.  Of the packets that tshark calls
well-formed IP on a link that we know, at least 99.9 % must have the same
protocol, addresses and ports."""
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, "tests/probes/sensor")
import sensor
sys.path.insert(0, "tests/probes/sensor")
import sensor_packets as make

BUILD = os.environ.get("O", "build")
ARCHIVE = os.path.join(os.environ.get("SONDE_DATA", "../shared/data"),
                       "hostile-pcaps.tar.gz")
LINKS = {1: "ethernet", 113: "sll", 276: "sll2", 101: "raw", 12: "raw",
         0: "null", 108: "loop"}
FIELDS = ["frame.protocols", "ip.proto", "ip.src", "ip.dst", "ipv6.src",
          "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport",
          "udp.dstport", "sctp.srcport", "sctp.dstport", "dccp.srcport",
          "dccp.dstport", "ip.frag_offset", "ipv6.fraghdr.offset",
          "_ws.malformed", "_ws.short", "pim.register_flag.null_register"]
QUOTERS = ("icmp", "icmpv6", "nhrp")
# Strays of former users, and samples of many packets: no carriers.
LEFT_ALONE = {"teredo", "sflow"}


def records(data):
    """(link, wire length, octets) of a classic capture, as far as it goes."""
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        order = "<"
    elif data[:4] in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
        order = ">"
    else:
        return
    if len(data) < 24:
        return
    link = struct.unpack(order + "I", data[20:24])[0] & 0xfffffff
    pos = 24
    while pos + 16 <= len(data):
        size, wire = struct.unpack(order + "II", data[pos + 8:pos + 16])
        if size > 262144 or pos + 16 + size > len(data):
            return
        yield link, wire, data[pos + 16:pos + 16 + size]
        pos += 16 + size


def samples():
    """Lists of (wire length, octets) by link."""
    by_link = {link: [] for link in LINKS}
    zoo = [packet for _, packets in sensor.attackers() for packet in packets]
    zoo.append(make.ip("2001:db8::1", "2001:db8::2", 17,
                       b"\x9c\x40\x13\xc4\0\x08\0\0"))
    for name in make.DLT:
        frames = [make.frame(name, packet) for packet in zoo]
        by_link[make.DLT[name]] += [(len(f), f) for f in frames]
    if os.path.exists(ARCHIVE):
        with tarfile.open(ARCHIVE) as archive:
            for member in archive:
                file = archive.extractfile(member)
                for link, wire, data in records(file.read() if file else b""):
                    if link in by_link:
                        by_link[link].append((wire, data))
    return by_link


def write(path, link, packets):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144,
                              link))
        for i, (wire, data) in enumerate(packets):
            out.write(struct.pack("<IIII", 1700000000 + i, 0, len(data),
                                  max(wire, len(data))) + data)


def theirs(path):
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E",
               "occurrence=a", "-E", "aggregator=|", "-o", "ip.defragment:FALSE", "-o",
               "ipv6.defragment:FALSE", "-o",
               "tcp.desegment_tcp_streams:FALSE", "-d",
               "udp.port==8472,vxlan"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=300, check=True)
    return [dict(zip(FIELDS, line.split("\t")))
            for line in done.stdout.splitlines()]


def ours(path):
    done = subprocess.run([f"{BUILD}/tests/decode-dump", path],
                          capture_output=True, text=True, timeout=60,
                          check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def expected(t):
    """What we should say of the innermost packet, or None when it is not to be
    compared."""
    layers = t["frame.protocols"].split(":")
    quoter = next((i for i, n in enumerate(layers) if n in QUOTERS),
                  len(layers))
    at = max((i for i, n in enumerate(layers[:quoter])
              if n in ("ip", "ipv6")), default=None)
    if at is None or t["_ws.malformed"] or t["_ws.short"] or \
            LEFT_ALONE & set(layers) or \
            t["pim.register_flag.null_register"] == "1":
        return None
    six = layers[at] == "ipv6"

    def of(field, layer):
        """The value in the layer at `at`, or in the first of that name behind
        it."""
        before = layers[:at].count(layer)
        values = t[field].split("|")
        return values[before] if before < len(values) else ""

    if not six and not of("ip.proto", "ip"):
        return None  # not even a header
    upper = next((n for n in layers[at + 1:] if not n.startswith("ipv6.")),
                 "")
    later = "" if six else of("ip.frag_offset", "ip")
    if six and "ipv6.fraghdr" in layers[at:]:
        later = t["ipv6.fraghdr.offset"].split("|")[-1]
    ports = (0, 0)
    if upper in ("tcp", "udp", "sctp", "dccp") and later in ("", "0"):
        ports = (int(of(f"{upper}.srcport", upper)),
                 int(of(f"{upper}.dstport", upper)))
    proto = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}.get(upper)
    if not six:
        proto = int(of("ip.proto", "ip"))
    name = "ipv6" if six else "ip"
    return (of(f"{name}.src", name), of(f"{name}.dst", name), ports,
            proto if later in ("", "0") else None)


def same(want, got):
    error, proto, src, dst, sport, dport = got[:6]
    return error == "ok" and (src, dst) == want[:2] and \
        (int(sport), int(dport)) == want[2] and \
        want[3] in (None, int(proto))


def main():
    if not shutil.which("tshark"):
        print("1..0 # SKIP no tshark")
        return 0
    compared = equal = 0
    with tempfile.TemporaryDirectory() as folder:
        for link, packets in samples().items():
            path = f"{folder}/{link}.pcap"
            write(path, link, packets)
            for t, got in zip(theirs(path), ours(path), strict=True):
                want = expected(t)
                if want is None:
                    continue
                compared += 1
                if same(want, got):
                    equal += 1
                else:
                    print(f"# {LINKS[link]}: tshark {want}, we {got}, "
                          f"{t['frame.protocols']}")
    good = compared > 1000 and equal >= compared * 0.999
    print(f"{'ok' if good else 'not ok'} 1 - {equal} of {compared} packets "
          "are the same to tshark")
    print("1..1")
    return not good


if __name__ == "__main__":
    sys.exit(main())
