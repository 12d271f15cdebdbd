#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A collector that holds as much of everything as a hostile fleet may send
answers its heaviest questions to eight readers at once, then does so while its
writer is stopped and batches wait, and never takes more memory than
ARCHITECTURE.md states."""
import glob
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
import sonde_http                                           # noqa: E402

FILL = os.path.join(sonde_http.BUILD, "bench", "map-fill")
MOST_KIB = 256 << 10
READERS = 8
PACKED = {"Accept-Encoding": "gzip"}
# The link that most paths of one agent cross.
LINK = urllib.parse.quote("10.0.0.0>10.1.0.0", safe="")

tap = sonde_http.Tap()
collector = sonde_http.Collector(
    "requests-per-second = 100000\nconnections-per-client = 1000")


def kib(what):
    with open(f"/proc/{collector.process.pid}/status",
              encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith(what))


def questions(agent):
    """(route, target of the reader with this number, headers): what costs
    most.  Where answers are shared, each reader asks for another range."""
    long = "from=-13d&limit=500"
    return (
        ("/api/v1/topology", lambda i: f"?from=-{55 + i % 3}m", PACKED),
        ("/api/v1/topology", lambda i: f"?from=-{55 + i % 3}m", {}),
        ("/api/v1/topology", lambda i: f"?from=-{20 + i}d&agent={agent}", {}),
        ("/api/v1/overview", lambda i: "", {}),
        ("/api/v1/links/{id}/series",
         lambda i: f"/api/v1/links/{LINK}/series?bin=60&from=-{50 + i}m", {}),
        ("/api/v1/links/{id}/series",
         lambda i: f"/api/v1/links/{LINK}/series?bin=3600&from=-{5 + i}d", {}),
        ("/api/v1/series", lambda i: f"?bin=60&from=-{i + 1}h", {}),
        ("/api/v1/series", lambda i: f"?bin=60&from=-{12 * 24 + i}h", {}),
        ("/api/v1/series",
         lambda i: f"?bin=60&from=-13d&agent={agent}&verdict=worm", {}),
        ("/api/v1/series", lambda i: "?bin=3600&from=-700d", {}),
        ("/api/v1/alarms", lambda i: "?" + long, {}),
        ("/api/v1/signatures", lambda i: "?limit=500", {}),
        ("/api/v1/sightings", lambda i: "?" + long, {}),
        ("/api/v1/sightings", lambda i: "?src=11.0.0.1&" + long, {}),
        ("/api/v1/evidence", lambda i: "?" + long, {}),
        ("/api/v1/payloads/{hash}", lambda i: "/api/v1/payloads/" + "0" * 32,
         {}),
        ("/api/v1/agents", lambda i: "?limit=500", {}),
        ("/api/v1/agents/{id}", lambda i: f"/api/v1/agents/{agent}", {}),
        ("/api/v1/gaps", lambda i: "?" + long, {}),
        ("/api/v1/campaigns", lambda i: "?limit=500", {}),
        ("/api/v1/campaigns/{id}", lambda i: "/api/v1/campaigns/" + "0" * 32,
         {}),
        ("/api/v1/runs", lambda i: "?limit=500", {}),
        ("/api/v1/records", lambda i: "?" + long, {}),
        ("/api/v1/records", lambda i: "?kind=log&" + long, {}),
        ("/api/v1/records", lambda i: f"?kind=log&from=-13d&agent={agent}",
         {"Accept": "application/x-ndjson"}),
        ("/api/v1/records",
         lambda i: f"?kind=trace&format=warts&from=-1d&agent={agent}", {}),
        ("/api/v1/results", lambda i: "?limit=500", {}),
        ("/api/v1/results/rows", lambda i: "?script=trace&" + long, {}),
        ("/healthz", lambda i: "", {}),
        ("/metrics", lambda i: "", {}),
        ("/api/openapi.json", lambda i: "", {}),
    )


# While the writer is stopped.
BATCHES, BATCH_RECORDS = 40, 8000

# Those that wait for what comes, or for an agent.
WITHOUT = {"/api/v1/events", "/api/v1/work"}


def ask_at_once(target, headers):
    replies = [None] * READERS

    def read(i):
        replies[i] = collector.get(target(i), headers)

    readers = [threading.Thread(target=read, args=(i,))
               for i in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return replies


def every_question_to_eight_readers():
    agent = collector.get("/api/v1/agents").json()["items"][0]["id"]
    before, asked = kib("VmHWM"), set()
    print(f"# {before} KiB before")
    for route, query, headers in questions(agent):
        asked.add(route)
        begin = time.monotonic()
        replies = ask_at_once(lambda i, route=route, query=query: query(i)
                              if query(i).startswith("/")
                              else route + query(i), headers)
        peak = kib("VmHWM")
        took = time.monotonic() - begin
        print(f"# {took:5.1f} s, {peak:7} KiB after {route} {query(0)}: "
              f"{sorted(r.status for r in replies if r)}, "
              f"{max((len(r.body) for r in replies if r), default=0)} bytes",
              flush=True)
        if not tap.ok(all(replies) and
                      all(r.status in (200, 400, 404) for r in replies),
                      f"{READERS} answers: {route} {query(0)}"):
            return
    reads = {path for path, methods in
             collector.get("/api/openapi.json").json()["paths"].items()
             if "get" in methods}
    tap.equal(asked, reads - WITHOUT, "every route that reads was asked")
    tap.ok(before > 0 and kib("VmHWM") <= MOST_KIB,
           f"the peak is {kib('VmHWM')} KiB, at most {MOST_KIB}")


def run_at_once(work, count):
    threads = [threading.Thread(target=work, args=(i,))
               for i in range(count)]
    for thread in threads:
        thread.start()
    return threads


def metric(name):
    return next(int(float(line.split()[1])) for line in
                collector.get("/metrics").body.decode().splitlines()
                if line.startswith(name + " "))


def with_a_full_queue():
    agent = sonde_http.Agent(collector, "late")
    bodies = [agent.batch(1 + i * BATCH_RECORDS, BATCH_RECORDS)
              for i in range(BATCHES)]
    newest = sorted(glob.glob(os.path.join(
        collector.folder, "state", "telemetry", "0*.db")))[-1]
    database = sqlite3.connect(newest, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    refused = []

    def send(i):
        if agent.send(bodies[i]).status == 503:
            refused.append(i)

    def read(i):
        collector.get(f"/api/v1/topology?from=-{55 + i % 3}m",
                      PACKED if i % 2 else {})
        collector.get(f"/api/v1/series?bin=60&from=-{i + 1}h")
        collector.get("/api/v1/records?limit=500&from=-1d")

    senders = run_at_once(send, BATCHES)
    # Batches that find no room are refused at once.
    while not refused:
        time.sleep(0.02)
    waiting = metric("sonde_queue_bytes")
    for reader in run_at_once(read, READERS):
        reader.join()
    database.execute("ROLLBACK")
    for sender in senders:
        sender.join()
    tap.ok(waiting > 48 << 20, f"{waiting} bytes of batches waited")
    tap.ok(kib("VmHWM") <= MOST_KIB,
           f"with them the peak is {kib('VmHWM')} KiB")


def the_map_names_what_it_leaves_out():
    found = json.loads(collector.get("/api/v1/topology?from=-55m").body)
    shown = sum(1 for node in found["nodes"] if node["addr"])
    known = 16 + 245 + 16 * 2 * 5000
    tap.ok(10000 < shown <= 16384, f"{shown} addresses are on the map")
    about = shown + found["addresses_left_out"]
    tap.ok(abs(about - known) < known // 100,
           f"with what is left out they are {about}, of {known}")
    tap.ok(found["paths_left_out"] > 80000 - shown,
           f"{found['paths_left_out']} paths are left out")


try:
    collector.stop()
    subprocess.run([FILL, os.path.join(collector.folder, "state"), "crowd"],
                   check=True, stdout=subprocess.DEVNULL)
    collector.start()
    tap.run(every_question_to_eight_readers)
    tap.run(the_map_names_what_it_leaves_out)
    tap.run(with_a_full_queue)
finally:
    collector.close()
tap.done()
