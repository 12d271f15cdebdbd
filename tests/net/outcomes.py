#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Whatever the network does to a probe, its one outcome is right, and every
output format says the same.

Each network of tests/net/networks.py is played behind a TUN device, IPv4 and
IPv6, and probed by ICMP, UDP and TCP; ping, fping and traceroute judge beside
it where they can.

    tests/net/outcomes.py [NETWORK...]      only these
    tests/net/outcomes.py --in NETWORK COMMAND...     a command there
"""
import concurrent.futures
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path[:0] = ["tests/web", "tests/net"]
import networks  # noqa: E402
import sonde_http as http  # noqa: E402
import tun_internet as tun  # noqa: E402

SONDE = os.path.abspath(os.path.join(http.BUILD, "bin", "sonde"))
os.environ.setdefault("SONDE_SCRIPTS", os.path.abspath("probes/scripts"))
ME = os.path.abspath(__file__)
JOBS = 12  # most of it is waiting
COUNTS = {"late": "late", "rejected": "rejected", "denied": "denied",
          "other-address": "other_address", "ambiguous": "ambiguous",
          "not-sent": "not_sent"}
TEXT = {"answered": r" ms  ttl \d+", "late": r" ms .* late",
        "silent": r"no reply", "hop": r", from ", "rejected": r", from ",
        "other-address": r"from another address", "not-sent": r"not sent",
        "ambiguous": r"may be another probe's"}


def run(*command, limit=120):
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=limit, check=False)
    return done.returncode, done.stdout, done.stderr


def objects(text):
    """Lines of JSON, without the cycles of scamper's form."""
    return [one for one in map(json.loads, filter(
        lambda line: line.startswith("{"), text.splitlines()))
            if one.get("type") not in ("cycle-start", "cycle-stop")]


def target_of(family, number):
    return f"100.100.1.{number}" if family == 4 else \
        f"2001:db8:77::{number:x}"


def warts(command):
    with tempfile.NamedTemporaryFile(suffix=".warts") as file:
        with open(file.name, "wb") as to:
            subprocess.run(command, stdout=to, stderr=subprocess.DEVNULL,
                           timeout=120, check=False)
        done = run("sc_warts2json", file.name)
    return objects(done[1])[-1]


