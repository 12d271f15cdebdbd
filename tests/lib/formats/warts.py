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
LINE, TROUBLE = "sim:tests/golden/line.sim", "sim:tests/golden/trouble.sim"
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
         (LINE, "ping", "-c", "1", "--ttl", "2", "web"))

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


def differences(ours, theirs, where=""):
    """What is ours and was not read so."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            # Newer readers list no_responses, and this one takes a router's
            # error for a reply.
            if key != "no_responses" and not (
                    key == "statistics" and "nerrs" in value):
                yield from differences(
                    value, theirs.get(key), f"{where}/{key}")
    elif isinstance(ours, list) and len(ours) == len(theirs or []):
        for i, pair in enumerate(zip(ours, theirs or [])):
            yield from differences(*pair, f"{where}/{i}")
    elif isinstance(ours, float) and theirs is not None:
        if abs(ours - theirs) > 0.0011:
            yield f"{where}: {ours}, read as {theirs}"
    elif ours != theirs:
        yield f"{where}: {ours}, read as {theirs}"


def main():
    everything = b""
    for case in CASES:
        data = sonde("warts", *case)
        everything += data
        ours = [json.loads(line) for line
                in sonde("scamper", *case).splitlines()]
        theirs = [json.loads(line) for line
                  in read("sc_warts2json", data).splitlines()]
        found = [f"{len(theirs)} objects, expected {len(ours)}"]
        if len(ours) == len(theirs) > 0:
            found = [d for pair in zip(ours, theirs)
                     for d in differences(*pair)]
        if not tap.ok(not found, " ".join(case[1:])):
            for line in found[:9]:
                print(f"#   {line}")
    dump = read("sc_wartsdump", everything)
    tap.equal(dump.count("traceroute from ") + dump.count("ping from "),
              len(CASES) + 1, "sc_wartsdump reads all in one file")


tap.run(main)
tap.done()
