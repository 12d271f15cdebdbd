#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Offline rate of the sensor on telescope traffic (a source per packet is the
worst case for a flow table) against tcpdump, nfpcapd and a bare libpcap
loop."""
import os
import shutil
import subprocess
import sys
import tempfile

import pairs

BUILD = os.environ.get("O", "build")
PACKETS = 2000000


def main():
    with tempfile.TemporaryDirectory() as folder:
        capture = f"{folder}/flood.pcap"
        subprocess.run([f"{BUILD}/bench/gen-pcap", "--packets", str(PACKETS),
                        capture], check=True)
        ours = ("sonde sensor -r",
                [f"{BUILD}/bin/sonde", "sensor", "--json", "-r", capture])
        peers = [("bare libpcap loop", [f"{BUILD}/bench/pcap-loop", capture])]
        if shutil.which("tcpdump"):
            peers.append(("tcpdump -r -w", ["tcpdump", "-r", capture, "-w",
                                            "/dev/null"]))
        if shutil.which("nfpcapd"):
            os.mkdir(f"{folder}/flows")
            peers.append(("nfpcapd -r", ["nfpcapd", "-r", capture, "-w",
                                         f"{folder}/flows"]))
        got = pairs.compare(f"sensor, {PACKETS} packets offline", ours, peers)
        for name, (wall, _, _) in got.items():
            print(f"  {name:24}{PACKETS / wall / 1e6:10.2f} Mpps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
