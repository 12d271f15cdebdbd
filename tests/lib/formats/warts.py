#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""scamper's own readers understand --format warts, and read in it what
--format scamper says of the same measurement."""
import json
import os
import shutil
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
sys.path.insert(0, "tests/web")
import sonde_http as http  # noqa: E402

SONDE = os.path.join(http.BUILD, "bin", "sonde")
LINE, TROUBLE, NARROW = (f"sim:tests/golden/{name}.sim"
                         for name in ("line", "trouble", "narrow"))
RUDE = "sim:tests/golden/rude.sim"
CASES = ((LINE, "trace", "web"), (LINE, "trace", "-q", "2", "-6", "web"),
         (LINE, "trace", "-M", "icmp", "web", "pe1"),
         (LINE, "trace", "-M", "tcp", "-p", "443", "web"),
         (LINE, "trace", "-M", "icmp", "-6", "web"),
         (LINE, "trace", "-g", "3", "hidden"), (LINE, "trace", "224.0.0.5"),
         (TROUBLE, "trace", "walled"), (TROUBLE, "trace", "192.0.2.50"),
         (TROUBLE, "trace", "192.0.2.130"),
         (LINE, "ping", "-c", "3", "web"), (LINE, "ping", "-6", "web"),
         (LINE, "ping", "-M", "udp", "-6", "web"),
         (LINE, "ping", "-M", "tcp", "-p", "443", "web"),
         (TROUBLE, "ping", "-c", "8", "lossy"),
         (TROUBLE, "ping", "192.0.2.50"), (LINE, "ping", "224.0.0.5"),
         (LINE, "ping", "-c", "1", "--ttl", "2", "web"),
         (TROUBLE, "ping", "-c", "3", "-i", "250ms", "--tos", "32", "web"),
         (TROUBLE, "trace", "-w", "2500ms", "--tos", "32", "web"),
         (TROUBLE, "ping", "-c", "2", "-w", "10ms", "web"),
         (TROUBLE, "ping", "-c", "1", "web", "192.0.2.50", "192.0.2.65",
          "224.0.0.5"),
         (TROUBLE, "trace", "-m", "8", "walled", "gone", "192.0.2.50"),
         (RUDE, "ping", "-c", "2", "other"), (RUDE, "ping", "-c", "2", "twice"),
         (RUDE, "ping", "-c", "2", "late"), (RUDE, "trace", "walled1"),
         (RUDE, "trace", "-6", "tagged"),
         (NARROW, "ping", "-c", "1", "--size", "1300", "web"),
         (NARROW, "trace", "--size", "1300", "web"),
         (NARROW, "trace", "-6", "--size", "1300", "web"))

for tool in ("sc_warts2json", "sc_wartsdump"):
    if not shutil.which(tool):
        http.skip_all(f"{tool} is not installed")
if not os.path.exists(SONDE):
    http.skip_all(f"{SONDE} is not built")
tap = http.Tap()


def sonde(form, net, script, *words):
    return subprocess.run(
        [SONDE, "--net", net, script, "--sport", "4000", "--format", form,
         *words], capture_output=True, timeout=60).stdout


def read(tool, data):
    done = subprocess.run([tool], input=data, capture_output=True, timeout=60)
    return done.stdout.decode() if done.returncode == 0 else ""


# Newer readers have no_responses and ndups; of the others no record knows a value.
OURS_ALONE = {"no_responses", "ndups"}
THEIRS_ALONE = {"probe_ipid", "tcp_seq", "tcp_ack"}


def as_read(one):
    """What this reader says in its own way: it has a colon in a name, and
    takes a router's error for a reply."""
    if "icmp_nhmtu:" in one:
        one["icmp_nhmtu"] = one.pop("icmp_nhmtu:")
    return one


def differences(ours, theirs, where=""):
    """What is not read as it was written, and what is read besides."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        theirs = as_read(theirs)
        if where.endswith("/statistics") and "nerrs" in ours:
            return
        for key in ours.keys() - OURS_ALONE | theirs.keys() - THEIRS_ALONE:
            yield from differences(
                ours.get(key), theirs.get(key), f"{where}/{key}")
    elif isinstance(ours, list) and len(ours) == len(theirs or []):
        for i, pair in enumerate(zip(ours, theirs or [])):
            yield from differences(*pair, f"{where}/{i}")
    elif isinstance(ours, float) and theirs is not None:
        if abs(ours - theirs) > 0.0001:
            yield f"{where}: {ours}, read as {theirs}"
    elif where == "/src" and ours is None and theirs == "0.0.0.0":
        return  # nothing left; a file's reader cannot do without
    elif ours != theirs:
        yield f"{where}: {ours}, read as {theirs}"


def main():
    for case in CASES:
        data = sonde("warts", *case)
        ours = [json.loads(line) for line
                in sonde("scamper", *case).splitlines()]
        theirs = [json.loads(line) for line
                  in read("sc_warts2json", data).splitlines()]
        found = [f"{len(theirs)} objects, expected {len(ours)}"]
        if len(ours) == len(theirs) > 2:
            found = [d for pair in zip(ours, theirs)
                     for d in differences(*pair)]
        if not tap.ok(not found, " ".join(case[1:])):
            for line in found[:9]:
                print(f"#   {line}")
        dump = read("sc_wartsdump", data)
        tap.equal(dump.count("traceroute from ") + dump.count("ping from "),
                  len(ours) - 2, "sc_wartsdump reads it too")
        tap.equal((dump.count("cycle start, list sonde"),
                   dump.count("cycle stop, list sonde")), (1, 1),
                  "in one cycle of one list")


tap.run(main)
tap.done()
