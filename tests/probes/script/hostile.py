#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs every script of tests/probes/script/hostile/CASES as a user would and checks
that it ends by itself, with the exit code and the words that it must."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SONDE = os.path.join(os.environ.get("O", "build"), "bin", "sonde")
SIM = """vantage me 198.51.100.10/24
router r1 203.0.113.1
host web 192.0.2.80
link me r1
link r1 web
"""
FRAME = """return {
	fields = {{name = "n", type = "integer"}, {name = "t", type = "text"}},
	run = function(args)
%s
	end,
}
"""


def cases():
    name, lines = None, []
    with open(os.path.join(HERE, "hostile", "CASES")) as f:
        for line in f:
            if line.startswith("== "):
                if name:
                    yield name, lines
                name, lines = line[3:].rstrip("\n").split("|"), []
            elif name:
                lines.append(line)
    yield name, lines


def write_script(path, lines):
    top = lines and lines[0].startswith("-- top")
    text = "".join(lines[1:] if top else lines)
    with open(path, "wb") as f:
        if text.startswith("@bytecode"):
            f.write(b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n" + b"\0" * 64)
        else:
            f.write((text if top else FRAME % text).encode())


def run_one(folder, number, name, lines):
    title, code, words = (part.strip() for part in name)
    path = os.path.join(folder, "case%d.lua" % number)
    write_script(path, lines)
    command = [SONDE, "--net", "sim:" + folder + "/net.sim", "run",
               "--deadline", "1s" if code == "75" else "60s",
               "--allow-weak-sandbox", path]
    try:
        got = subprocess.run(command, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        return False, "not ok %d - %s\n# it never ended" % (number, title)
    text = got.stderr.decode("utf-8", "replace")
    good = got.returncode == int(code) and words in text
    good = good and "\x1b" not in text and len(text) < 1 << 20
    said = "%sok %d - %s" % ("" if good else "not ", number, title)
    if not good:
        said += ("\n# exit %d, expected %s; said: %s" %
                 (got.returncode, code, text[:500].replace("\n", "\n# ")))
    return good, said


def main():
    if not os.access(SONDE, os.X_OK):
        print("1..0 # SKIP %s is not built" % SONDE)
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/net.sim", "w") as f:
            f.write(SIM)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(run_one, folder, i + 1, name, lines)
                    for i, (name, lines) in enumerate(cases())]
            for run in runs:
                good, said = run.result()
                failed += not good
                print(said, flush=True)
    print("1..%d" % len(runs))
    return 1 if failed else 0


sys.exit(main())
