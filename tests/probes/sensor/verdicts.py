#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Every situation of verdict_scenes.py, in every variant in which it can reach
a sensor: each has its verdict, no innocent source is accused, and nothing of
the sums is lost.  What names a worm or a tool is only where one is meant."""
import json
import os
import subprocess
import sys
import tempfile

import sensor_packets as make
from verdict_scenes import ANY, SCENES, World

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}/bin/sonde")
ACCUSING = {"scan", "worm", "flood"}
BUDGET, SOURCES_LEAST = 0.1, 100
START_S = 1760000000
count = failed = 0


def check(what, wrong):
    global count, failed
    count += 1
    print(f"{'not ok' if wrong else 'ok'} {count} - {what}")
    for line in wrong:
        print(f"# {line}")
    failed += bool(wrong)


# ---- variants: what a capture makes of the packets.  Each takes and gives
# lists of (seconds, packet, how it is framed).

def doubled(packets, _):
    """As a mirror port that sees a packet come in and go out."""
    return [p for at, packet, how in packets
            for p in ((at, packet, how), (at + .00001, packet, how))]


def answers_first(packets, _):
    """Two capture points with clocks of their own: a packet and one the other
    way within 50 ms change places."""
    packets = sorted(packets, key=lambda p: p[0])
    i = 0
    while i + 1 < len(packets):
        one, two = packets[i], packets[i + 1]
        if two[0] - one[0] < .05 and \
                make.ends(one[1]) == make.ends(two[1])[::-1]:
            packets[i] = (one[0],) + two[1:]
            packets[i + 1] = (two[0],) + one[1:]
            i += 1
        i += 1
    return packets


def stamps_jump(packets, w):
    """In the order in which they came, with clocks that go back by ms."""
    packets = sorted(packets, key=lambda p: p[0])
    return [(at + 1 + w.random.uniform(-.004, .004), packet, how)
            for at, packet, how in packets]


def order_is_disturbed(packets, w):
    return sorted(stamps_jump(packets, w), key=lambda p: p[0])


def in_gre(packets, _):
    return [(at, make.in_gre(packet), how) for at, packet, how in packets]


def comes_in(packets, w):
    return [p for p in packets if not is_home(w, make.ends(p[1])[0])]


def goes_out(packets, w):
    return [p for p in packets if is_home(w, make.ends(p[1])[0])]


def unchanged(packets, _):
    return packets


def is_home(w, address):
    return address.startswith(w.net + (":" if w.six else "."))


def write(path, packets, link="ethernet", start=START_S):
    framed = [(at, make.frame(link, packet, **how))
              for at, packet, how in packets]
    return make.pcap(path, framed, "framed", start=start, dlt=1)


def read(path, *arguments):
    done = subprocess.run([SONDE, "sensor", "--json", *arguments, "-r", path],
                          capture_output=True, text=True, timeout=60,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}: {done.stderr}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [r for r in lines if "src" in r], lines[-1]["summary"]


# ---- what holds for every capture

def sums(packets, rows, total):
    """Nothing is lost and nothing counted twice."""
    reasons = sum(total["not_decoded"].values())
    if total["packets"] != len(packets):
        yield f"{total['packets']} of {len(packets)} packets were read"
    if total["packets"] != total["decoded"] + reasons:
        yield f"{total['decoded']} decoded and {reasons} by reasons are " \
              f"not {total['packets']}"
    found = sum(r["packets"] for r in rows)
    left = total["decoded"] - total["damaged"] - total["home"] - \
        total["replies"]
    if found != left:
        yield f"the findings have {found} packets, {left} are right"
    verdicts = {}
    for r in rows:
        verdicts[r["verdict"]] = verdicts.get(r["verdict"], 0) + r["packets"]
    said = {k: v["packets"] for k, v in total["verdicts"].items()
            if v["packets"]}
    if said != verdicts:
        yield f"the summary says {said} of the rows' {verdicts}"


def each_row(w, rows, total, with_home):
    need = max(SOURCES_LEAST, total["sources"]) / BUDGET
    for r in rows:
        odds, said = r["odds"] or 0, f"{r['src']} {r['verdict']}"
        if r["verdict"] == "scan" and odds < need:
            yield f"{said} with odds of {odds}, {need:.0f} are needed"
        if r["verdict"] == "probe" and odds >= need and \
                r["rule"] != "nmap-idle":
            yield f"{said} although its odds are {odds}"
        if r["verdict"] == "backscatter" and not r["victim"]:
            yield f"{said} without a victim"
        if r["first"] > r["last"] or r["packets"] < 1 or \
                r["targets"] > r["packets"]:
            yield f"{said} contradicts itself: {r}"
        if r["spoofable"] is False and r["src"] not in w.proven:
            yield f"{said} is proven, by nothing"
        if with_home and r["src"] and is_home(w, r["src"]):
            yield f"{said} is a monitored host's"


def no_innocent(w, rows, holds):
    """Where a direction is missing, odds may accuse: each_row has seen that
    they are there."""
    for r in rows:
        wanted = w.want.get(r["src"]) or w.want.get(ANY) or ("", {})
        by_odds = holds in ("half", "none") and r["verdict"] == "scan"
        if r["verdict"] in w.never and holds != "none":
            yield f"{r['src']} is {r['verdict']} ({r['rule']})"
        elif r["verdict"] in ACCUSING and r["verdict"] != wanted[0] and \
                not by_odds:
            yield f"{r['src']} is innocent and {r['verdict']} ({r['rule']})"


def as_wanted(w, rows):
    for src, (verdict, fields) in w.want.items():
        mine = [r for r in rows if src is ANY or r["src"] == src]
        got = [r for r in mine if r["verdict"] == verdict]
        if not got:
            yield f"{src} is not {verdict} but " \
                  f"{sorted({r['verdict'] for r in mine})}"
            continue
        for name, value in fields.items():
            if not any(r[name] == value for r in got):
                yield f"{src} {verdict}: {name} is {got[0][name]}, " \
                      f"{value} is right"


def picture(rows):
    """What may not change when the same packets are captured otherwise."""
    return sorted(str((r["src"], r["verdict"], r["signature"], r["proto"],
                       r["dport"], r["targets"], r["ports"], r["attempts"],
                       r["odds"], r["victim"], r["spoofable"]))
                  for r in rows)


def differences(one, two):
    return [f"only there: {r}" for r in one if r not in two][:4] + \
        [f"only here: {r}" for r in two if r not in one][:4]


# name: change, and what of the plain capture's verdicts must hold: all that is
# said ("same"), the verdicts ("verdicts"), those that rest on what comes in
# ("half"), or only that nobody is accused ("none").
# And whether --home is given: not, given, or one after the other.
BOTH = (False, True)
VARIANTS = {
    "as it is": (unchanged, "same", BOTH),
    "doubled": (doubled, "same", (True,)),
    "carried": (in_gre, "same", (False,)),
    "stamps jump": (stamps_jump, "verdicts", (True,)),
    "order disturbed": (order_is_disturbed, "verdicts", (False,)),
    "answers first": (answers_first, "verdicts", BOTH),
    "what comes in": (comes_in, "half", BOTH),
    "what goes out": (goes_out, "none", (False,)),
}
SEEDS = {"one": list(VARIANTS), "two": ["as it is", "doubled"]}


def judge(w, packets, rows, total, holds, with_home, plain):
    wrong = list(sums(packets, rows, total))
    wrong += each_row(w, rows, total, with_home)
    wrong += no_innocent(w, rows, holds)
    if holds == "same" and plain is not None:
        wrong += differences(plain, picture(rows))
    if holds in ("same", "verdicts") or (holds == "half" and w.one_sided):
        wrong += as_wanted(w, rows)
    return wrong


def try_variants(folder, name, six, seed):
    plain = {}
    for variant in SEEDS[seed]:
        change, holds, homes = VARIANTS[variant]
        w = World(f"{name} {seed}", six)
        SCENES[name][2](w)
        packets = change(sorted(w.packets, key=lambda p: p[0]), w)
        half = holds in ("half", "none")
        if not packets or (half and w.needs_both):
            continue
        if half:
            w.proven = set()
        # Carriers: GRE in two VLAN tags, after 32 bits of seconds with a sign.
        path = write(f"{folder}/scene.pcap", packets, "qinq", 2**31 - 5) \
            if change is in_gre else write(f"{folder}/scene.pcap", packets)
        for with_home in homes:
            arguments = ["--home", w.home] if with_home else []
            rows, total = read(path, *arguments)
            check(f"{name}, IPv{6 if six else 4}, {seed}: {variant}"
                  f"{', --home' if with_home else ''}",
                  judge(w, packets, rows, total, holds, with_home,
                        plain.get(with_home)))
            plain.setdefault(with_home, picture(rows))


def main():
    asked = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for name, (kind, families, _) in SCENES.items():
            if asked and name not in asked and kind not in asked:
                continue
            for seed in SEEDS:
                for family in families:
                    try_variants(folder, name, family == "6", seed)
    print(f"1..{count}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
