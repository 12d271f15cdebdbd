#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Several vantage points alive in one simulated internet at once: what a world
shares they share, what one does is not lost on the others, and a run is the
same every time."""
import json
import os
import random
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../../.."))
SONDE = os.path.abspath(os.path.join(os.environ.get("O", "build"),
                                     "bin", "sonde"))
ENDS = "tests/probes/net/sim/vantages.lua"
STAMP = "tests/probes/net/sim/stamp.lua"
WORLD = """
seed 11
vantage a 198.51.100.10/24 {a}
vantage b 198.51.101.10/24 {b}
router ra 203.0.113.2 {ra}
router rb 203.0.113.3 {rb}
router r1 203.0.113.1 {r1}
host web 192.0.2.80 {web}
link a ra delay 2ms
link b rb delay 3ms
link ra r1 {link}
link rb r1 {link}
link r1 web {last}
{more}
"""
checks = 0
failed = 0


def check(what, good, why=""):
    global checks, failed
    checks += 1
    print(f"{'' if good else 'not '}ok {checks} - {what}")
    if not good:
        failed += 1
        print("#", str(why)[:2000].replace("\n", "\n# "))


def world(directory, **words):
    blank = dict.fromkeys(("a", "b", "ra", "rb", "r1", "web", "link", "last",
                           "more"), "")
    path = os.path.join(directory, "world.sim")
    with open(path, "w") as file:
        file.write(WORLD.format(**{**blank, **words}))
    return path


def run(path, names, *command, limit=120):
    done = subprocess.run([SONDE, "--net", f"sim:{path}{names}", *command],
                          capture_output=True, text=True, timeout=limit,
                          check=False,
                          env={**os.environ, "SONDE_SCRIPTS": "probes/scripts"})
    return done.returncode, done.stdout, done.stderr


def records(path, names, *command):
    """By source address, the replies of each record, in order."""
    code, out, err = run(path, names, *command, "--json")
    kind = command[0]
    found = {}
    for line in out.splitlines():
        record = json.loads(line)[kind]
        found.setdefault(record["src"], []).append(record)
    return found, code, err


A, B = "198.51.100.10", "198.51.101.10"


def outcomes(found, source):
    return [r["outcome"] for r in found[source][0]["replies"]]


def budget(directory):
    path = world(directory, r1="limit 10/s burst 1")
    how = ("ping", "--ttl", "2", "-c", "20", "-i", "100ms", "web")
    alone = outcomes(records(path, "@a", *how)[0], A)
    found, _, err = records(path, "@a,b", *how)
    both = outcomes(found, A) + outcomes(found, B)
    check("alone, a vantage point has all of a router's ICMP budget",
          alone.count("hop") == 20, alone)
    check("two share it", len(both) == 40 and
          18 <= both.count("hop") <= 22, (both, err))


def counters(directory):
    path = world(directory, web="ip-id shared")
    found, _, err = records(path, "@a,b", "ping", "-c", "8", "-i", "100ms",
                            "web")
    both = sorted((r["tx_wall_ns"], r["reply_ip_id"]) for source in (A, B)
                  for r in found[source][0]["replies"])
    ids = [one[1] for one in both]
    check("a shared IP-ID counter counts the answers to both",
          sorted(ids) == list(range(min(ids), min(ids) + 16)), (both, err))
    own = [r["reply_ip_id"] for r in found[A][0]["replies"]]
    check("so each sees every second number",
          [y - x for x, y in zip(own, own[1:])] == [2] * 7, own)


def changes(directory):
    path = world(directory, more="at 10s link r1 web down")
    found, _, err = records(path, "@a,b", "ping", "-c", "20", "web")
    for name, source in (("a", A), ("b", B)):
        check(f"what happens at 10s happens to {name}",
              outcomes(found, source) == ["answered"] * 10 + ["rejected"] * 10,
              (found, err))


def translator(directory):
    text = """
