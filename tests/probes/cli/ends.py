#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What is at the other end of a measurement: a reader that takes its time, a
pipe that does not wait, a terminal that is closed, a disk that is full."""
import fcntl
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time

SONDE = os.path.join(os.environ.get("O", "build"), "bin/sonde")
RECORDS = 60000
STALL_S = 11  # more than a script may compute on its own

MANY = """return {fields = {{name = "n", type = "integer"}},
run = function()
	for i = 1, %d do sonde.record{n = i} end
end}
""" % RECORDS

# One probe is answered, then it waits to be ended (the time is virtual).
ENDLESS = """return {operands = {type = "host"}, run = function(args)
	local probe = sonde.icmp{dst = args.operands[1].address, seq = 1}
	local results = sonde.start({probe})
	print("waiting")
	while true do
		local result, why = sonde.next(sonde.now_ns() + sonde.s)
		if not result and why ~= "time" then break end
	end
	sonde.record_ping{probes = results}
end}
"""

NET = """vantage me 10.0.0.1/24
host web 10.0.0.2
link me web
"""

count = failed = 0


def check(what, good, why=""):
    global count, failed
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    if not good:
        failed += 1
        print("#", why)


def command(folder, script, *more):
    with open(os.path.join(folder, "net.sim"), "w") as f:
        f.write(NET)
    path = os.path.join(folder, "script.lua")
    with open(path, "w") as f:
        f.write(script)
    return [SONDE, "--net", "sim:%s/net.sim" % folder, "run", "--json", path,
            *more]


def read_late(folder, pause_s, nonblocking):
    """Lines of a pipe that is not read for a while; exit status."""
    out, into = os.pipe()
    if nonblocking:
        fcntl.fcntl(into, fcntl.F_SETFL, os.O_NONBLOCK | os.O_WRONLY)
    run = subprocess.Popen(command(folder, MANY), stdout=into,
                           stderr=subprocess.PIPE)
    os.close(into)
    time.sleep(pause_s)
    with open(out, "rb") as f:
        lines = f.read().count(b"\n")
    run.wait(60)
    return lines, run.returncode, run.stderr.read()


def close_terminal(folder):
    """The records of a run whose terminal is closed; its exit status."""
    path = os.path.join(folder, "out")
    pid, master = pty.fork()
    if pid == 0:
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), 1)
        line = command(folder, ENDLESS, "web")
        os.execv(line[0], line)
    seen = b""
    while b"waiting" not in seen:
        seen += os.read(master, 1000)
    os.close(master)
    for _ in range(600):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            with open(path) as f:
                return f.read(), status
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    return "", -1


if not os.access(SONDE, os.X_OK):
    print("1..0 # SKIP %s is not built" % SONDE)
    sys.exit(0)
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    got = read_late(folder, STALL_S, False)
    check("a full pipe is waited for", got == (RECORDS, 0, b""), got)
    got = read_late(folder, 1, True)
    check("so is one that does not wait", got == (RECORDS, 0, b""), got)
    text, status = close_terminal(folder)
    check("a terminal that is closed ends the run, with what there is",
          text.count('"kind":"ping"') == 1 and os.WIFEXITED(status)
          and os.WEXITSTATUS(status) == 1, (text, status))
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            run = subprocess.run(command(folder, MANY), stdout=full,
                                 stderr=subprocess.PIPE, timeout=60)
        check("a full disk is said once",
              run.returncode == 74 and run.stderr.count(b"\n") == 1
              and b"No space left" in run.stderr, run)
print("1..%d" % count)
sys.exit(1 if failed else 0)
