# SPDX-License-Identifier: ISC
"""Runs programs in turn on the same work and compares them: machines are
noisy, so only ratios between neighbours count, and their median is quoted."""
import os
import statistics
import subprocess
import time


def run_once(command):
    """(wall seconds, CPU seconds, peak RSS in MiB) of one run."""
    start = time.monotonic()
    with open(os.devnull, "r+b") as null:
        child = subprocess.Popen(command, stdin=null, stdout=null,
                                 stderr=subprocess.PIPE)
        error = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} ended with {child.returncode}: "
                           f"{error.decode(errors='replace')[-400:]}")
    return (time.monotonic() - start, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024)


def compare(title, ours, peers, runs=3):
    """ours: (name, command); peers: the same, several.  Prints a table of
    medians and of the ratio ours / peer, pair by pair."""
    rows = {name: [] for name, _ in [ours, *peers]}
    for attempt in range(runs + 1):     # the first run warms up
        for name, command in [ours, *peers]:
            figures = run_once(command)
            if attempt:
                rows[name].append(figures)
    print(f"\n{title}  ({runs} runs in turn, medians)")
    print(f"  {'':24}{'wall s':>10}{'CPU s':>10}{'RSS MiB':>10}"
          f"{'ours/it wall':>15}{'ours/it CPU':>14}")
    for name, figures in rows.items():
        wall, cpu, rss = (statistics.median(f[i] for f in figures)
                          for i in range(3))
        line = f"  {name:24}{wall:10.3f}{cpu:10.3f}{rss:10.1f}"
        if name != ours[0]:
            ratios = [statistics.median(
                a[i] / max(b[i], 1e-6) for a, b in zip(rows[ours[0]], figures))
                for i in range(2)]
            line += f"{ratios[0]:15.2f}{ratios[1]:14.2f}"
        print(line)
    return {name: [statistics.median(f[i] for f in figures) for i in range(3)]
            for name, figures in rows.items()}