vantage a 10.0.0.2/24
vantage b 10.0.0.3/24
router home 10.0.0.1 nat 198.51.100.1 deny tcp
host web 192.0.2.80
link a home
link b home
link home web
"""
    path = os.path.join(directory, "nat.sim")
    with open(path, "w") as file:
        file.write(text)
    found, _, err = records(path, "@a,b", "ping", "-s", "700", "-c", "3", "web")
    check("two behind one translator with one id have their own answers",
          [outcomes(found, s) for s in ("10.0.0.2", "10.0.0.3")] ==
          [["answered"] * 3] * 2, (found, err))


def firewalls(directory):
    path = world(directory, ra="stateful 30s", rb="stateful 30s")
    found, _, err = records(path, "@a,b", "ping", "-c", "2", "-w", "500ms",
                            "web")
    check("firewalls let their own vantage points out",
          outcomes(found, A) + outcomes(found, B) == ["answered"] * 4,
          (found, err))
    found, _, err = records(path, "@a,b", "ping", "-c", "1", "-w", "500ms",
                            "a", "b")
    check("and nobody in", [r["replies"][0]["outcome"] for r in found[A]
                            if r["dst"] == B] +
          [r["replies"][0]["outcome"] for r in found[B] if r["dst"] == A] ==
          ["silent"] * 2, (found, err))


def clocks(directory):
    path = world(directory, a="serve stamp", b="serve stamp clock-offset 250ms",
                 more="")
    code, out, err = run(path, "@a,b", "run", "--json", STAMP, "a", "b")
    got = {(f["vantage"], f["name"]): (f.get("there_ns"), f.get("back_ns"))
           for f in (json.loads(line)["train"]["fields"]
                     for line in out.splitlines())}
    way = 2 + 1 + 1 + 3

    def near(pair, there_ms, back_ms):
        # NTP's fraction is a quarter of a nanosecond, cut off.
        return pair and all(
            value is not None and abs(value - want * 1e6) < 10
            for value, want in zip(pair, (there_ms, back_ms)))
    check("vantage points answer each other by their own clocks", code == 0 and
          near(got.get(("a", "b")), way + 250, way - 250) and
          near(got.get(("b", "a")), way - 250, way + 250), (got, err))


def ends(directory):
    path = world(directory)

    def fields(*how):
        code, out, err = run(path, "@a,b", "run", ENDS, "--json", *how, "web")
        return code, [json.loads(line)["train"]["fields"]
                      for line in out.splitlines()], err
    code, got, err = fields()
    check("the same script runs at both, and knows where",
          code == 0 and [(f["vantage"], f["answered"]) for f in got] ==
          [("a", 5), ("b", 5)], (code, got, err))
    check("each draws its own numbers", got[0]["drawn"] != got[1]["drawn"], got)
    for how, status in (("", 0), ("error", 70), ("loop", 75)):
        for who, other in ("ab", "ba"):
            code, got, err = fields("--who", who, "--how", how)
            check(f"{other} goes on when {who} ends"
                  f"{' by ' if how else ' early'}{how}", code == status and
                  [(f["vantage"], f["answered"]) for f in got] == [(other, 5)],
                  (code, got, err))
    check("a log line says whose it is", f"vantages@{who}: " in err, err)


def names(directory):
    path = world(directory)

    def refused(what, list_of_names, text, status):
        code, out, err = run(path, list_of_names, "ping", "-c", "1", "web")
        check(what, code == status and text in err and not out, (code, err))
    refused("a name that is wrong is named", "@a,nobody", "'nobody'", 78)
    refused("so is the first", "@nobody,a", "'nobody'", 78)
    refused("one that is there twice, too", "@a,b,a", "'a'", 78)
    refused("an empty name is none", "@a,,b", "got 'a,,b'", 2)
    refused("nor is one at the end", "@a,", "got 'a,'", 2)
    refused("33 are too many", "@" + ",".join(["a"] * 33), "at most 32", 2)
    refused("so are 60,000", "@" + ",".join(["a"] * 60000), "at most 32", 2)
    targets = os.path.join(directory, "targets")
    with open(targets, "w") as file:
        file.write("web\na\n")
    code, out, err = run(path, "@a,b", "ping", "-c", "1", "--csv", "-f",
                         targets)
    check("each reads the file of targets", code == 0 and
          out.count("192.0.2.80") >= 2, (code, out, err))
    code, out, err = run(path, "@a,b", "ping", "-c", "1", "-f", "-")
    check("a pipe is not for several", code == 2 and "--file" in err, err)


def the_same(directory):
    path = world(directory, r1="limit 20/s burst 3 ip-id-rate 10..90",
                 link="loss 10% jitter 2ms", last="rate 1M queue 20k load 60%",
                 more="at 1s node web late 30ms late-share 50%")
    for command in (("trace", "web", "a", "b"), ("ping", "-c", "9", "-i", "300ms",
                                                 "web")):
        results = {run(path, "@a,b", *command, "--json")[:2]
                   for _ in range(6)}
        check(f"a run is the same every time: {command[0]}",
              len(results) == 1 and results.pop()[1], len(results))
    code, out, _ = run(path, "@a,b", "trace", "web")
    check("text says whose results follow", code in (0, 1) and
          out.startswith("vantage a\n") and "\nvantage b\n" in out, out)


def many(directory):
    path = os.path.join(directory, "many.sim")
    with open(path, "w") as file:
        file.write("router r 203.0.113.1\n")
        for i in range(32):
            file.write(f"vantage v{i} 198.51.100.{i + 1}\nlink v{i} r\n")
    names_of_all = "@" + ",".join(f"v{i}" for i in range(32))
    code, out, err = run(path, names_of_all, "ping", "-c", "2", "--json",
                         "203.0.113.1")
    lines = [json.loads(line)["ping"] for line in out.splitlines()]
    check("32 at once", code == 0 and [p["src"] for p in lines] ==
          [f"198.51.100.{i + 1}" for i in range(32)], (code, err))


def loops(directory):
    path = os.path.join(directory, "loop.sim")
    with open(path, "w") as file:
        file.write("""
