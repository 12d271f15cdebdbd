#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The captures of scanning tools in tests/fixtures/tools: a handful of packets
each, and `sonde sensor` says which tool's they are."""
import glob
import json
import os
import subprocess

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}/bin/sonde")
# Three connections and four pings are what anybody sends.
TOO_LITTLE = ("nmap-connect", "nmap-ping")
# Empty packets of every protocol: a scan, of no tool's own.
NO_TOOL = ("nmap-proto",)


def main():
    count = failed = 0
    for path in sorted(glob.glob("tests/fixtures/tools/*.pcap")):
        name = os.path.basename(path)[:-len(".pcap")]
        done = subprocess.run([SONDE, "sensor", "--json", "-r", path],
                              capture_output=True, text=True, check=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        scans = [r for r in rows if r.get("verdict") == "scan"]
        if name in TOO_LITTLE:
            ok = not scans
        elif name in NO_TOOL:
            ok = len(scans) > 0
        else:
            ok = any(r["signature"] == name.split("-")[0] for r in scans)
        count += 1
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {count} - {name}")
        if not ok:
            print(f"# {done.stdout}")
    print(f"1..{count}")
    return failed > 0 or count == 0


if __name__ == "__main__":
    raise SystemExit(main())
