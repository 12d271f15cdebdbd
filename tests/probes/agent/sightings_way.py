#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the sensor knows of a source, at the collector: joined over intervals,
the victim and not who reports, one source of a /64, the first packets.  The
sensor's interval is a second, and what belongs to different ones is sent when
the one before is at the collector."""
import json
import subprocess
import sys

import worm_path

make = worm_path.make
tap = worm_path.sonde_http.Tap()
ASKS, ROUTER, VICTIM, WORM = ("203.0.113.5", "203.0.113.1", "192.0.2.66",
                              "203.0.113.9")
PREFIX, ADDRESSES, HOSTS = "2001:db8:5:6::", 1200, 400


def of(path, src):
    return path.get(f"/api/v1/sightings?src={src}")["items"]


def packets_of(path, src):
    return sum(s["packets"] for s in of(path, src))


def four_intervals_are_four_targets(path):
    asked = [make.tcp(ASKS, f"198.51.100.{n}", 22, seq=n)
             for n in (1, 2, 3, 4)]
    for n, packet in enumerate(asked, 1):
        path.wire.send(packet)
        path.until(lambda n=n: packets_of(path, ASKS) == n)
    [one] = of(path, ASKS)
    tap.equal((one["targets"], one["targets_estimated"], one["ports"]),
              (4, False, 1), "four packets in four intervals: four targets")
    capture = f"{path.folder}/asked.pcap"
    make.pcap(capture, asked)
    rows = subprocess.run(
        [f"{worm_path.BUILD}/bin/sonde", "sensor", "-r", capture, "--json"],
        capture_output=True, text=True, check=True).stdout.splitlines()
    said = [row for row in map(json.loads, rows) if row.get("src") == ASKS]
    tap.equal([row["targets"] for row in said], [4],
              "as sonde sensor -r says of the capture")


def an_error_tells_of_the_victim(path):
    quoted = make.tcp("198.51.100.7", VICTIM, 443, sport=1234)
    path.wire.send(make.icmp(ROUTER, "198.51.100.7", 3, 1, quoted, rest=0))
    path.until(lambda: of(path, ROUTER))
    [one] = of(path, ROUTER)
    tap.equal((one["verdict"], one["victim"]), ("backscatter", VICTIM),
              "the victim of the quote is named")
    [record] = path.get(f"/api/v1/records?kind=sighting&src={ROUTER}")["items"]
    body = record["record"]["sighting"]
    tap.equal((body["quoted_proto"], body["quoted_sport"],
               body["quoted_dport"]), (6, 1234, 443), "and what was quoted")


def a_prefix_is_one_source(path):
    for n in range(ADDRESSES):
        path.wire.send(make.tcp(f"{PREFIX}{n + 1:x}",
                                f"2001:db8:ff::{n + 1:x}", 80, seq=n))
    path.until(lambda: sum(
        s["packets"] for s in path.sightings()
        if s["src"].startswith(PREFIX)) == ADDRESSES)
    mine = [s for s in path.sightings() if s["src"].startswith(PREFIX)]
    most = max(s["addresses"] or 0 for s in mine)
    tap.ok(len({s["src"] for s in mine}) <= 2 and most > 1,
           f"one /64, not its addresses: {len(mine)} rows, {most} used")
    tap.equal(path.get("/api/v1/alarms")["items"], [], "and no alarm")


def retransmissions_count_hosts_once(path):
    hosts = [f"198.18.{n // 200}.{n % 200 + 1}" for n in range(HOSTS)]
    for sent in (1, 2, 3):
        for n, src in enumerate(hosts):
            path.wire.send(make.tcp(src, f"198.51.100.{n % 200 + 20}", 8080,
                                    seq=5))
        path.until(lambda sent=sent: counted(path)[1] == sent * HOSTS)
    tap.equal(counted(path), (HOSTS, 3 * HOSTS),
              "three SYNs of one connect(), over intervals: a host each")
    scans = [s for s in path.sightings()
             if s["verdict"] == "scan" and s["src"] in hosts]
    tap.equal(scans, [], "and nobody is accused")


def counted(path):
    rows = [s for s in path.sightings() if s["dport"] == 8080]
    return len({s["src"] for s in rows}), sum(s["packets"] for s in rows)


def a_worm_has_its_first_packet(path):
    packet = worm_path.slammer(WORM)
    path.wire.send(packet)
    path.until(lambda: path.get(f"/api/v1/evidence?src={WORM}")["items"])
    [one] = path.get(f"/api/v1/evidence?src={WORM}")["items"]
    tap.equal((one["verdict"], one["signature"], one["hex"]),
              ("worm", "slammer", packet[:256].hex()), "its first packet")
    [worm] = of(path, WORM)
    tap.equal(worm["spoofable"], True, "which proves no address")
    lines = path.run("sonde", "records", "--kind", "evidence",
                     "--json").splitlines()
    tap.ok(any(json.loads(line)["record"]["evidence"]["src"] == WORM
               for line in lines), "sonde records shows it")


def main():
    path = worm_path.Path(interval="1s")
    try:
        path.start()
        four_intervals_are_four_targets(path)
        an_error_tells_of_the_victim(path)
        a_prefix_is_one_source(path)
        retransmissions_count_hosts_once(path)
        a_worm_has_its_first_packet(path)
        tap.equal(path.stop_agent(), 0, "the agent ends")
    finally:
        path.close()
    tap.done()


if __name__ == "__main__":
    sys.exit(main())
