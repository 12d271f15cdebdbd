#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The sensor on a wire: a steady flood over a veth pair in a network of its
own, counted exactly, with what it costs beside tcpdump's.

  sensor-live.py            `sonde sensor -i` beside tcpdump, then the agent's
                            sensor in a worm flood of 65,536 sources
  sensor-live.py --check    the short form: counts alone, no times

SECONDS (60), RATE (400000) and SOURCES (65536) in the environment."""
import ctypes
import json
import os
import signal
import subprocess
import sys
import time

BUILD = os.environ.get("O", "build")
CHECK = "--check" in sys.argv
SECONDS = float(os.environ.get("SECONDS", "1" if CHECK else "60"))
RATE = int(os.environ.get("RATE", "50000" if CHECK else "400000"))
SOURCES = int(os.environ.get("SOURCES", "65536"))
PATIENCE_S = 120
BOUND_KIB = 16384
TICKS = os.sysconf("SC_CLK_TCK")
failed = number = 0


def check(what, good, detail=""):
    global failed, number
    number += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} - {what}"
          f"{'' if good else chr(10) + '# ' + str(detail)}", flush=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def wire():
    # Of every later device, too: what the kernel itself sends is dropped with
    # the rest, and was not sent by the flood.
    with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w",
              encoding="ascii") as file:
        file.write("1")
    ip("link", "add", "out0", "type", "veth", "peer", "name", "in0")
    for end in ("out0", "in0"):
        ip("link", "set", end, "up")


def flood(kind, seconds=SECONDS):
    done = subprocess.run(
        [f"{BUILD}/bench/flood", "out0", str(int(RATE * seconds)), str(RATE),
         str(SOURCES), kind], capture_output=True, text=True, check=True)
    sent, took = done.stdout.split()
    return int(sent), float(took)


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as text:
        fields = text.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_kib(pid):
    """All of it, and what of that is the ring of frames."""
    ring = everything = 0
    in_ring = False
    with open(f"/proc/{pid}/smaps", encoding="ascii") as text:
        for line in text:
            if "-" in line.split()[0]:
                in_ring = "socket:" in line
            elif line.startswith("Pss:"):
                everything += int(line.split()[1])
                ring += int(line.split()[1]) * in_ring
    return everything, ring


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as text:
        return [int(word) for word in text.read().split()]


def kernel_lost():
    with open("/proc/net/dev", encoding="ascii") as devices:
        for line in devices:
            if line.strip().startswith("in0:"):
                return int(line.split(":")[1].split()[3])
    return 0


def until(question):
    end = time.monotonic() + PATIENCE_S
    while not question():
        if time.monotonic() > end:
            raise TimeoutError(question)
        time.sleep(0.05)


def is_confined(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as text:
            return "Seccomp:\t2" in text.read()
    except FileNotFoundError:
        return False


def run_sensor(kind):
    """Counts, CPU seconds and PSS at half time and at the end."""
    sensor = subprocess.Popen(
        [f"{BUILD}/bin/sonde", "sensor", "-i", "in0", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: children(sensor.pid) and
          is_confined(children(sensor.pid)[0]))
    [child] = children(sensor.pid)
    before, lost = cpu_s(child), kernel_lost()
    sent, took = flood(kind, SECONDS / 2)
    half = pss_kib(child)
    more, took_more = flood(kind, SECONDS / 2)
    time.sleep(0.3)
    end, spent = pss_kib(child), cpu_s(child) - before
    sensor.send_signal(signal.SIGTERM)
    out, err = sensor.communicate(timeout=PATIENCE_S)
    rows = [json.loads(line) for line in out.splitlines()]
    [summary] = [row["summary"] for row in rows if "summary" in row]
    return {"sent": sent + more, "took": took + took_more, "cpu": spent,
            "half": half, "end": end, "lost": kernel_lost() - lost,
            "summary": summary, "err": err,
            "packets": sum(r["packets"] for r in rows if "packets" in r)}


def run_tcpdump(kind):
    """CPU seconds a packet that it captured."""
    dump = subprocess.Popen(
        ["tcpdump", "-n", "-i", "in0", "-s", "2048", "-B", "32768", "-w",
         "/dev/null", "-Z", "root"], stderr=subprocess.PIPE, text=True)
    for line in dump.stderr:
        if "listening" in line:
            break
    before = cpu_s(dump.pid)
    sent, _ = flood(kind)
    time.sleep(0.5)
    spent = cpu_s(dump.pid) - before
    dump.send_signal(signal.SIGINT)
    words = dump.communicate(timeout=PATIENCE_S)[1]
    got = next(int(line.split()[0]) for line in words.splitlines()
               if "captured" in line)
    return spent / max(got, 1), sent, got


def live(kind):
    r = run_sensor(kind)
    s = r["summary"]
    got, dropped = s["packets"], s["dropped"]
    check(f"{kind}: captured + dropped = sent",
          got + dropped + r["lost"] == r["sent"], r)
    check(f"{kind}: what was captured is what was counted",
          got == s["decoded"] and s["not_ip"] == 0, s)
    own = [(everything - ring) for everything, ring in (r["half"], r["end"])]
    if CHECK:
        return
    print(f"sensor live       {kind:8} {r['sent']} sent at "
          f"{r['sent'] / r['took']:.0f}/s, {got} captured, {dropped} dropped, "
          f"{r['lost']} lost before, {r['cpu'] / got * 1e9:.0f} ns CPU a "
          f"packet, PSS {own[0]} then {own[1]} KiB, ring {r['end'][1]} KiB")
    each, sent, captured = run_tcpdump(kind)
    print(f"tcpdump           {kind:8} {sent} sent, {captured} captured, "
          f"{each * 1e9:.0f} ns CPU a packet: the sensor takes "
          f"{r['cpu'] / got / each:.2f}x")


def seen(path):
    """Captured and dropped, by the newest heartbeat."""
    items = path.get("/api/v1/records?kind=heartbeat&limit=1")["items"]
    counters = items[0]["record"]["heartbeat"]["counters"] if items else {}
    return sum(counters.get(f"sensor.{what}", 0) for what in
               ("captured", "dropped", "dropped_kernel"))


def agent_flood():
    """A real agent, which reports to a real collector."""
    os.environ["SONDE_IN_NAMESPACE"] = "1"
    sys.path.insert(0, os.path.join(os.path.dirname(
        os.path.abspath(__file__)), "../probes/agent"))
    import worm_path  # pylint: disable=import-outside-toplevel
    path = worm_path.Path(worm_path.Veth, "60s")
    try:
        path.start()
        ip("link", "del", "out0")
        ip("link", "set", "worm0", "name", "out0")
        worm_path.make.carries("out0")
        sent, took = flood("slammer")
        pids = [path.agent.pid, *children(path.agent.pid)]
        parts = {open(f"/proc/{pid}/comm", encoding="ascii").read().strip():
                 pss_kib(pid) for pid in pids}
        total = sum(a for a, _ in parts.values())
        ring = sum(b for _, b in parts.values())
        path.until(lambda: seen(path) >= sent)
        check("agent: it ends and ships what it has", path.stop_agent() == 0)
        items = path.get("/api/v1/records?kind=heartbeat&limit=1")["items"]
        counters = items[0]["record"]["heartbeat"]["counters"]
        dropped = counters["sensor.dropped"] + \
            counters["sensor.dropped_kernel"]
        slammer = [s for s in path.get("/api/v1/signatures?limit=100")["items"]
                   if s["signature"] == "slammer"]
        stored = sum(s["packets"] for s in slammer)
        check("agent: what the collector has and what was dropped = sent",
              stored + dropped == sent, (sent, stored, dropped, slammer))
        if not CHECK:
            check("agent: 16 MiB of all its processes beside the ring",
                  total - ring <= BOUND_KIB, parts)
            print(f"agent flood       {sent} sent at {sent / took:.0f}/s of "
                  f"{SOURCES} sources, {stored} counted, {dropped} dropped, "
                  f"PSS {total - ring} KiB beside {ring} KiB of ring: "
                  f"{parts}; {slammer[0]['sources']} sources at the collector")
    finally:
        path.close()


def main():
    if os.geteuid() != 0 or ctypes.CDLL(None).unshare(0x40000000) != 0:
        print("1..0 # SKIP no network of its own")
        return 0
    ip("link", "set", "lo", "up")
    wire()
    for kind in ("mixed", "slammer"):
        live(kind)
    agent_flood()
    print(f"1..{number}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
