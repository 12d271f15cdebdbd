#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A real agent and a real collector, from enrolment to the end.

The network under the guardian is simulated (its addresses mean nothing; a
remote campaign may not probe documentation prefixes) and the sensor reads a
capture, so no privilege is needed and nothing leaves the machine.  What is tested is the
agent as a whole: that it enrols, runs what it is told and once what is to run
once, survives the death of each of its processes, gives up one that dies too
often, refuses garbage, reads its config again, and ends without loss.
"""

import http.server
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("O", "build")
PATIENCE_S = 120     # when something hangs; nothing waits for this long

SPIN = """return {
    summary = "computes for ever",
    operands = {type = "host", min = 1},
    options = {}, fields = {},
    run = function() while true do end end,
}
"""

WORLD = """start now
vantage here 11.1.1.2/24
router gate 11.1.1.1
router far 11.2.2.1
host goal 11.3.3.80
link here gate delay 1ms
link gate far delay 5ms
link far goal delay 1ms
"""


class Tap:
    count = failed = 0

    def check(self, what, good, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}",
              flush=True)
        if not good and detail:
            print("# " + str(detail).replace("\n", "\n# "))

    def until(self, what, question, detail=lambda: ""):
        """The question must become true; it is asked again and again."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if question():
                self.check(what, True)
                return
            time.sleep(0.1)
        self.check(what, False, detail())