vantage a 198.51.100.10
vantage b 198.51.101.10
router r 203.0.113.3 hidden
router s 203.0.113.4 hidden
host web 192.0.2.80
link a r
link b s
link r s delay 0ns duplicate 50%
link s web
route r 192.0.2.0/24 via s
route s 192.0.2.0/24 via r
""")
    found, code, err = records(path, "@a,b", "ping", "-c", "2", "web")
    check("a loop that no TTL and no delay ends keeps nobody", code == 1 and
          outcomes(found, A) + outcomes(found, B) == ["silent"] * 4,
          (found, err))


def through_hosts(directory):
    """A host with two links is no way for others, however short it is."""
    path = os.path.join(directory, "hosts.sim")
    targets = [f"203.0.113.{i}" for i in range(10, 26)]
    with open(path, "w") as file:
        file.write("vantage a 198.51.100.10\nvantage b 198.51.101.10\n"
                   "vantage c 198.51.102.10\n"
                   "router r0 203.0.113.1\nrouter r1 203.0.113.2\n"
                   "router r2 203.0.113.3\n" +
                   "".join(f"router t{i} {t}\n"
                           for i, t in enumerate(targets)) +
                   "link a r0\nlink c r0\nlink r0 r1\nlink r1 r2\n"
                   "link r0 b\nlink b r2\n" +
                   "".join(f"link r2 t{i}\n" for i in range(len(targets))))
    for names_of in ("@a", "@a,b", "@a,b,c"):
        found, code, err = records(path, names_of, "ping", "-c", "1", *targets)
        said = [r["outcome"] for pings in found.values() for p in pings
                for r in p["replies"]]
        check(f"no way leads through a host: {names_of}", code == 0 and
              said == ["answered"] * len(targets) * (names_of.count(",") + 1),
              (said, err))


def drawn(seed):
    """Routers with several ways of equal cost, three vantage points of which
    one has two uplinks, a static route, and links that fail and come back."""
    draw = random.Random(seed)
    lines = [f"seed {seed}"]
    lines += [f"vantage {v} 198.51.{100 + i}.10/24"
              for i, v in enumerate("abc")]
    lines += [f"router r{i} 203.0.113.{i + 1}" for i in range(40)]
    lines += [f"host h{i} 192.0.2.{i + 1}" for i in range(10)]
    pairs = sorted({(draw.randrange(i), i) for i in range(1, 40)} |
                   {tuple(sorted(draw.sample(range(40), 2)))
                    for _ in range(40)})
    lines += [f"link r{a} r{b} delay {draw.randrange(1, 30)}ms"
              for a, b in pairs]
    lines += [f"link h{i} r{draw.randrange(40)}" for i in range(10)]
    ends = draw.sample(range(40), 4)
    lines += [f"link {v} r{end}" for v, end in zip("abcb", ends)]
    for at in (1, 3):
        a, b = draw.choice(pairs)
        lines += [f"at {at}s link r{a} r{b} down",
                  f"at {at + 2}s link r{a} r{b} up"]
    a, b = draw.choice(pairs)
    lines.append(f"route r{a} 192.0.2.0/30 via r{b}")
    return "\n".join(lines) + "\n"


def views(directory):
    """Each sees together what it sees alone: outcomes, ways and times."""
    path = os.path.join(directory, "drawn.sim")
    targets = [f"203.0.113.{i}" for i in range(1, 41, 2)] + \
        [f"192.0.2.{i}" for i in range(1, 11)]
    command = ("ping", "-c", "4", "-i", "2s", *targets)

    def seen(names):
        found, code, err = records(path, names, *command)
        return {source: [(p["dst"], [(r["outcome"], r.get("rtt_ns"),
                                      r.get("reply_ttl"), r.get("from"))
                                     for r in p["replies"]])
                         for p in pings]
                for source, pings in found.items()} or (code, err)
    for seed in range(5):
        with open(path, "w") as file:
            file.write(drawn(seed))
        together = seen("@a,b,c")
        for i, name in enumerate("abc"):
            source = f"198.51.{100 + i}.10"
            alone = seen(f"@{name}")
            check(f"world {seed}: {name} sees together what it sees alone",
                  len(alone.get(source, ())) == len(targets) and
                  alone[source] == together.get(source),
                  (alone, together))


if not os.access(SONDE, os.X_OK):
    print(f"1..0 # SKIP {SONDE} is not built")
    sys.exit(0)
with tempfile.TemporaryDirectory() as place:
    for test in (budget, counters, changes, translator, firewalls, clocks,
                 ends, names, the_same, many, loops, views,
                 through_hosts):
        test(place)
print(f"1..{checks}")
sys.exit(failed > 0)
