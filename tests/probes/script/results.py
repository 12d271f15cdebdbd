#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Rows and headers that are wrong: each is refused with the place in the
script, the table, the column, what was expected and what came.  And no C file
names the script whose tables everything shows."""
import os
import subprocess
import sys
import tempfile

SONDE = os.path.join(os.environ.get("O", "build"), "bin", "sonde")
SIM = "vantage me 198.51.100.10/24\nhost web 192.0.2.80\nlink me web\n"
COLUMNS = """
	{name = "n", type = "integer", key = true},
	{name = "x", type = "number", low = "x_low", high = "x_high",
		probability = "p"},
	{name = "x_low", type = "number"}, {name = "x_high", type = "number"},
	{name = "p", type = "number"},
	{name = "b", type = "boolean"}, {name = "t", type = "text"},
	{name = "a", type = "address"}, {name = "net", type = "prefix"},
	{name = "o", type = "octets"}, {name = "at_ns", type = "time"},
	{name = "d_ns", type = "duration"}, {name = "r", type = "rate"},
	{name = "l", type = "list", of = "address"},
"""
ROW = """return {tables = {{name = "t1", columns = {%s}},
	{name = "t2", columns = {{name = "n", type = "integer"}}}},
run = function()
	%s
end}
"""
HEADER = """return {tables = {%s},
run = function()
end}
"""
T = "table 't1': column "
# What run() does, the line of it that the message names, and its words.
ROWS = [
    ("sonde.record('t1', {n = 1, z = 2})",
     "table 't1': column 'z' is not declared in the script's header"),
    ("sonde.record('t3', {n = 1})",
     "table 't3' is not declared in the script's header"),
    ("sonde.record{n = 1}", "expected the name of a table, got a table"),
    ("sonde.record('t1')", "expected a table of columns, got nothing"),
    ("sonde.record('t1', {7})", "expected columns by name, got integer 1"),
    ("sonde.record('t1', {})", T + "'n': expected integer, got nothing"),
    ("sonde.record('t1', {n = 1.5})",
     T + "'n': expected integer, got number 1.5"),
    ("sonde.record('t1', {n = '1'})",
     T + "'n': expected integer, got text '1'"),
    ("sonde.record('t1', {n = 1, x = '1'})",
     T + "'x': expected a finite number, got text '1'"),
    ("sonde.record('t1', {n = 1, x = 1/0})",
     T + "'x': expected a finite number, got number inf"),
    ("sonde.record('t1', {n = 1, b = 1})",
     T + "'b': expected boolean, got integer 1"),
    ("sonde.record('t1', {n = 1, t = 5})",
     T + "'t': expected text, got integer 5"),
    ("sonde.record('t1', {n = 1, t = 'a\\0b'})",
     T + "'t': expected text without a zero octet"),
    ("sonde.record('t1', {n = 1, t = string.rep('x', 4097)})",
     "column t: expected a text of at most 4096 octets"),
    ("sonde.record('t1', {n = 1, t = '\\xff'})", "text: not UTF-8"),
    ("sonde.record('t1', {n = 1, a = 'web'})",
     T + "'a': expected an address, got text 'web'"),
    ("sonde.record('t1', {n = 1, net = '192.0.2.1/24'})",
     T + "'net': expected a prefix without host bits"),
    ("sonde.record('t1', {n = 1, o = 1})",
     T + "'o': expected octets, got integer 1"),
    ("sonde.record('t1', {n = 1, at_ns = 1.0})",
     T + "'at_ns': expected time (integer of ns), got number 1"),
    ("sonde.record('t1', {n = 1, d_ns = '5ms'})",
     T + "'d_ns': expected duration (integer of ns), got text '5ms'"),
    ("sonde.record('t1', {n = 1, r = -1})",
     "column r: expected a finite rate of 0 or more"),
    ("sonde.record('t1', {n = 1, l = '192.0.2.1'})",
     T + "'l': expected a list, got text '192.0.2.1'"),
    ("sonde.record('t1', {n = 1, l = {'192.0.2.1', 2}})",
     T + "'l': expected an address, got integer 2"),
    ("local l = {} for i = 1, 257 do l[i] = '192.0.2.1' end"
     " sonde.record('t1', {n = 1, l = l})",
     T + "'l': expected at most 256 values, got 257"),
    ("sonde.record('t1', {n = 1, x = 2, x_low = 3, x_high = 1})",
     "column x: interval: expected low to be at most high, got 3 and 1"),
    ("sonde.record('t1', {n = 1, p = 95})",
     "column x: probability: expected 0 to 1, got 95"),
]
GOOD = "{name = 't', columns = {{name = 'n', type = 'integer'}%s}}"
HEADERS = [
    ("{name = 'T', columns = {}}", "tables: expected a name"),
    ("{name = 't', columns = {}}", "table t: columns: expected 1 to 64"),
    (GOOD % "" + ", " + GOOD % "", "tables: t is there twice"),
    (GOOD % ", {name = 'n', type = 'text'}", "columns: n is there twice"),
    (GOOD % ", {name = 'm', type = 'float'}", "got 'float'"),
    (GOOD % ", {name = 'm'}", "m: type: expected integer"),
    (GOOD % ", {name = 'm', type = 'list'}", "m: of: a list of integer"),
    (GOOD % ", {name = 'm', type = 'text', of = 'text'}", "only a list has"),
    (GOOD % ", {name = 'm', type = 'duration'}", "a name that ends in _ns"),
    (GOOD % ", {name = 'm_ns', type = 'time'}, {name = 'm', type = 'text'}",
     "m: this name is the text of m_ns"),
    (GOOD % ", {name = 'm', type = 'text', low = 'n', high = 'n'}",
     "m: only an integer, number, duration or rate has an interval"),
    (GOOD % ", {name = 'm', type = 'number', low = 'n'}",
     "m: low and high: expected both or none"),
    (GOOD % ", {name = 'm', type = 'number', low = 'n', high = 'n'}",
     "m: low: expected a column of type number that is no key, got n, int"),
    (GOOD % ", {name = 'm', type = 'number', low = 'z', high = 'z'}",
     "m: low: expected another column of the table, got 'z'"),
    (GOOD % ", {name = 'm', type = 'text', help = ('x'):rep(201)}",
     "m: help: expected at most 200 octets, got 201"),
    (", ".join("{name = 't%d', columns = {{name = 'n', type = 'text'}}}" % i
               for i in range(17)), "tables: more than 16"),
    ("{name = 't', columns = {" + ", ".join(
        "{name = 'c%d', type = 'text'}" % i for i in range(65)) + "}}",
     "columns: more than 64"),
]
count = failed = 0


def check(good, what, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    if not good:
        print("# " + why.replace("\n", "\n# "))


def run(folder, text, *more):
    path = os.path.join(folder, "mine.lua")
    with open(path, "w") as f:
        f.write(text)
    return subprocess.run(
        [SONDE, "--net", "sim:" + folder + "/net.sim", "run",
         "--allow-weak-sandbox", path, *more], stdin=subprocess.DEVNULL,
        capture_output=True, timeout=60, check=False)


def c_files_that_name(script):
    named = []
    for top in ("lib", "analysis", "probes", "collector", "web"):
        for folder, _, files in os.walk(top):
            if "node_modules" in folder:
                continue
            for name in files:
                if not name.endswith((".c", ".h", ".js", ".proto", ".mk")):
                    continue
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8", errors="replace") as f:
                    text = f.read()
                if script in text or script.replace("-", "_") in text:
                    named.append(path)
    return named


def main():
    if not os.access(SONDE, os.X_OK):
        print("1..0 # SKIP %s is not built" % SONDE)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/net.sim", "w") as f:
            f.write(SIM)
        for code, words in ROWS:
            got = run(folder, ROW % (COLUMNS, code))
            said = got.stderr.decode("utf-8", "replace")
            line = (ROW % (COLUMNS, "@")).split("@")[0].count("\n") + 1
            check(got.returncode != 0 and words in said and
                  "mine.lua:%d: " % line in said, words, said)
        for tables, words in HEADERS:
            got = run(folder, HEADER % tables)
            said = got.stderr.decode("utf-8", "replace")
            check(got.returncode != 0 and words in said, words, said)
        got = run(folder, HEADER % GOOD.replace("%s", ""), "--table", "u")
        check(b"expected one of t, got 'u'" in got.stderr,
              "a table that is not there", got.stderr.decode())
        got = run(folder, ROW % (COLUMNS, "sonde.record('t2', {n = -1})"),
                  "--csv")
        check(got.stdout.split(b"\r\n")[0] == b"table,wall_ns,n" and
              got.stdout.split(b"\r\n")[1].endswith(b",-1"),
              "a number is no formula in CSV", got.stdout.decode())
    named = c_files_that_name("three-tables")
    check(not named, "no source names the script of three tables",
          " ".join(named))
    print("1..%d" % count)
    return failed != 0


sys.exit(main())
