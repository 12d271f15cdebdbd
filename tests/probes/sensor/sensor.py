#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`sonde sensor -r` from outside: captures made here, answers known before.
Every class and signature, every link and file format, cut and broken files,
the options and the exit codes."""
import json
import os
import subprocess
import sys
import tempfile

import sensor_packets as make
from sensor_packets import ACK, FIN, PSH, RST, SYN, URG

SONDE = os.path.abspath(f"{os.environ.get('O', 'build')}/bin/sonde")
HOME = "198.51.100."
count = failed = 0


def check(what, ok, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}")
    if not ok:
        failed += 1
        print(f"# {detail}")


def run(*arguments, **more):
    return subprocess.run([SONDE, "sensor", *arguments], capture_output=True,
                          text=True, timeout=60, check=False, **more)


def read(*arguments, **more):
    done = run("--json", *arguments, **more)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = [line for line in lines if "src" in line]
    summaries = [line["summary"] for line in lines if "summary" in line]
    return found, summaries[-1] if summaries else None, done


def attackers():
    """(source, verdict, signature, proto, dport, packets, targets) and the
    packets that make it so."""
    def to(n):
        return HOME + str(n)
    cases = []

    def case(verdict, signature, proto, dport, targets, packets):
        src = f"203.0.113.{len(cases) + 1}"
        built = [p(src) for p in packets]
        if verdict == "unrouted":
            src = "10.1.2.3"
        cases.append(((src, verdict, signature, proto, dport, len(built),
                       targets), built))

    case("worm", "slammer", "udp", 1434, 3,
         [lambda s, n=n: make.udp(s, to(n), 1434, make.SLAMMER)
          for n in (1, 2, 3)])
    case("worm", "slammer", "udp", 1434, 1,
         [lambda s: make.udp(s, to(9), 1434, make.SLAMMER)])
    case("worm", "mirai", "tcp", 23, 2,
         [lambda s, n=n: make.mirai(s, to(n)) for n in (4, 5)])
    case("worm", "mirai", "tcp", 2323, 1,
         [lambda s: make.mirai(s, to(6), 2323)])
    case("worm", "welchia", "icmp", None, 2,
         [lambda s, n=n: make.icmp(s, to(n), 8, payload=b"\xaa" * 64)
          for n in (1, 2)])
    case("worm", "witty", "udp", 7000, 1,
         [lambda s: make.udp(s, to(1), 7000, make.WITTY, sport=4000)])
    case("scan", "masscan", "tcp", 443, 4,
         [lambda s, n=n: make.masscan(s, to(n), 443, n * 99999)
          for n in (1, 2, 3, 4)])
    case("scan", "zmap", "tcp", 80, 3,
         [lambda s, n=n: make.tcp(s, to(n), 80, ident=54321, ttl=245,
                                  window=65535) for n in (1, 2, 3)])
    case("probe", None, "tcp", 80, 1,
         [lambda s: make.tcp(s, to(1), 80, ident=54321)])
    case("scan", None, "tcp", 8080, 5,
         [lambda s, n=n: make.tcp(s, to(n), 8080, ident=n * 999)
          for n in range(1, 6)])
    case("scan", None, "udp", 5060, 5,
         [lambda s, n=n: make.udp(s, to(n), 5060, b"OPTIONS", ident=n * 999)
          for n in range(1, 6)])
    case("scan", None, "icmp", None, 5,
         [lambda s, n=n: make.icmp(s, to(n), 8, ident=n * 999)
          for n in range(1, 6)])
    case("scan", None, "tcp", None, 1,
         [lambda s, n=n: make.tcp(s, to(1), n, ident=n * 999)
          for n in range(1, 40)])
    case("scan", None, "tcp", 22, 3,
         [lambda s, n=n: make.tcp(s, to(n), 22, FIN | PSH | URG)
          for n in (1, 2, 3)])
    case("probe", None, "udp", 1434, 2,  # SSRP ping: nobody's worm
         [lambda s, n=n: make.udp(s, to(n), 1434, b"\2") for n in (1, 2)])
    case("probe", None, "udp", 1434, 2,  # one octet too many
         [lambda s, n=n: make.udp(s, to(n), 1434, make.SLAMMER + b"A")
          for n in (1, 2)])
    case("backscatter", None, "tcp", 4000, 3,
         [lambda s, n=n: make.tcp(s, to(n), 4000, SYN | ACK, sport=80)
          for n in (1, 2, 3)])
    case("backscatter", None, "tcp", 4001, 1,
         [lambda s: make.tcp(s, to(1), 4001, RST, sport=80,
                             seq=make.number(to(1)))])
    case("probe", None, "udp", 4002, 1,  # a port is no proof of an answer
         [lambda s: make.udp(s, to(1), 4002, b"answer", sport=53)])
    quote = make.udp(to(1), "192.0.2.1", 1434, make.SLAMMER)
    case("backscatter", None, "icmp", None, 1,
         [lambda s: make.icmp(s, to(1), 3, 1, quote, rest=0)])
    case("probe", None, "udp", 7777, 1,
         [lambda s: make.udp(s, to(1), 7777, b"again")] * 6)
    case("unrouted", None, "tcp", 80, 1,
         [lambda s: make.tcp("10.1.2.3", to(1), 80, ttl=50)])
    case("flood", None, "tcp", 80, 1,
         [lambda s: make.tcp(s, to(7), 80)] * 300)
    case("probe", None, "tcp", 443, 2,
         [lambda s, n=n: make.tcp(s, to(n), 443, ACK) for n in (1, 2)])
    case("probe", None, "udp", 1434, 1,  # a fragment of what may be a worm
         [lambda s: make.udp(s, to(1), 1434, make.SLAMMER, frag=0x2000)])
    case("other", None, "ip-47", None, 1,
         [lambda s: make.ip(s, to(1), 47, b"\0" * 8)])
    return cases


def packets_of(cases):
    return [(i * 0.01, p) for i, p in enumerate(
        p for _, packets in cases for p in packets)]


def row(found):
    return (found["src"], found["verdict"], found["signature"],
            found["proto"], found["dport"], found["packets"],
            found["targets"])


def differences(cases, found):
    want = {case for case, _ in cases}
    got = {row(f) for f in found}
    relaxed = {r[:4] + (None,) + r[5:] for r in got}
    return sorted(map(str, {w for w in want if w not in got and not (
        w[4] is None and w in relaxed)} | {
            g for g in got if g not in want and
            g[:4] + (None,) + g[5:] not in want}))


def test_scanners(folder):
    path = make.pcap(f"{folder}/scanners.pcap", [
        (i * 0.1, make.tcp(src, HOME + str(n), 22, ident=n)) for i, (src, n) in
        enumerate((s, n) for s in ("203.0.113.9", "203.0.113.200")
                  for n in range(1, 9))])
    names = f"{folder}/scanners"
    with open(names, "w", encoding="ascii") as f:
        f.write("# research\n203.0.113.0/25 Example University\n")
    found, _, done = read("-r", path, "--scanners", names)
    check("a scanner on the list has its name, and its verdict",
          {f["src"]: (f["scanner"], f["verdict"]) for f in found} ==
          {"203.0.113.9": ("Example University", "scan"),
           "203.0.113.200": (None, "scan")}, found or done.stderr)
    with open(names, "w", encoding="ascii") as f:
        f.write("\n203.0.113.1/25 Example University\n")
    _, _, done = read("-r", path, "--scanners", names)
    check("a wrong line of the list is named",
          done.returncode == 78 and f"{names}:2: " in done.stderr,
          (done.returncode, done.stderr))


def test_zoo(folder):
    cases = attackers()
    packets = packets_of(cases)
    path = make.pcap(f"{folder}/zoo.pcap", packets)
    found, summary, done = read("-r", path)
    wrong = differences(cases, found)
    check("every source has the verdict that its packets deserve",
          not wrong and done.returncode == 0, wrong or done.stderr)
    check("all packets are accounted for",
          summary["packets"] == summary["decoded"] == len(packets) ==
          sum(f["packets"] for f in found) and
          summary["sources"] == len(cases) and summary["fragments"] == 1 and
          summary["truncated"] == summary["malformed"] ==
          summary["dropped"] == summary["evicted"] == 0, summary)
    victim = [f["victim"] for f in found if f["victim"]]
    check("an ICMP error names the victim that it quotes, an answer itself",
          sorted(victim) == ["192.0.2.1", "203.0.113.17", "203.0.113.18"],
          victim)
    worms = [f for f in found if f["signature"] == "slammer"]
    check("times are ISO 8601 and a payload has one hash",
          worms[0]["first"] == "2023-11-14T22:13:20.000000000Z" and
          worms[0]["last"] == "2023-11-14T22:13:20.020000000Z" and
          len({f["payload_hash"] for f in worms}) == 1 and
          len(worms[0]["payload_hash"]) == 32, worms)
    return cases, packets


def test_formats(folder, cases, packets):
    plain = [p for _, p in packets]
    six = make.ip("2001:db8::1", "2001:db8:1::1", 17,
                  b"\x9c\x40\x13\xc4\0\x08\0\0")
    for link in make.DLT:
        for order, nano in (("<", False), (">", True)):
            path = make.pcap(f"{folder}/link.pcap", packets + [(9, six)],
                             link, order=order, nano=nano)
            found, _, done = read("-r", path)
            wrong = differences(cases, [f for f in found
                                        if ":" not in f["src"]])
            check(f"{link} in a pcap of byte order {order} reads the same",
                  not wrong and done.returncode == 0 and
                  any(f["src"] == "2001:db8::1" for f in found),
                  wrong or done.stderr)
    path = make.pcapng(f"{folder}/zoo.pcapng", plain, step=0.01)
    found, _, done = read("-r", path)
    check("pcapng reads the same", not differences(cases, found),
          done.stderr)
    with open(path, "rb") as file:
        found, _, done = read("-r", "-", stdin=file)
    check("and so does standard input", not differences(cases, found),
          done.stderr)


def test_cut(folder):
    slammer = [make.udp("203.0.113.1", HOME + str(n), 1434, make.SLAMMER)
               for n in range(1, 5)]
    for snaplen, verdict, undecided in ((96, "worm", 0), (58, "worm", 0),
                                        (57, "probe", 4), (42, "probe", 4)):
        path = make.pcap(f"{folder}/cut.pcap", slammer, snaplen=snaplen)
        found, summary, _ = read("-r", path)
        check(f"Slammer cut to {snaplen} octets is {verdict}",
              len(found) == 1 and found[0]["verdict"] == verdict and
              summary["undecided"] == undecided and summary["cut"] == 4,
              (found, summary))
    path = make.pcap(f"{folder}/cut.pcap", slammer, snaplen=37)
    found, summary, done = read("-r", path)
    check("a cut header is counted as truncated",
          not found and summary["truncated"] == 4 and
          summary["decoded"] == 0 and done.returncode == 0, summary)
    bad = make.tcp("203.0.113.1", HOME + "1", 80)
    bad = bad[:32] + b"\x10" + bad[33:]
    path = make.pcap(f"{folder}/bad.pcap", [bad, slammer[0], b"\x10" * 20])
    _, summary, _ = read("-r", path)
    check("contradictions are counted as malformed",
          (summary["packets"], summary["malformed"], summary["decoded"]) ==
          (3, 2, 1), summary)


def test_home(folder):
    web = "192.0.2.80"
    packets = [
        make.tcp(HOME + "1", web, 80, sport=5555),
        make.tcp(web, HOME + "1", 5555, SYN | ACK, sport=80),
        make.tcp(HOME + "1", web, 80, ACK, sport=5555),
        make.tcp(web, HOME + "1", 6666, SYN | ACK, sport=81),
        make.udp(HOME + "66", "203.0.113.200", 1434, make.SLAMMER),
    ] + [make.mirai("203.0.113.5", HOME + str(n)) for n in range(3)]
    path = make.pcap(f"{folder}/home.pcap", packets)
    found, summary, _ = read("-r", path, "--home", HOME + "0/24")
    got = sorted((f["src"], f["verdict"], f["packets"]) for f in found)
    check("home's own packets and their answers are left out",
          got == [(web, "backscatter", 1), ("203.0.113.5", "worm", 3)] and
          summary["home"] == 3 and summary["replies"] == 1, (got, summary))
    found, summary, _ = read("-r", path, "--home", HOME + "1", "--home",
                             "192.0.2.0/24")
    check("several homes may be given",
          summary["home"] == 4 and {f["src"] for f in found} ==
          {HOME + "66", "203.0.113.5"}, summary)
    done = run("-r", path, "--home", "198.51.100.1/24")
    check("a prefix with host bits is refused and the right one named",
          done.returncode == 2 and "198.51.100.0/24" in done.stderr,
          done.stderr)


def test_bounds(folder):
    packets = [make.tcp(f"10.{n >> 8}.{n & 255}.1", HOME + "1", 80, ident=n)
               for n in range(5000)]
    worm = make.mirai("203.0.113.5", HOME + "1")
    path = make.pcap(f"{folder}/many.pcap", [worm] + packets, step=1.0)
    found, summary, _ = read("-r", path, "--max-sources", "100")
    check("sources that are evicted are counted, all of them estimated",
          summary["evicted"] == 4901 and
          4700 < summary["sources"] < 5300 and len(found) == 102 and
          summary["unlisted"] == 4901, summary)
    together = [f for f in found if f["src"] is None]
    check("and reported together, by what they did",
          sorted((f["verdict"], f["packets"], f["evicted"]) for f in together)
          == [("probe", 4900, True), ("worm", 1, True)] and
          all(f["sources"] <= f["packets"] for f in together), together)
    check("packets of all verdicts add up",
          sum(v["packets"] for v in summary["verdicts"].values()) == 5001,
          summary)
    _, summary, _ = read("-r", path, "--count", "77")
    check("--count stops", summary["packets"] == 77, summary)
    _, summary, _ = read("-r", path, "--filter", "src 203.0.113.5")
    check("--filter selects", summary["packets"] == 1, summary)


def test_text(folder, packets):
    path = make.pcap(f"{folder}/zoo.pcap", packets)
    done = run("-r", path)
    rows = [line.split()[0] for line in done.stdout.splitlines()
            if line and not line.startswith("VERDICT")][:-1]
    order = ["worm", "flood", "scan", "probe", "backscatter",
             "misconfiguration", "unrouted", "other"]
    check("the table has the worst first",
          rows == sorted(rows, key=order.index) and len(rows) > 20 and
          done.returncode == 0, done.stdout)
    done = run("-r", path, "--rows", "3")
    check("--rows bounds it and says what is left out",
          "more" in done.stdout and
          len(done.stdout.splitlines()) == 7, done.stdout)
    codes = [run("-r", path, "--fail-on", verdict).returncode
             for verdict in ("worm", "other")]
    clean = make.pcap(f"{folder}/clean.pcap", [])
    codes.append(run("-r", clean, "--fail-on", "worm").returncode)
    check("--fail-on turns a finding into exit code 1", codes == [1, 1, 0],
          codes)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SONDE, "sensor", "-r", path], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    check("an output that cannot be written is an error",
          done.returncode == 74 and b"output" in done.stderr, done)


def test_broken(folder, cases, packets):
    path = make.pcap(f"{folder}/zoo.pcap", packets)
    with open(path, "rb") as file:
        data = file.read()
    for name, content in (("empty", b""), ("text", b"not a capture\n" * 9),
                          ("head", data[:20])):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
        done = run("-r", f"{folder}/{name}")
        check(f"a file that is no capture ({name}) is named as such",
              done.returncode == 74 and name in done.stderr and
              len(done.stderr.splitlines()) == 1, done)
    with open(f"{folder}/torn", "wb") as file:
        file.write(data[:-7])
    found, summary, done = read("-r", f"{folder}/torn")
    check("a torn file gives what it has and says that it is torn",
          done.returncode == 74 and "torn" in done.stderr and
          summary["packets"] == len(packets) - 1 and
          len(found) == len(cases) - 1, done.stderr)
    done = run("-r", make.pcap(f"{folder}/usb", packets, dlt=189))
    check("a link that is not known is named",
          done.returncode == 74 and "189" in done.stderr, done)
    check("a missing file is an I/O error",
          run("-r", f"{folder}/none").returncode == 74)
    check("a folder is none", run("-r", folder).returncode == 74)
    codes = [run().returncode, run("-r", path, "-i", "lo").returncode,
             run("-r", path, "--filter", "no such language").returncode,
             run("-i", "no-such-interface0").returncode]
    check("usage errors exit with code 2",
          codes[:3] == [2, 2, 2] and codes[3] in (2, 77), codes)


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_scanners(folder)
        cases, packets = test_zoo(folder)
        test_formats(folder, cases, packets)
        test_cut(folder)
        test_home(folder)
        test_bounds(folder)
        test_text(folder, packets)
        test_broken(folder, cases, packets)
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