def capture(path):
    """A pcap with SYNs from one source to many addresses."""
    with open(path, "wb") as to:
        to.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for i in range(200):
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, i, 0, 64, 6, 0,
                             bytes((203, 0, 113, 9)), bytes((192, 0, 2, i)))
            tcp = struct.pack(">HHIIBBHHH", 40000 + i, 23, i, 0, 0x50, 2,
                              1024, 0, 0)
            to.write(struct.pack("<IIII", 1700000000 + i // 100, i, 40, 40))
            to.write(ip + tcp)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lab:
    def __init__(self, folder):
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.env = dict(os.environ, SONDE_COLLECTOR=self.url)
        self.env["SONDE_SCRIPTS"] = folder
        self.config = f"{folder}/agent.conf"
        self.state = f"{folder}/state"
        self.agent = self.collector = None

    def start_collector(self):
        config = f"{self.folder}/collector.conf"
        with open(config, "w", encoding="ascii") as to:
            to.write(f'state-dir = "{self.folder}/collector"\n'
                     f'listen = "{self.url[7:]}"\n')
        self.collector = self.spawn(["sonde-collector", "-c", config])
        token = f"{self.folder}/collector/admin.token"
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if os.path.exists(token) and self.sonde("agents")[0] == 0:
                with open(token, encoding="ascii") as text:
                    self.env["SONDE_TOKEN"] = text.read().strip()
                return True
            time.sleep(0.1)
        return False

    def write_config(self, more=""):
        with open(self.config, "w", encoding="ascii") as to:
            to.write(f'collector = "{self.url}"\nname = "t1"\n'
                     f'state-dir = "{self.state}"\n'
                     f'net = "sim:{self.folder}/world.sim"\n'
                     f'feed = "{self.folder}/feed"\n'
                     f'sensor-interfaces = '
                     f'{{"file:{self.folder}/scan.pcap"}}\n'
                     'heartbeat = "500ms"\nrestart-least = "10ms"\n'
                     'retry-least = "50ms"\nallow-weak-sandbox = true\n'
                     + more)

    def spawn(self, words):
        with open(f"{self.folder}/{words[0]}.log", "ab") as log:
            return subprocess.Popen([f"{BUILD}/bin/{words[0]}", *words[1:]],
                                    stdout=log, stderr=log, env=self.env)

    def start_agent(self):
        self.agent = self.spawn(["sonde-agent", "-c", self.config])

    def run(self, *words):
        done = subprocess.run([f"{BUILD}/bin/{words[0]}", *words[1:]],
                              env=self.env, capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def sonde(self, *words):
        return self.run("sonde", *words)

    def lines(self, *words):
        code, out, _ = self.sonde(*words, "--json")
        return [json.loads(x) for x in out.splitlines()] if code == 0 else []

    def me(self):
        return next((a for a in self.lines("agents") if a["name"] == "t1"),
                    {})

    def records(self, kind, *more):
        return [r["record"] for r in
                self.lines("records", "--kind", kind, "-n", "1000", *more)]

    def counter(self, name):
        """The newest heartbeat's, or 0."""
        beats = self.records("heartbeat")
        newest = max(beats, key=lambda b: b["wall_ns"], default=None)
        return newest["heartbeat"]["counters"].get(name, 0) if newest else 0

    def children(self):
        path = f"/proc/{self.agent.pid}/task/{self.agent.pid}/children"
        found = {}
        with open(path, encoding="ascii") as pids:
            for pid in pids.read().split():
                try:
                    with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                        name = comm.read().strip().removeprefix("sonde-")
                        found[name] = int(pid)
                except OSError:
                    pass
        return found

    def log(self):
        with open(f"{self.folder}/sonde-agent.log", encoding="utf-8",
                  errors="replace") as text:
            return text.read()

    def stop(self):
        for process in (self.agent, self.collector):
            if process and process.poll() is None:
                process.kill()
                process.wait()


def test_config(tap, lab):
    code, _, _ = lab.run("sonde-agent", "-c", lab.config, "--check-config")
    tap.check("a right config is right", code == 0)
    lab.write_config("hartbeat = 5s\n")
    code, _, err = lab.run("sonde-agent", "-c", lab.config, "-n")
    tap.check("a wrong key is an error of config, with line and help",
              code == 78 and ":11:" in err and "heartbeat" in err, err)
    lab.write_config()
    code, out, _ = lab.run("sonde-agent", "-c", lab.config, "--print-config")
    with open("man/sonde-agent.conf.5", encoding="utf-8") as page:
        told = page.read()
    keys = [x.lstrip("# ").split(" =")[0] for x in out.splitlines()]
    missing = [k for k in keys if k not in told]
    tap.check("the man page names every key", len(keys) > 15 and not missing,
              missing)


def test_enrolment(tap, lab):
    code, _, err = lab.run("sonde-agent", "enrol", "-c", lab.config,
                           "--token", "0" * 32)
    tap.check("a token that nobody made is refused",
              code == 77 and "token: not known" in err, err)
    code, token, err = lab.sonde("token", "--tag", "lab")
    tap.check("the administrator makes a token", code == 0, err)
    enrol = ("sonde-agent", "enrol", "-c", lab.config, "--token",
             token.strip())
    code, _, err = lab.run(*enrol)
    tap.check("the agent enrols with it", code == 0, err)
    mode = stat.S_IMODE(os.stat(f"{lab.state}/agent.key").st_mode)
    tap.check("its key is for its owner's eyes", mode == 0o600, oct(mode))
    more = lab.sonde("token")[1].strip()
    other = Lab(f"{lab.folder}/other")
    os.mkdir(other.folder)
    other.url = lab.url
    other.write_config()
    enrol_other = ("sonde-agent", "enrol", "-c", other.config, "--token")
    code, _, err = other.run(*enrol_other, token.strip(), "--name", "t2")
    tap.check("a token that was used is refused to others",
              code == 77 and "token: used already" in err, err)
    code, _, err = other.run(*enrol_other, more)
    tap.check("so is a name that is taken", code == 2 and
              "'t1' is taken" in err and "--name" in err, err)
    code, _, err = other.run(*enrol_other, more, "--name", "t2")
    tap.check("and the token is good for another name", code == 0, err)
    code, _, err = lab.run(*enrol)
    tap.check("who is enrolled does not enrol again",
              code == 2 and "already" in err, err)


def test_campaigns(tap, lab):
    tap.until("the collector sees the agent up",
              lambda: lab.me().get("state") == "up", lab.log)
    tap.until("the sensor's sightings arrive",
              lambda: any(s["sighting"]["src"] == "203.0.113.9"
                          for s in lab.records("sighting", "--from",
                                               "2023-01-01T00:00:00Z")),
              lab.log)
    code, out, err = lab.sonde("submit", "trace", "11.3.3.80", "--on",
                               "lab", "--", "--method=icmp")
    tap.check("a campaign is submitted", code == 0, err)
    once = out.strip()
    code, out, err = lab.sonde("submit", "ping", "11.3.3.80", "--every",
                               "1s", "--", "--count=1")
    tap.check("and one that repeats", code == 0, err)
    again = out.strip()
    tap.until("the trace runs and its record says for whom",
              lambda: any(r["campaign"] == once and r["run"] == 1 and
                          r["trace"]["stop_reason"] == "completed"
                          for r in lab.records("trace")), lab.log)
    tap.until("the policy of campaigns lets it ask, and it is answered",
              lambda: any(r["ping"]["received"] == 1 for r in
                          lab.records("ping") if r["campaign"] == again),
              lab.log)
    code, out, err = lab.sonde("submit", "ping", "11.3.3.80", "--",
                               "--count=1", "--method=udp")
    udp = out.strip()
    tap.until("so is one by UDP",
              lambda: any(r["ping"]["received"] == 1 for r in
                          lab.records("ping") if r["campaign"] == udp),
              lab.log)
    tap.until("the ping runs again and again",
              lambda: len({r["run"] for r in lab.records("ping")
                           if r["campaign"] == again}) >= 3, lab.log)
    code, out, _ = lab.sonde("runs")
    tap.check("sonde runs lists them", once in out and again in out, out)
    code, out, _ = lab.sonde("records", "--kind", "trace")
    tap.check("sonde records shows hops", "11.2.2.1" in out, out)
    return once, again


def test_refusals(tap, lab):
    _, out, _ = lab.sonde("submit", "ping", "127.0.0.1", "--on", "lab")
    denied = out.strip()
    tap.until("the policy is the agent's: a denial comes back",
              lambda: any(r["campaign"] == denied and
                          r["ping"]["replies"][0].get("denied")
                          for r in lab.records("ping")), lab.log)
    for script, option in (("ping", "--no-such-option"),
                           ("nobody-wrote-this", "--x")):
        code, out, err = lab.sonde("submit", script, "11.3.3.80", "--on",
                                   "lab", "--", option)
        tap.check(f"{script} {option} is submitted", code == 0, err)
        word = option if script == "ping" else script
        tap.until("its run has failed, and a record says why",
                  lambda c=out.strip(), w=word:
                  any(r["campaign"] == c and r["run"] == 1 and
                      r["log"]["level"] == 0 and w in r["log"]["text"]
                      for r in lab.records("log")),
                  lambda: f"{lab.records('log')}")
        _, shown, _ = lab.sonde("campaigns", "--json")
        [campaign] = [c for c in map(json.loads, shown.splitlines())
                      if c["id"] == out.strip()]
        tap.check("the campaign shows it, and has ended",
                  campaign["state"] == "ended" and
                  campaign["failed_runs"] == 1 and
                  word in campaign["last_error"], campaign)
        _, shown, _ = lab.sonde("runs", "--campaign", out.strip())
        tap.check("so does its run", word in shown, shown)
    _, out, _ = lab.sonde("submit", "spin", "11.3.3.80")
    spin = out.strip()

    def failures():
        return [r["log"]["text"] for r in lab.records("log")
                if r["campaign"] == spin and r["log"]["level"] == 0]

    def killed():
        if worker := lab.children().get("worker"):
            os.kill(worker, signal.SIGKILL)
        return failures()

    tap.until("a run whose worker dies has failed", killed, lab.log)
    tap.check("and its record says of what", len(failures()) == 1 and
              "killed by signal 9" in failures()[0], failures())
    _, out, _ = lab.sonde("submit", "spin", "11.3.3.80", "--every", "1s")
    spin = out.strip()
    tap.until("so has one that was stopped", lambda:
              any("its time was over" in x for x in failures()), lab.log)
    lab.sonde("campaigns", "--stop", spin)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as feed:
        feed.connect(f"{lab.folder}/feed")
        feed.send(struct.pack(">I", 3) + b"\xff\xff\xff")
        feed.settimeout(PATIENCE_S)
        tap.check("who feeds garbage is cut off", feed.recv(1) == b"")
    tap.until("and told of",
              lambda: any("feed is cut off" in r["log"]["text"]
                          for r in lab.records("log")), lab.log)


def of_process(pid, what):
    with open(f"/proc/{pid}/{what}", encoding="utf-8") as text:
        return text.read()


def sockets_of(pid):
    folder = f"/proc/{pid}/fd"
    links = {os.readlink(f"{folder}/{n}") for n in os.listdir(folder)}
    return {x for x in links if x.startswith("socket:")}


def test_processes(tap, lab):
    """TLS is in the shipper alone, and the shipper is closed in."""
    words = ("libcurl", "libssl", "libcrypto", "libgnutls", "libkrb5")
    pids = dict(lab.children(), supervisor=lab.agent.pid)
    holders = {name for name, pid in pids.items()
               if any(w in of_process(pid, "maps") for w in words)}
    tap.check("only the shipper maps a TLS library",
              holders == {"shipper"} and len(pids) >= 4, holders)
    pid = pids["shipper"]
    with open(f"{lab.state}/agent.key", encoding="ascii") as text:
        key = text.read().strip()
    told = of_process(pid, "cmdline") + of_process(pid, "environ")
    tap.check("its secret key is not among its words",
              key not in told and told.startswith("sonde-shipper\0"), told)
    tap.check("nor is the administrator's token in its environment",
              "SONDE_TOKEN" in lab.env and "SONDE_TOKEN=" not in told)
    status = dict(line.split(":\t", 1) for line in
                  of_process(pid, "status").splitlines())
    tap.check("it has no capability, no new privilege, a filter",
              int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0 and
              status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and
              "0" not in status["Uid"].split(), status)
    shared = sockets_of(pid) & sockets_of(lab.agent.pid)
    tap.check("of the supervisor's sockets it has its two channels",
              len(shared) == 2 and len(sockets_of(lab.agent.pid)) > 8,
              shared)


def pings(lab, campaign):
    return {r["run"] for r in lab.records("ping")
            if r["campaign"] == campaign}


def test_deaths(tap, lab, campaign):
    for name, number in (("keeper", signal.SIGKILL),
                         ("guardian", signal.SIGKILL),
                         ("shipper", signal.SIGKILL),
                         ("shipper", signal.SIGTERM)):
        before = lab.children().get(name)
        os.kill(before, number)
        tap.until(f"a {name} that is killed is replaced",
                  lambda n=name, b=before:
                  lab.children().get(n) not in (None, b), lab.log)
        seen = pings(lab, campaign)
        tap.until(f"and runs go on without the old {name}",
                  lambda s=seen: pings(lab, campaign) - s, lab.log)


def test_restart(tap, lab, once, again):
    lab.agent.kill()
    lab.agent.wait()
    lab.start_agent()
    before = lab.counter("supervisor.runs")
    tap.until("a killed agent comes back",
              lambda: lab.counter("supervisor.runs") not in (0, before) or
              lab.me().get("state") == "up", lab.log)
    seen = pings(lab, again)
    tap.until("and goes on with what repeats",
              lambda: len(pings(lab, again) - seen) > 1, lab.log)
    runs = [r for r in lab.records("trace") if r["campaign"] == once]
    tap.check("what was to run once has run once", len(runs) == 1,
              f"{len(runs)} records")


def test_reload(tap, lab):
    lab.write_config('crash-budget = 3\nheartbeet = "1s"\n')
    lab.agent.send_signal(signal.SIGHUP)
    tap.until("a wrong config changes nothing",
              lambda: "the old config stays" in lab.log(), lab.log)
    lab.write_config('crash-budget = 3\n')
    lab.agent.send_signal(signal.SIGHUP)
    tap.until("a right one is taken",
              lambda: "config read again" in lab.log(), lab.log)
    tap.until("and every process comes back with it",
              lambda: {"keeper", "guardian", "shipper"} <=
              set(lab.children()), lab.log)


def test_budget(tap, lab):
    killed = set()

    def given_up():
        pid = lab.children().get("guardian")
        if pid and pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        return "it is given up" in lab.log()

    tap.until("a process that dies too often is given up", given_up, lab.log)
    tap.until("the heartbeat says so and the rest goes on",
              lambda: lab.counter("supervisor.failed.guardian") == 1,
              lab.log)


def test_end(tap, lab):
    lab.agent.terminate()
    code = lab.agent.wait(PATIENCE_S)
    tap.check("the agent ends when it is told to", code == 0, code)
    me = lab.me()
    tap.check("produced = stored + lost", me.get("produced") ==
              me.get("stored", -1) + me.get("lost", 0) and
              me.get("stored", 0) > 0, me)


def test_closed_stdio(tap, lab):
    """Its log must not be written into what took the place of stderr."""
    words = f"exec {BUILD}/bin/sonde-agent -c {lab.config} <&- >&- 2>&-"
    lab.agent = subprocess.Popen(["sh", "-c", words], env=lab.env)
    tap.until("an agent that is started without descriptors starts",
              lambda: len(lab.children()) >= 3)
    pids = dict(lab.children(), supervisor=lab.agent.pid)
    taken = [(name, os.readlink(f"/proc/{pid}/fd/{n}"))
             for name, pid in pids.items() for n in (0, 1, 2)
             if (name, n) != ("shipper", 0)]
    tap.check("and keeps their places free",
              {x for _, x in taken} == {"/dev/null"}, taken)
    lab.agent.terminate()
    tap.check("it ends as told", lab.agent.wait(PATIENCE_S) == 0)


def test_doctor(tap, lab):
    code, out, err = lab.sonde("doctor", "-c", lab.config, "--json")
    found = [json.loads(x) for x in out.splitlines()]
    lacks = [f for f in found if f["state"] == "lack"]
    tap.check("the doctor says what it found, and by its exit code",
              code == (1 if lacks else 0) and len(found) > 25, err)
    tap.check("it reaches the collector and knows the agent",
              {("collector", "ok"), ("disk", "ok")} <=
              {(f["area"], f["state"]) for f in found}, found)
    if os.geteuid() == 0:
        walls = [f for f in found if f["area"] == "sandbox"]
        tap.check("root's sandbox is whole", len(walls) == 25 and
                  all(f["state"] == "ok" for f in walls), walls)
    code, out, _ = lab.sonde("doctor", "--collector", "http://127.0.0.1:9")
    tap.check("a collector that is not there is missing",
              code == 1 and "lack  collector" in out, out)


def test_tls(tap, folder):
    """Another collector, over TLS: only who can vouch for it is believed."""
    os.mkdir(f"{folder}/tls")
    lab = Lab(f"{folder}/tls")
    lab.url = lab.url.replace("http:", "https:")
    cert, key = f"{lab.folder}/cert", f"{lab.folder}/key"
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj",
                        "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True,
                       capture_output=True)
    except FileNotFoundError:
        tap.check("TLS # SKIP openssl is not installed", True)
        return
    config = f"{lab.folder}/collector.conf"
    with open(config, "w", encoding="ascii") as to:
        to.write(f'state-dir = "{lab.folder}/collector"\n'
                 f'listen = "{lab.url}"\ntls-cert = "{cert}"\n'
                 f'tls-key = "{key}"\n')
    lab.collector = lab.spawn(["sonde-collector", "-c", config])
    lab.env["SONDE_COLLECTOR"] = lab.url
    admin = f"{lab.folder}/collector/admin.token"
    shutil.copy(f"{folder}/world.sim", lab.folder)
    shutil.copy(f"{folder}/scan.pcap", lab.folder)
    ask = ("token", "--ca-file", cert, "--token-file", admin)
    try:
        tap.until("a collector over TLS answers who trusts it",
                  lambda: lab.sonde(*ask)[0] == 0)
        code, _, err = lab.sonde("agents")
        tap.check("and not who does not", code == 69 and "cert" in err, err)
        lab.write_config()
        enrol = ("sonde-agent", "enrol", "-c", lab.config, "--token")
        code, _, err = lab.run(*enrol, lab.sonde(*ask)[1].strip())
        tap.check("an agent that cannot verify it does not enrol",
                  code == 69, err)
        lab.write_config(f'ca-file = "{cert}"\n')
        code, _, err = lab.run(*enrol, lab.sonde(*ask)[1].strip())
        tap.check("one that can does", code == 0, err)
        lab.start_agent()
        tap.until("and ships",
                  lambda: '"state":"up"' in
                  lab.sonde("agents", "--json", "--ca-file", cert)[1],
                  lab.log)
    finally:
        lab.stop()


def test_client(tap, lab):
    del lab.env["SONDE_TOKEN"]
    code, _, err = lab.sonde("submit", "ping", "192.0.2.1")
    tap.check("without a token nothing is submitted", code == 77, err)
    lab.collector.terminate()
    lab.collector.wait()
    for words in (("agents",), ("runs",), ("records",), ("token",),
                  ("submit", "ping", "192.0.2.1")):
        code, _, err = lab.sonde(*words)
        tap.check(f"sonde {words[0]} without a collector is 69",
                  code == 69 and err, f"{code} {err}")


class Unwilling(http.server.BaseHTTPRequestHandler):
    """Answers everything with a time to wait that no clock can hold."""
    asked = []

    def answer(self):
        self.asked.append(self.path.split("?")[0])
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(500)
        if "work" in self.path:
            self.send_header("Retry-After", str(2 ** 63 - 1))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def test_unwilling(tap, lab):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                         Unwilling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        lab.url = f"http://127.0.0.1:{server.server_port}"
        lab.write_config('retry-most = "100ms"\n')
        lab.start_agent()
        tap.until("an agent that is refused ships again and again",
                  lambda: Unwilling.asked.count("/api/v1/ingest") > 20,
                  lab.log)
        tap.check("and asks for work when it was told to, however late",
                  Unwilling.asked.count("/api/v1/work") == 1, Unwilling.asked)
        lab.agent.terminate()
        tap.check("and ends", lab.agent.wait(PATIENCE_S) == 0)
        server.shutdown()


def main():
    for name in ("sonde", "sonde-agent", "sonde-collector"):
        if not os.path.exists(f"{BUILD}/bin/{name}"):
            print(f"1..0 # SKIP {name} is not built")
            return 0
    folder = tempfile.mkdtemp(prefix="sonde-agent-test-")
    os.chmod(folder, 0o755)
    with open(f"{folder}/world.sim", "w", encoding="ascii") as world:
        world.write(WORLD)
    with open(f"{folder}/spin.lua", "w", encoding="ascii") as spin:
        spin.write(SPIN)
    capture(f"{folder}/scan.pcap")
    tap, lab = Tap(), Lab(folder)
    try:
        lab.write_config()
        test_config(tap, lab)
        tap.check("the collector starts", lab.start_collector())
        test_enrolment(tap, lab)
        lab.start_agent()
        once, again = test_campaigns(tap, lab)
        test_refusals(tap, lab)
        test_processes(tap, lab)
        test_deaths(tap, lab, again)
        test_restart(tap, lab, once, again)
        test_reload(tap, lab)
        test_budget(tap, lab)
        test_end(tap, lab)
        test_closed_stdio(tap, lab)
        test_doctor(tap, lab)
        test_tls(tap, folder)
        test_client(tap, lab)
        test_unwilling(tap, lab)
    finally:
        lab.stop()
        if tap.failed or os.environ.get("KEEP"):
            print(f"# left for you to look at: {folder}")
        else:
            shutil.rmtree(folder)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