class Judged:
    """One case in one network, family and method; `wrong` grows.  Each run
    has a target of its own: what the kernel learned of one is not of all."""
    targets = 0

    def __init__(self, case, family, method):
        self.case, self.family, self.method = case, family, method
        self.wrong = []
        self.outcomes = [row[1] for row in case.rows]
        self.target = self.rows = None

    def next_target(self):
        Judged.targets += 1
        self.target = target_of(self.family, Judged.targets)
        who = {None: None, "T": self.target, "O": tun.OTHER[self.family]}
        who.update(enumerate(tun.HOPS[self.family], 1))
        self.rows = [(n, outcome, who[by]) for n, outcome, by in
                     self.case.rows]

    def command(self, *how):
        self.next_target()
        return [SONDE, self.case.script, "-M", self.method,
                *self.case.options.split(), *how, self.target]

    def right(self, what, got, want):
        if got != want:
            self.wrong.append(f"{what}: {got!r}, expected {want!r}")

    def among(self, what, got, possible):
        if got not in possible:
            self.wrong.append(f"{what}: {got!r}, expected one of {possible}")

    def sonde(self, *how):
        status, out, err = run(*self.command(*how))
        self.right(f"exit status ({' '.join(how)})", status,
                   0 if self.case.reached else 1)
        return out, err

    def json(self):
        out, err = self.sonde("--json")
        record = objects(out)[-1][self.case.script]
        number = "probe_ttl" if self.case.script == "trace" else "attempt"
        own = [r for r in record["replies"] if not r.get("duplicate")]
        self.right("outcomes", [(r[number], r["outcome"], r.get("from"))
                                for r in own], self.rows)
        self.among("duplicates", len(record["replies"]) - len(own),
                   self.case.duplicates)
        self.among("remarks", len(record["remarks"]), self.case.remarks)
        for reply in own:
            has_rtt = reply["outcome"] not in ("silent", "not-sent",
                                               "ambiguous", "denied")
            self.right("a round trip", reply.get("rtt_ns") is not None,
                       has_rtt)
        if self.case.script == "ping":
            self.sums(record)
        else:
            self.right("stop reason", record["stop_reason"], self.case.stop)
        if self.case.see:
            self.right("what is seen besides",
                       self.case.see(record), True)
        return err

    def sums(self, record):
        count = self.outcomes.count
        self.right("sent", record["sent"], len(self.rows) -
                   count("not-sent") - count("denied"))
        self.right("received", record["received"], count("answered"))
        for outcome, member in COUNTS.items():
            self.right(member, record[member], count(outcome) +
                       (count("hop") if member == "rejected" else 0))
        for member in ("rtt_min_ns", "rtt_avg_ns", "rtt_max_ns"):
            self.right(member, record.get(member) is not None,
                       count("answered") > 0)

    def text(self):
        out, _ = self.sonde()
        if self.case.script == "trace":
            self.right("the text says reached",
                       bool(re.search(r"^reached", out, re.M)),
                       self.case.reached)
            self.right("the text says of which hop nothing is known",
                       "to this or another hop" in out,
                       any(o == "ambiguous" and not any(
                           m == n and p == "answered"
                           for m, p, _ in self.rows)
                           for n, o, _ in self.rows))
            return
        lines = [line for line in out.splitlines()
                 if re.match(r"\s+\d+ ", line) and "duplicate" not in line]
        at = {int(line.split()[0]): line for line in lines}
        for number, outcome, _ in self.rows:
            if not re.search(TEXT[outcome], at.get(number, "")):
                self.wrong.append(f"text of {outcome}: {at.get(number)!r}")
        count = self.outcomes.count
        sent = len(self.rows) - count("not-sent")
        known = count("answered") + count("other-address") + \
            count("ambiguous")
        expected = f"{sent} sent, {count('answered')} received"
        if sent:
            expected += f", {100 * (sent - known) / sent:.0f} % lost"
        if expected not in out:
            self.wrong.append(f"text: {out.splitlines()[-1]!r}, expected "
                              f"{expected!r}")

    def csv(self):
        out, _ = self.sonde("--csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        number = "probe_ttl" if self.case.script == "trace" else "attempt"
        self.right("CSV", [(int(r[number]), r["outcome"], r["from"] or None)
                           for r in rows if r["duplicate"] != "true"],
                   self.rows)
        for row in rows:
            self.right(f"a round trip in CSV of {row['outcome']}",
                       row["rtt_ns"] != "",
                       row["outcome"] not in ("silent", "not-sent",
                                              "ambiguous"))

    def atlas(self):
        one = objects(self.sonde("--format", "atlas")[0])[-1]
        if self.case.script == "trace":
            hops = [(hop["hop"], reply) for hop in one["result"]
                    for reply in hop["result"] if "dup" not in reply]
            # There what is late is lost, and told besides.
            late = [n for n, r in hops if "late" in r]
            hops = [(n, r) for n, r in hops if "late" not in r]
            self.right("late in Atlas", late, self.case.late)
            answers = [by if outcome not in ("silent", "not-sent", "ambiguous")
                       and n not in late else None
                       for n, outcome, by in self.rows]
            self.right("Atlas", [(n, r.get("from")) for n, r in hops],
                       [(row[0], by) for row, by in zip(self.rows, answers)])
            self.right("errors in Atlas",
                       [("err" in r, "rtt" in r) for _, r in hops],
                       [(o == "rejected", by is not None)
                        for o, by in zip(self.outcomes, answers)])
            return
        own = [r for r in one["result"] if "dup" not in r]
        count = self.outcomes.count
        self.right("received in Atlas", one["rcvd"], count("answered") +
                   count("other-address"))
        self.among("duplicates in Atlas", one["dup"], self.case.duplicates)
        self.right("Atlas", [next(k for k in ("rtt", "error", "x") if k in r)
                             for r in own],
                   ["rtt" if o in ("answered", "other-address") else
                    "error" if o in ("hop", "rejected", "not-sent") else "x"
                    for o in self.outcomes])

    def scamper(self, what, one):
        if self.case.script == "trace":
            self.right(f"{what} says completed",
                       one["stop_reason"] == "COMPLETED",
                       self.case.stop == "completed")
            self.right(f"hops in {what}",
                       [(hop["probe_ttl"], hop["addr"])
                        for hop in one.get("hops", [])],
                       [(n, by) for n, outcome, by in self.rows
                        if by and outcome != "ambiguous"])
            return
        self.right(f"{what} sent", one["ping_sent"], len(self.rows) -
                   self.outcomes.count("not-sent"))
        self.right(f"{what} responses",
                   [(r["seq"] - one["responses"][0]["seq"] + 1, r["from"])
                    for r in self.first_of(one["responses"])],
                   self.responses())

    @staticmethod
    def first_of(responses):
        return [next(r for r in responses if r["seq"] == seq)
                for seq in sorted({r["seq"] for r in responses})]

    def responses(self):
        """Of a ping's, what scamper's form holds: whatever was heard within
        the wait."""
        return [(n, by) for n, _, by in self.rows
                if by and not self.case.late]

    def judge(self, tool):
        """What another program finds in the same network.  It may be wrong
        beside other work: ping leaves when errors and replies are as many as
        its probes."""
        for _ in range(4):
            got, want = self.received(tool) if tool in ("ping", "fping") \
                else self.hops()
            if got == want:
                return
        self.right(f"what {tool} finds (the judge)", got, want)

    def received(self, tool):
        self.next_target()
        wait = "3" if "answered" in self.outcomes else "1"
        count = str(len(self.rows))
        command = ["ping", "-n", "-q", "-c", count, "-i", "0.1", "-W",
                   wait, self.target] if tool == "ping" else \
            ["fping", "-q", "-c", count, "-p", "100", "-t",
             f"{wait}000", self.target]
        _, out, err = run(*command)
        found = re.search(r"(\d+) (?:packets )?received", out) or \
            re.search(r"xmt/rcv/%loss = \d+/(\d+)/", err)
        return found and int(found[1]), self.outcomes.count("answered")

    def hops(self):
        self.next_target()
        how = {"icmp": "-I", "udp": "-U", "tcp": "-T"}[self.method]
        _, out, _ = run("traceroute", "-n", how, "-q", "1", "-w", "3",
                        "-N", "1", "-m", str(len(self.rows)), self.target)
        hops = []
        for line in out.splitlines()[1:]:
            words = line.split()
            hops.append((int(words[0]),
                         None if words[1] == "*" else words[1]))
        return hops, [(row[0], row[2]) for row in self.rows]


def inside(name, family):
    """Runs all of one network; prints one line of JSON a finding."""
    network = networks.NETWORKS[name]()
    heard = []
    tun.enter(network, heard.append)
    for case in network.cases:
        first = True
        for method in case.methods:
            j = Judged(case, family, method)
            j.json()
            if first:
                j.text()
                j.csv()
                j.atlas()
                j.scamper("scamper", objects(
                    j.sonde("--format", "scamper")[0])[-1])
                if shutil.which("sc_warts2json"):
                    j.scamper("warts", warts(
                        j.command("--format", "warts")))
            for tool in case.judges.get(method, ()):
                if shutil.which(tool):
                    j.judge(tool)
            first = False
            j.right("complaints of this host", heard, [])
            print(json.dumps([f"{name}: {case.script} {case.options} by "
                              f"{method} over IPv{family}", j.wrong]),
                  flush=True)


def network_of(at):
    name, family = at
    return at, run("unshare", "-n", sys.executable, ME, "--of", name,
                   str(family), limit=600)


def main(names):
    if os.geteuid() != 0:
        http.skip_all("a TUN device needs root")
    if not os.path.exists("/dev/net/tun"):
        http.skip_all("this kernel has no /dev/net/tun")
    if run("unshare", "-n", "true")[0] != 0:
        http.skip_all("this kernel gives no network namespaces")
    for tool in ("sc_warts2json", "ping", "fping", "traceroute"):
        if not shutil.which(tool):
            print(f"# {tool} is not installed and judges nothing")
    tap = http.Tap()
    work = [(name, family) for name, of in networks.NETWORKS.items()
            if not names or name in names for family in of.families]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for (name, family), (status, out, err) in pool.map(network_of, work):
            for line in out.splitlines():
                what, wrong = json.loads(line)
                if not tap.ok(not wrong, what):
                    print("".join(f"#   {one}\n" for one in wrong), end="")
            if status != 0 or not out:
                tap.ok(False, f"{name} over IPv{family} is played to its end")
                print("".join(f"#   {one}\n" for one in err.splitlines()),
                      end="")
    tap.done()


if sys.argv[1:2] == ["--of"]:
    inside(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1:2] == ["--in"]:
    if os.environ.get("OUTCOMES_INSIDE"):
        tun.enter(networks.NETWORKS[sys.argv[2]](), print)
        sys.exit(
            subprocess.run(sys.argv[3:], check=False).returncode)
    os.environ["OUTCOMES_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, ME, *sys.argv[1:]])
else:
    main(sys.argv[1:])
