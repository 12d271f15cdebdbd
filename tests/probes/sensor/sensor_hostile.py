#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Every capture of $SONDE_DATA/hostile-pcaps.tar.gz through the sensor under
ASan and UBSan: no finding, an exit code that we know, and every packet
accounted for."""
import concurrent.futures
import json
import os
import subprocess
import sys
import tarfile
import tempfile

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}-asan/bin/sonde")
ARCHIVE = os.path.join(os.environ.get("SONDE_DATA", "../shared/data"),
                       "hostile-pcaps.tar.gz")


def judge(path):
    """What is wrong, or None."""
    try:
        done = subprocess.run([SONDE, "sensor", "--json", "-r", path],
                              capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return "no end within 60 s"
    errors = done.stderr.decode(errors="replace")
    if done.returncode not in (0, 74):
        return f"exit code {done.returncode}: {errors[:400]}"
    if "anitizer" in errors or "runtime error" in errors:
        return errors[:800]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if not lines:
        return None if done.returncode == 74 else "no summary"
    s = lines[-1]["summary"]
    kinds = ("decoded", "truncated", "malformed", "not_ip")
    if s["packets"] != sum(s[k] for k in kinds):
        return f"packets do not add up: {s}"
    if s["packets"] - s["decoded"] != sum(s["not_decoded"].values()):
        return f"reasons do not add up: {s}"
    listed = sum(line["packets"] for line in lines if "src" in line)
    if listed + s["unlisted_packets"] + s["damaged"] != s["decoded"]:
        return f"findings do not add up: {s}"
    return None


def main():
    if not os.path.exists(ARCHIVE):
        print(f"1..0 # SKIP no {ARCHIVE}")
        return 0
    if not os.path.exists(SONDE):
        print(f"1..0 # SKIP no {SONDE}; make check builds it")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(folder)
        paths = sorted(os.path.join(at, name) for at, _, names
                       in os.walk(folder) for name in names
                       if "pcap" in name.rsplit(".", 1)[-1] or
                       "cap" in name.rsplit(".", 1)[-1])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [(os.path.basename(path), why) for path, why
                     in zip(paths, pool.map(judge, paths)) if why]
    for name, why in wrong:
        print(f"# {name}: {why}")
    good = len(paths) >= 800 and not wrong
    print(f"{'ok' if good else 'not ok'} 1 - {len(paths)} hostile captures "
          "leave no trace")
    print("1..1")
    return not good


if __name__ == "__main__":
    sys.exit(main())
