#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""usage: ordinary.py [--long] [--keep FOLDER] [SCENARIO ...]
Nobody who only does his work is accused: Debian's programs talk to each other
through a gateway, and `sonde sensor` reads the captures as they are, with the
monitored network given, in one direction only, from the middle, cut to 68
octets, doubled as a mirror port does.  Without --long a few scenarios."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import readings
from ordinary_lab import Lab, own_namespaces, why_not
from scenarios import SCENARIOS, missing

count = failed = 0


def check(what, ok, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}", flush=True)
    if not ok:
        failed += 1
        for line in detail.splitlines():
            print(f"# {line}")


def skip(what, why):
    global count
    count += 1
    print(f"ok {count} - {what} # SKIP {why}", flush=True)


def finish():
    print(f"1..{count}")
    sys.exit(failed > 0)


def arguments():
    words = sys.argv[1:]
    long = "--long" in words
    keep = None
    if "--keep" in words:
        keep = os.path.abspath(words.pop(words.index("--keep") + 1))
        os.makedirs(keep, exist_ok=True)
    names = [w for w in words if not w.startswith("--")]
    return long, keep, names or [n for n, (_, _, short) in SCENARIOS.items()
                                 if long or short]


def judge(name, path, folder, sums):
    """No one accused, read in any way; says how many were seen."""
    for reading, rows in readings.read_all(path, folder):
        sources = {row["src"] for row in rows}
        accused = [row for row in rows if row["verdict"] in readings.BLAME]
        sums.setdefault(reading, [0, 0])
        sums[reading][0] += len(sources)
        sums[reading][1] += len({row["src"] for row in accused})
        check(f"{name}, {reading}: of {len(sources)} sources none is accused",
              not accused, "\n".join(readings.describe(r) for r in accused))


def main():
    why = why_not()
    if why:
        print(f"1..0 # SKIP {why}")
        return
    own_namespaces()
    _, keep, names = arguments()
    sums = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            scenario, programs, _ = SCENARIOS[name]
            lacks = missing(programs)
            if lacks:
                skip(name, "needs " + ", ".join(lacks))
                continue
            work = os.path.join(folder, name)
            os.makedirs(work)
            lab = Lab(work)
            path = os.path.join(keep or folder, name + ".pcap")
            with lab.capture(path):
                scenario(lab)
            lab.stop()
            lab.close()
            check(f"{name}: packets were captured",
                  os.path.getsize(path) > 1000, lab.log())
            judge(name, path, folder, sums)
    for reading, (sources, accused) in sums.items():
        print(f"# {reading}: {accused} of {sources} sources accused")
    finish()


if __name__ == "__main__":
    main()
