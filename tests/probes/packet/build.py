#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Others judge the packets that probe_build makes: scapy builds each from the
same fields and the octets must be the same; tshark must find every checksum
right and show the fields that were asked for."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

COUNT, SEED = 600, 2003


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


try:
    from scapy.layers.inet import ICMP, IP, TCP, UDP
    from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
    from scapy.packet import Raw
except ImportError:
    skip_all("scapy is not installed")


def upper_by_scapy(p):
    if p["proto"] == 17:
        return UDP(sport=p["sport"], dport=p["dport"])
    if p["proto"] == 6:
        return TCP(sport=p["sport"], dport=p["dport"], seq=p["tcp_seq"],
                   ack=p["tcp_ack"], flags=p["tcp_flags"],
                   window=p["tcp_window"])
    if ":" in p["dst"]:
        return ICMPv6EchoRequest(id=p["icmp_id"], seq=p["icmp_seq"])
    return ICMP(type=8, id=p["icmp_id"], seq=p["icmp_seq"])


def by_scapy(p, payload):
    if ":" in p["dst"]:
        ip = IPv6(src=p["src"], dst=p["dst"], hlim=p["ttl"], tc=p["tos"],
                  fl=p["flow_label"])
    else:
        ip = IP(src=p["src"], dst=p["dst"], ttl=p["ttl"], tos=p["tos"],
                id=p["ip_id"], flags="DF")
    return bytes(ip / upper_by_scapy(p) / Raw(payload))


def is_same(p):
    packet = bytes.fromhex(p["packet"])
    payload = bytes.fromhex(p["payload"])
    if p["fix_checksum"]:
        # The two octets are the builder's to choose; scapy, given them, must
        # come to the checksum that was asked for.
        at = 48 if ":" in p["dst"] else 28
        payload = packet[at:at + 2] + payload[2:]
        shown = at - 2 if p["proto"] == 17 else at - 6
        if struct.unpack_from("!H", packet, shown)[0] != p["checksum"]:
            return False
    return packet == by_scapy(p, payload)


def write_pcap(path, probes):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for p in probes:
            data = bytes.fromhex(p["packet"])
            f.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)


FIELDS = ["ip.checksum.status", "tcp.checksum.status", "udp.checksum.status",
          "icmp.checksum.status", "icmpv6.checksum.status", "ip.ttl",
          "ipv6.hlim", "udp.dstport", "tcp.dstport", "ip.len", "ipv6.plen"]


def by_tshark(path):
    command = ["tshark", "-n", "-r", path]
    for name in ("ip", "udp", "tcp"):
        command += ["-o", f"{name}.check_checksum:TRUE"]
    command += ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    return [dict(zip(FIELDS, line.split("\t")))
            for line in out.stdout.split("\n")[:-1]]


def is_right(p, seen):
    v6 = ":" in p["dst"]
    statuses = [seen[f] for f in FIELDS if f.endswith("status") and seen[f]]
    good = statuses == (["1"] if v6 else ["1", "1"])
    size = len(p["packet"]) // 2
    good &= seen["ipv6.plen" if v6 else "ip.len"] == str(
        size - 40 if v6 else size)
    good &= seen["ipv6.hlim" if v6 else "ip.ttl"] == str(p["ttl"])
    if p["proto"] != 1:
        name = "udp.dstport" if p["proto"] == 17 else "tcp.dstport"
        good &= seen[name] == str(p["dport"])
    return good


def main():
    failed = count = 0

    def check(what, wrong):
        nonlocal failed, count
        count += 1
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {count} - {what}")
        for p in wrong[:3]:
            print("# " + json.dumps(p))

    tool = os.path.join(os.environ.get("O", "build"),
                        "tests/probes/build-print")
    out = subprocess.run([tool, str(COUNT), str(SEED)], check=True,
                         capture_output=True, text=True).stdout
    probes = [json.loads(line) for line in out.splitlines()]
    check(f"{COUNT} probes are printed", [] if len(probes) == COUNT else [0])
    check("scapy builds the same octets",
          [p for p in probes if not is_same(p)])
    if not shutil.which("tshark"):
        print(f"ok {count + 1} - tshark # SKIP tshark is not installed")
        print(f"1..{count + 1}")
        sys.exit(failed != 0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "probes.pcap")
        write_pcap(path, probes)
        seen = by_tshark(path)
    check("tshark reads each of them", [] if len(seen) == COUNT else [0])
    check("tshark finds every checksum and length right",
          [p for p, s in zip(probes, seen) if not is_right(p, s)])
    print(f"1..{count}")
    sys.exit(failed != 0)


main()
