#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Offline rate and memory of the sensor against a bare libpcap loop, tcpdump,
nfpcapd, argus and ndpiReader: on an ordinary border's mix of 300,000 sources,
and on telescope traffic (a source per packet is the worst case for a flow
table)."""
import os
import shutil
import subprocess
import sys
import tempfile

import pairs

BUILD = os.environ.get("O", "build")
# What gen-pcap makes, and how many packets.
CAPTURES = (("mixed", 4000000), ("flood", 2000000))


def peers_of(capture, folder):
    peers = [("bare libpcap loop", [f"{BUILD}/bench/pcap-loop", capture])]
    flows = f"{folder}/flows"
    os.makedirs(flows, exist_ok=True)
    for name, command in (
            ("tcpdump -r -w", ["tcpdump", "-r", capture, "-w", "/dev/null"]),
            ("nfpcapd -r", ["nfpcapd", "-r", capture, "-w", flows]),
            ("argus -r", ["argus", "-r", capture, "-w", "/dev/null"]),
            ("ndpiReader -i", ["ndpiReader", "-q", "-i", capture])):
        if shutil.which(command[0]):
            peers.append((name, command))
    return peers


def main():
    with tempfile.TemporaryDirectory() as folder:
        for kind, packets in CAPTURES:
            capture = f"{folder}/{kind}.pcap"
            subprocess.run([f"{BUILD}/bench/gen-pcap", "--packets",
                            str(packets), capture, kind], check=True)
            ours = ("sonde sensor -r",
                    [f"{BUILD}/bin/sonde", "sensor", "--json", "-r", capture])
            got = pairs.compare(f"sensor, {packets} packets offline, {kind}",
                                ours, peers_of(capture, folder))
            for name, (wall, _, _) in got.items():
                print(f"  {name:24}{packets / wall / 1e6:10.2f} Mpps")
            os.unlink(capture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
