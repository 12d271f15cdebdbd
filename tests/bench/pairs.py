# SPDX-License-Identifier: ISC
"""Runs programs in turn on the same work and compares them: machines are
noisy, so only ratios between neighbours count, and their median is quoted."""
import ctypes
import os
import statistics
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


def run_once(command):
    """(wall seconds, CPU seconds, peak RSS in MiB) of one run.  The wall time
    ends when a prompt would come back; the CPU time is also that of children
    which the program did not wait for."""
    with open(os.devnull, "r+b") as null, tempfile.TemporaryFile() as said:
        start = time.monotonic()
        child = subprocess.Popen(command, stdin=null, stdout=null,
                                 stderr=said, start_new_session=True)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        said.seek(0)
        error = said.read()
    child.returncode = os.waitstatus_to_exitcode(status)
    cpu, rss = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
    try:
        while True:
            usage = os.wait4(-child.pid, 0)[2]
            cpu += usage.ru_utime + usage.ru_stime
            rss = max(rss, usage.ru_maxrss)
    except ChildProcessError:
        pass
    if child.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} ended with {child.returncode}: "
                           f"{error.decode(errors='replace')[-400:]}")
    return (wall, cpu, rss / 1024)


def compare(title, ours, peers, runs=6):
    """ours: (name, command); peers: the same, several.  Prints a table of
    medians and of the ratio ours / peer, pair by pair.  Every other round goes
    backwards: who follows a peer that mostly sleeps finds cold caches."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    rows = {name: [] for name, _ in [ours, *peers]}
    for attempt in range(runs + 1):     # the first run warms up
        for name, command in [ours, *peers][::-1 if attempt % 2 else 1]:
            figures = run_once(command)
            if attempt:
                rows[name].append(figures)
    print(f"\n{title}  ({runs} runs in turn, medians)")
    print(f"  {'':24}{'wall s':>10}{'CPU s':>10}{'RSS MiB':>10}"
          f"{'ours/it wall':>15}{'ours/it CPU':>14}")
    for name, figures in rows.items():
        wall, cpu, rss = (statistics.median(f[i] for f in figures)
                          for i in range(3))
        line = f"  {name:24}{wall:10.4f}{cpu:10.4f}{rss:10.1f}"
        if name != ours[0]:
            ratios = [statistics.median(
                a[i] / max(b[i], 1e-6) for a, b in zip(rows[ours[0]], figures))
                for i in range(2)]
            line += f"{ratios[0]:15.2f}{ratios[1]:14.2f}"
        print(line)
    return {name: [statistics.median(f[i] for f in figures) for i in range(3)]
            for name, figures in rows.items()}
