#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""GET /api/v1/records?format=: each format's file holds what the command
prints in it, says what it left out, and other tools read it."""
import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
sys.path.insert(0, "tests/web")
import sonde_http as http  # noqa: E402

SEED = os.path.join(http.BUILD, "tests", "web", "seed")
SONDE = os.path.join(http.BUILD, "bin", "sonde")
for program in (http.COLLECTOR, SEED, SONDE):
    if not os.path.exists(program):
        http.skip_all(f"no {program}")

tap = http.Tap()
collector = http.Collector()
URL = f"http://127.0.0.1:{collector.ports[0]}"
# A range whose edges do not move while the test runs.
FROM, TO = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - s))
            for s in (80 * 60, 60))
RANGE = f"from={FROM}&to={TO}"


class File:
    """A download, read as HTTP/1.1 sends it: headers, chunks, trailers."""

    def __init__(self, query):
        connection = socket.create_connection(
            ("127.0.0.1", collector.ports[0]), 30)
        connection.sendall(
            f"GET /api/v1/records?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Connection: close\r\n\r\n".encode())
        with connection, connection.makefile("rb") as f:
            self.status = int(f.readline().split()[1])
            self.headers = self.fields(f)
            self.body, self.trailers = b"", {}
            if "chunked" in self.headers.get("transfer-encoding", ""):
                while (size := int(f.readline(), 16)) > 0:
                    self.body += f.read(size)
                    f.read(2)
                self.trailers = self.fields(f)
            else:
                self.body = f.read()

    @staticmethod
    def fields(f):
        found = {}
        while (line := f.readline()) not in (b"\r\n", b""):
            name, value = line.decode().rstrip().split(": ", 1)
            found[name.lower()] = value
        return found


def stored(kinds):
    """The same records as the API's JSON has them."""
    lines = collector.get(f"/api/v1/records?{RANGE}&kind={kinds}",
                          {"Accept": "application/x-ndjson"}).body
    return [json.loads(line) for line in lines.splitlines()]


def command(form, kinds):
    return subprocess.run(
        [SONDE, "records", "--collector", URL, "--from", FROM, "--to",
         TO, "--kind", kinds, "-n", "1000000", "--format", form],
        check=True, capture_output=True, timeout=120,
        stdin=subprocess.DEVNULL).stdout


def each_format_is_the_commands():
    measured = stored("trace,ping")
    tap.ok(len(measured) > 2000, f"{len(measured)} traces and pings")
    kinds = {"csv": "text/csv; charset=utf-8; header=present",
             "scamper": "application/jsonl", "atlas": "application/jsonl",
             "warts": "application/octet-stream"}
    for form, media in kinds.items():
        file = File(f"{RANGE}&format={form}")
        tap.equal((file.status, file.headers["content-type"]), (200, media),
                  f"{form}: its media type")
        tap.ok(file.headers["content-disposition"].startswith(
            'attachment; filename="sonde-records-20'), f"{form}: a file")
        tap.equal(file.trailers.get("sonde-skipped"), "0",
                  f"{form}: nothing of its usual kinds is left out")
        tap.ok(file.body == command(form, "trace,ping"),
               f"{form}: what the command prints")
        check_count(form, file.body, measured)


def check_count(form, body, measured):
    replies = sum(len(m["record"][m["record"]["kind"]]["replies"])
                  for m in measured)
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
        tap.equal(len(rows), replies, "csv: a row a probe")
        first = measured[0]["record"]
        tap.equal((rows[0]["kind"], rows[0]["dst"], rows[0]["wall_ns"]),
                  (first["kind"], first[first["kind"]]["dst"],
                   str(first["wall_ns"])), "csv: the first one")
    elif form == "warts":
        if not shutil.which("sc_warts2json"):
            tap.skip("warts: scamper reads it", "no sc_warts2json")
            return
        out = subprocess.run(["sc_warts2json"], input=body, check=True,
                             capture_output=True, timeout=120).stdout
        seen = [one for one in map(json.loads, out.splitlines())
                if not one["type"].startswith("cycle-")]
        tap.equal([(o["type"], o["dst"]) for o in seen],
                  [(m["record"]["kind"],
                    m["record"][m["record"]["kind"]]["dst"])
                   for m in measured], "warts: scamper reads all of it")
    else:
        cycle = 2 if form == "scamper" else 0  # its start and its end
        tap.equal(len(body.splitlines()), len(measured) + cycle,
                  f"{form}: a line a measurement")


