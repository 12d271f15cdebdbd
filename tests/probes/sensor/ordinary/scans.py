#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""usage: scans.py [--long] [--keep FOLDER] [SCAN ...]
nmap by every method and masscan, from outside against a few hosts that live
and more that do not: each is found, nobody else is accused.  Of an idle scan
only the third host is seen, in whose name it is made: that is told as possibly
forged, and the third host is not accused.  Without --long each method once."""
import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import readings
from ordinary import check, skip, finish
from ordinary_lab import INSIDE, OUTSIDE, Lab, own_namespaces, sh, why_not
from scenarios import missing, web_server

SCANNER, ZOMBIE = OUTSIDE + "66", OUTSIDE + "67"
LIVE, DARK = INSIDE + "10", INSIDE + "200"
MANY = INSIDE + "8-40"
HERE = os.path.dirname(os.path.abspath(__file__))
NMAP = ("nmap", "-n", "-T4", "--max-retries", "1", "--host-timeout", "25s")

# nmap's methods: one host's ports, with what tells whether the host is there,
# and ports of many hosts without.
METHODS = ("-sS", "-sT", "-sF", "-sN", "-sX", "-sA", "-sW", "-sM", "-sU",
           "-sY", "-sO", "-sZ")


# Of half of these too little is left.
WHOLE = ("-O", "-A", "-sV", "-sn")

# One form of each is enough for every day.
SHORT = (*(f"{m}, one host" for m in METHODS), "masscan tcp, many",
         "masscan udp, many", "-sI")


def scans():
    for method in METHODS:
        ports = () if method == "-sO" else ("-p", "20-60")
        yield f"nmap {method}, one host", (*NMAP, method, *ports, LIVE)
        yield f"nmap {method}, a dark host", (*NMAP, "-Pn", method, *ports,
                                              DARK)
        few = ("-p", "1,6,17,47") if method == "-sO" else ("-p", "80")
        yield f"nmap {method}, many hosts", (*NMAP, "-Pn", method, *few, MANY)
    yield "nmap -O, one host", (*NMAP, "-O", "-p", "80,81", LIVE)
    yield "nmap -sn, many hosts", (*NMAP, "-sn", MANY)
    yield "nmap -A, one host", (*NMAP, "-A", "-p", "80,22,443", LIVE)
    yield "nmap -sS -f, one host", (*NMAP, "-sS", "-f", "-p", "20-60", LIVE)
    yield "nmap -sS -g 53, one host", (*NMAP, "-sS", "-g", "53", "-p",
                                       "20-60", LIVE)
    yield "nmap -sV -sT, many hosts", (*NMAP, "-Pn", "-sT", "-sV", "-p",
                                       "80", MANY)
    rate = ("--rate", "500", "--wait", "1", "--interface", "eth0",
            "--router-mac", "02-00-00-00-00-01")
    for what, ports in (("tcp", "80,443"), ("udp", "U:53,U:161")):
        yield f"masscan {what}, many hosts", (
            "masscan", *rate, "-p", ports, INSIDE + "0/26")
        yield f"masscan {what}, one host", (
            "masscan", *rate, "-p", "20-60" if what == "tcp" else
            "U:53,U:137,U:161,U:5683", LIVE)


def idle():
    return (*NMAP, "-Pn", "-p", "20-60", "-sI", ZOMBIE + ":80", LIVE)


def prepare(lab):
    web_server(lab, "in-web", (10, 11), (80, 22))
    lab.host("in-quiet", 12, 13)
    lab.host("out-scanner", 66)
    lab.host("out-other", 68)
    lab.host("out-zombie")
    lab.inside("out-zombie", "ip", "link", "set", "eth0", "promisc", "on")
    lab.spawn("out-zombie", "python3", os.path.join(HERE, "zombie.py"),
              "eth0", ZOMBIE)
    # Nobody answers for dark addresses, but the gateway sends to them.  (A
    # bridge's neighbours are forgotten when its first port comes.)
    for number in (*range(8, 65), 200):
        if not 10 <= number <= 13:
            sh("ip", "neigh", "add", INSIDE + str(number), "lladdr",
               f"02:00:00:00:01:{number:02x}", "dev", "br-in", "nud",
               "permanent")
    link = sh("ip", "-j", "link", "show", "br-out").stdout
    return json.loads(link)[0]["address"].replace(":", "-")


def judge(name, path, folder):
    forged = "-sI" in name
    for reading, rows in readings.read_all(path, folder):
        if "outwards" in reading:
            continue  # not the scanner's packets
        accused = {r["src"] for r in rows if r["verdict"] in readings.BLAME}
        said = "\n".join(readings.describe(r) for r in rows)
        if forged:
            told = [r for r in rows if r["src"] == ZOMBIE]
            check(f"{name}, {reading}: the third host is told as possibly "
                  "forged and not accused", not accused and told and
                  all(r["spoofable"] for r in told), said)
            continue
        if "as it is" in reading or not any(w in name for w in WHOLE):
            check(f"{name}, {reading}: a scan", any(
                r["src"] == SCANNER and r["verdict"] == "scan"
                for r in rows), said)
        check(f"{name}, {reading}: nobody else is accused",
              accused <= {SCANNER}, said)


def main():
    why = why_not()
    if why:
        print(f"1..0 # SKIP {why}")
        return
    own_namespaces()
    words = sys.argv[1:]
    long = "--long" in words
    keep = None
    if "--keep" in words:
        at = words.index("--keep")
        keep = os.path.abspath(words.pop(at + 1))
        words.remove("--keep")
    words = [w for w in words if w != "--long"]
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(folder)
        gateway = prepare(lab)
        for name, command in [*scans(), ("nmap -sI", idle())]:
            if not any(w in name for w in words or ([""] if long else SHORT)):
                continue
            if missing(command[:1]):
                skip(name, f"needs {command[0]}")
                continue
            path = os.path.join(keep or folder, name.replace(
                ", ", "-").replace(" ", "") + ".pcap")
            command = [gateway if w == "02-00-00-00-00-01" else w
                       for w in command]
            with lab.capture(path):
                done = lab.inside("out-scanner", *command)
                if done and "-sT" in name:
                    # Who was answered is given time for more answers.
                    time.sleep(3.2)
                    lab.inside("out-other", "ping", "-c", "1", LIVE)
            check(f"{name}: packets were captured",
                  os.path.getsize(path) > 100,
                  done.stdout + done.stderr if done else "took too long")
            judge(name, path, folder)
        lab.stop()
    finish()


if __name__ == "__main__":
    main()
