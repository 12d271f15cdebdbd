#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What --format atlas writes is a result by RIPE's rules: the documented form
of firmware 5000 and later, and what readers of it conclude.

RIPE's own parser is not always to be had; the rules here are its documented
ones.  Keys that every result has and their types; a size is what is behind the
transport's header; a hop's packet is a reply, silence or an error; one that was
late is no packet; a trace succeeded when its last hop has a time and no error;
the destination responded when the last hop holds its address; of a ping,
received is the number of packets with a time that are no duplicates."""
import ipaddress
import json
import os
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
sys.path.insert(0, "tests/web")
import sonde_http as http  # noqa: E402

SONDE = os.path.join(http.BUILD, "bin", "sonde")
if not os.path.exists(SONDE):
    http.skip_all(f"{SONDE} is not built")
tap = http.Tap()
KNOWN_FIRMWARE = 5000
COMMON = {"type": str, "msm_name": str, "fw": int, "msm_id": int,
          "prb_id": int, "lts": int, "af": int, "from": str, "dst_addr": str,
          "dst_name": str, "proto": str, "timestamp": int, "size": int,
          "result": list}
TRACE = {"endtime": int, "paris_id": int}
PING = {"sent": int, "rcvd": int, "dup": int, "min": (int, float),
        "avg": (int, float), "max": (int, float)}
TRACE_REPLY = {"from": str, "rtt": float, "size": int, "ttl": int,
               "err": (int, str), "mtu": int, "late": int, "ittl": int,
               "itos": int, "flags": str, "dup": bool, "icmpext": dict}
PING_REPLY = {"rtt": float, "ttl": int, "dup": int, "src_addr": str}
ERRORS = {"N", "H", "A", "P", "p", "h", "too big to pass"}


def types(where, one, wanted, optional=False):
    for key, kind in wanted.items():
        if key not in one:
            if not optional:
                yield f"{where}: no {key}"
        elif not isinstance(one[key], kind) or (
                kind is int and isinstance(one[key], bool)):
            yield f"{where}: {key} is {one[key]!r}"
    if optional:
        for key in one.keys() - wanted.keys():
            yield f"{where}: {key} is none of theirs"


def is_address(text, family):
    try:
        return ipaddress.ip_address(text).version == family
    except ValueError:
        return False


def head(one):
    yield from types("result", one, COMMON)
    if one["fw"] < KNOWN_FIRMWARE:
        yield f"firmware {one['fw']} has another form"
    if one["proto"] not in ("UDP", "TCP", "ICMP"):
        yield f"proto {one['proto']}"
    for key in ("src_addr", "dst_addr"):
        if key in one and not is_address(one[key], one["af"]):
            yield f"{key} {one[key]} is not of family {one['af']}"


def extension(where, ext):
    yield from types(where, ext, {"version": int, "rfc4884": int,
                                  "obj": list})
    for obj in ext["obj"]:
        yield from types(where, obj, {"class": int, "type": int})
        for label in obj.get("mpls", []):
            yield from types(where, label, {"label": int, "exp": int,
                                            "s": int, "ttl": int})


def packet(where, one, family):
    if "x" in one:
        if one != {"x": "*"}:
            yield f"{where}: silence that says {one}"
        return
    if "error" in one:
        yield from types(where, one, {"error": str}, optional=True)
        return
    yield from types(where, one, TRACE_REPLY, optional=True)
    if not is_address(one.get("from", ""), family):
        yield f"{where}: from {one.get('from')}"
    if ("late" in one) == ("rtt" in one):
        yield f"{where}: either late or a time, {one}"
    if isinstance(one.get("err"), str) and one["err"] not in ERRORS:
        yield f"{where}: err {one['err']}"
    if "icmpext" in one:
        yield from extension(where, one["icmpext"])


def packets_of(hop):
    return [p for p in hop["result"] if "late" not in p]


def conclusions(one):
    """(success, destination responded), as a reader concludes."""
    last = packets_of(one["result"][-1])
    return (any(p.get("rtt") and "err" not in p for p in last),
            any(p.get("from") == one["dst_addr"] for p in last))


def trace(one, expected):
    yield from types("trace", one, TRACE)
    before = 0
    for hop in one["result"]:
        yield from types("hop", hop, {"hop": int, "result": list})
        if hop["hop"] <= before or not hop["result"]:
            yield f"hop {hop['hop']} behind {before}"
        before = hop["hop"]
        for i, reply in enumerate(hop["result"]):
            yield from packet(f"hop {hop['hop']}/{i}", reply, one["af"])
    if one["msm_name"] != "Traceroute":
        yield one["msm_name"]
    if conclusions(one) != expected["ends"]:
        yield f"{conclusions(one)}, expected {expected['ends']}"


def ping(one, expected):
    yield from types("ping", one, PING)
    times = []
    for i, reply in enumerate(one["result"]):
        if reply == {"x": "*"}:
            continue
        if "error" in reply:
            yield from types(f"packet {i}", reply,
                             {"error": str, "mtu": int}, optional=True)
            continue
        yield from types(f"packet {i}", reply, PING_REPLY, optional=True)
        if not reply.get("dup"):
            times.append(reply["rtt"])
    whole = expected.pop("whole", True)
    if one["rcvd"] > one["sent"] or whole == (one["rcvd"] != len(times)):
        yield f"rcvd {one['rcvd']}, {len(times)} times, sent {one['sent']}"
    ends = (min(times), max(times)) if times else (-1, -1)
    if (one["min"], one["max"]) != ends:
        yield f"min and max {one['min']}, {one['max']}, of {times}"
    if (one["sent"], one["rcvd"]) != expected["ends"]:
        yield f"{one['sent']}, {one['rcvd']}; expected {expected['ends']}"


def judge(one, expected):
    found = list(head(one))
    if not found:
        found = list((trace if one["type"] == "traceroute" else ping)(
            one, expected))
    for key, value in expected.items():
        if key != "ends" and one.get(key) != value:
            found.append(f"{key} is {one.get(key)}, expected {value}")
    return found


def case(world, words, **expected):
    done = subprocess.run(
        [SONDE, "--net", f"sim:tests/golden/{world}.sim", *words[:1],
         "--format", "atlas", *words[1:]], capture_output=True, text=True,
        timeout=60)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = [f"{len(lines)} results"]
    if len(lines) == 1:
        found = judge(lines[0], expected)
    if not tap.ok(not found, f"{world}: {' '.join(words)}"):
        for line in found[:9]:
            print(f"#   {line}")
    return lines[0] if lines else None


def sizes():
    """As in a real probe's results: of 40 octets by UDP over IPv6 an error
    holds 88, an echo reply 40, and a SYN-ACK its options."""
    def of(*words):
        one = case("line", ("trace", *words, "web"), ends=(True, True))
        return (one["size"], one["result"][0]["result"][0]["size"],
                one["result"][-1]["result"][0]["size"])
    tap.equal(of("-6", "--size", "40"), (40, 88, 88), "sizes by UDP")
    tap.equal(of("-6", "-M", "icmp", "--size", "40"), (40, 88, 40),
              "sizes by ICMP")
    tap.equal(of("-M", "udp", "--size", "40"), (40, 68, 68),
              "sizes by UDP over IPv4")
    tap.equal(of("-6", "-M", "tcp")[0], 0, "size of a SYN")


def methods():
    for family in ("-4", "-6"):
        for method in ("udp", "icmp", "tcp"):
            case("line", ("trace", family, "-M", method, "web"),
                 ends=(True, True), proto=method.upper(),
                 af=int(family[1]))
            words = ("ping", family, "-M", method, "-c", "2", "web")
            case("line", (*words[:-1], "-p", "443", "web")
                 if method == "tcp" else words, ends=(2, 2),
                 proto=method.upper())


def outcomes():
    case("trouble", ("trace", "walled"), ends=(False, False))
    case("trouble", ("trace", "192.0.2.50"), ends=(False, False))
    case("trouble", ("trace", "-M", "tcp", "walled"), ends=(False, False))
    case("trouble", ("trace", "224.0.0.5"), ends=(False, False))
    case("narrow", ("trace", "--size", "1300", "web"), ends=(False, False))
    case("narrow", ("trace", "-6", "--size", "1300", "web"),
         ends=(False, False))
    case("narrow", ("ping", "-c", "1", "--size", "1300", "web"), ends=(1, 0))
    case("trouble", ("ping", "-c", "8", "lossy"), ends=(8, 3))
    case("trouble", ("ping", "-c", "2", "192.0.2.50"), ends=(2, 0))
    case("trouble", ("ping", "-c", "2", "224.0.0.5"), ends=(0, 0))
    case("trouble", ("ping", "-c", "2", "2001:db8::1"), ends=(0, 0))
    case("rude", ("ping", "-c", "2", "other"), ends=(2, 2))
    case("rude", ("ping", "-c", "2", "twice"), ends=(2, 2), dup=4)
    case("rude", ("ping", "-c", "2", "late"), ends=(2, 0))
    case("rude", ("trace", "walled1"), ends=(False, False))
    case("rude", ("trace", "-6", "tagged"), ends=(True, True))
    # More than a record holds: the sums are of all.
    case("line", ("ping", "-c", "1500", "-i", "1ms", "web"),
         ends=(1500, 1500), whole=False)
    one = case("line", ("trace", "-M", "tcp", "-p", "443", "web"),
               ends=(True, True))
    tap.equal(one["result"][-1]["result"][0]["flags"], "SA",
              "the letters of a SYN-ACK")
    case("trouble", ("ping", "-w", "10ms", "-c", "2", "web"), ends=(2, 0))
    case("line", ("ping", "-c", "1", "--ttl", "2", "web"), ends=(1, 0))


def main():
    methods()
    sizes()
    outcomes()


tap.run(main)
tap.done()