def json_and_text_hold_every_kind():
    file = File(f"{RANGE}&format=json")
    lines = [json.loads(line) for line in file.body.splitlines()]
    rows = [line for line in lines if line["schema"] == "sonde-result/1"]
    records = [line for line in lines if "kind" in line]
    kinds = {line["kind"] for line in records} - {"result_schema"}
    tap.ok({"trace", "ping", "sighting", "heartbeat"} <= kinds,
           f"json: {sorted(kinds)}")
    everything = stored(",".join(sorted(kinds)))
    tap.ok([line for line in records if line["kind"] in kinds]
           == [item["record"] for item in everything],
           "json: the records of the list, in its order")
    tap.equal(len(rows), len(stored("result")), "json: and scripts' rows")
    tap.equal(file.trailers.get("sonde-skipped"), "0", "json: none left out")
    text = File(f"{RANGE}&format=text&kind=trace&limit=2")
    tap.ok(b"trace" in text.body, "text: for people")


def what_has_no_form_is_counted():
    mixed = File(f"{RANGE}&format=warts&kind=trace,sighting")
    sightings = len(stored("sighting"))
    tap.equal(mixed.trailers.get("sonde-skipped"), str(sightings),
              "warts: sightings are left out and counted")
    tap.ok(mixed.body == File(f"{RANGE}&format=warts&kind=trace").body,
           "warts: and the rest is as without them")
    rows = File(f"{RANGE}&format=csv&kind=sighting")
    tap.equal((rows.body.count(b"\n"), rows.trailers["sonde-skipped"]),
              (sightings + 1, "0"), "csv: sightings in a file of their own")


def wrong_questions_name_the_right_ones():
    unknown = File("format=pcap")
    tap.equal(unknown.status, 400, "an unknown format is refused")
    detail = json.loads(unknown.body)["detail"]
    tap.ok(all(name in detail for name in
               ("text", "json", "csv", "scamper", "atlas", "warts", "pcap")),
           f"and names which there are: {detail}")
    none = File("format=warts&kind=sighting,payload")
    tap.ok(none.status == 400 and b"trace,ping" in none.body,
           "a format that holds none of the kinds says what it holds")
    tap.equal(File("format=csv&limit=0").status, 400, "limits stay checked")


def a_limit_ends_it_and_the_cursor_goes_on():
    whole = File(f"{RANGE}&format=json&kind=ping").body.splitlines()
    got, cursor = [], ""
    for _ in range(3):
        part = File(f"{RANGE}&format=json&kind=ping&limit=100{cursor}")
        got += part.body.splitlines()
        cursor = "&cursor=" + part.trailers["sonde-next"]
    tap.ok(got == whole[:300], "three parts are the beginning")
    rest = File(f"{RANGE}&format=json&kind=ping{cursor}")
    tap.ok(rest.body.splitlines() == whole[300:]
           and "sonde-next" not in rest.trailers, "the rest is the end")


def peak_kib():
    with open(f"/proc/{collector.process.pid}/status",
              encoding="ascii") as f:
        return int(next(line.split()[1] for line in f
                        if line.startswith("VmHWM")))


def memory_is_a_pages():
    before = peak_kib()
    size = len(File(f"{RANGE}&format=json").body)
    grown = peak_kib() - before
    tap.ok(size > 3 << 20 and grown < 16 << 10,
           f"{size} bytes took {grown} KiB more at the peak")


try:
    collector.bearer()
    subprocess.run([SEED, "--hours", "1.5", "--url", URL, "--token-file",
                    f"{collector.folder}/state/admin.token"], check=True,
                   stderr=subprocess.DEVNULL)
    for test in (each_format_is_the_commands, json_and_text_hold_every_kind,
                 what_has_no_form_is_counted,
                 wrong_questions_name_the_right_ones,
                 a_limit_ends_it_and_the_cursor_goes_on, memory_is_a_pages):
        tap.run(test)
finally:
    collector.close()
tap.done()
