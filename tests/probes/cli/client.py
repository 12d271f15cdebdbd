#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The commands that ask a collector, and the forms of what they print."""
import csv
import io
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../web"))
import sonde_http as http  # noqa: E402

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
SONDE = os.path.join(http.BUILD, "bin", "sonde")
SEED = os.path.join(http.BUILD, "tests", "web", "seed")
for program in (SONDE, http.COLLECTOR, SEED):
    if not os.path.exists(program):
        http.skip_all(f"no {program}")

tap = http.Tap()
collector = http.Collector()
URL = f"http://127.0.0.1:{collector.ports[0]}"
TOKEN = os.path.join(collector.folder, "state", "admin.token")
SIM = "sim:tests/golden/line.sim"


def sonde(*words, env=None, data=None):
    """Exit code, standard output, standard error."""
    done = subprocess.run(
        [SONDE, *words], capture_output=True, timeout=60, input=data or b"",
        env={**os.environ, "SONDE_COLLECTOR": URL, "LC_ALL": "C",
             "SONDE_TOKEN": "", **(env or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def lines(*words, **more):
    return [json.loads(line) for line in sonde(*words, **more)[1].splitlines()]


def rows(*words, **more):
    out = sonde(*words, **more)[1]
    return list(csv.DictReader(io.StringIO(out, newline="")))


def said(text):
    return " ".join(text.split())[:90]


def lists_are_the_same_in_every_form():
    for command, schema in (("agents", "sonde-agent/1"),
                            ("campaigns", "sonde-campaign/1"),
                            ("runs", "sonde-run/1")):
        objects, table = lines(command, "--json"), rows(command, "--csv")
        tap.ok(objects and {o["schema"] for o in objects} == {schema},
               f"{command} --json has its schema")
        tap.equal(len(table), len(objects), f"{command} --csv has as many")
        text = sonde(command)[1].splitlines()
        tap.equal(len(text), len(objects) + 1, f"{command} is a table")
        for row, one in zip(table, objects):
            for key, cell in row.items():
                value = one[key]
                if isinstance(value, list):
                    value = ",".join(value)
                elif isinstance(value, dict):
                    value = json.dumps(value, separators=(",", ":"))
                if cell != ("" if value is None else str(value)):
                    tap.ok(False, f"{command} --csv: {key}: {cell!r}")
                    return
    tap.ok("60s" in sonde("campaigns")[1], "EVERY has its unit")
    tap.ok("+2" in sonde("campaigns")[1], "a long list is cut, and says so")


def an_empty_list_has_titles_in_csv():
    code, out, _ = sonde("runs", "--csv", "--campaign", "0" * 32)
    tap.ok(code == 0 and out.startswith("script,run,"), "titles alone")


def records_have_rows_too():
    probes = rows("records", "--csv", "--kind", "ping", "-n", "5")
    tap.ok(len(probes) >= 5 and {p["kind"] for p in probes} == {"ping"},
           "records --csv is -f csv")
    code, out, err = sonde("records", "--csv", "-n", "500")
    tap.ok(code == 0 and out and "--kind" in err,
           "records that fit no column are reported")


def refusals_say_what_mends_them():
    code, _, err = sonde("token")
    tap.ok(code == 77 and "--token-file" in err, said(err))
    code, _, err = sonde("token", env={"SONDE_TOKEN": "wrong"})
    tap.ok(code == 77 and "does not know" in err, said(err))
    code, _, err = sonde("records", "--from", "yesterday")
    tap.ok(code == 2 and "--from: expected a time" in err, said(err))


def stored_records_say_when():
    for kind in ("trace", "ping", "sighting", "heartbeat"):
        [one] = lines("records", "--json", "--kind", kind, "-n", "1")
        when = one["record"]["wall"][:19].replace("T", " ")
        text = sonde("records", "--kind", kind, "-n", "1")[1]
        tap.ok(text.startswith(when + "  "), f"{kind}: {said(text)}")


def two_forms_are_a_usage_error():
    wants = [("agents", "--json", "--csv"),
             ("records", "--json", "--csv"),
             ("records", "--csv", "-f", "text"),
             ("--net", SIM, "trace", "--json", "--csv", "web"),
             ("--net", SIM, "ping", "--json", "--format", "atlas", "web"),
             ("sensor", "-r", "-", "--json", "--csv"),
             ("spikes", "--json", "--csv", "-"),
             ("scripts", "--json", "--csv"),
             ("doctor", "--json", "--csv")]
    for words in wants:
        code, out, err = sonde(*words)
        tap.ok(code == 2 and not out and "one of them" in err,
               f"{' '.join(words)}: {code} {said(err)}")


def every_command_answers_json():
    code, out, _ = sonde("help", "--json")
    known = [json.loads(line) for line in out.splitlines()]
    tap.ok(code == 0 and {"trace", "agents"} <= {k["name"] for k in known},
           "help --json lists commands and scripts")
    for one in known:
        [line] = lines("help", one["name"], "--json")
        if one["kind"] == "library":
            tap.ok(line["kind"] == "library" and len(line["text"]) > 0,
                   f"{one['name']} says what it offers")
            continue
        names = [option["name"] for option in line["options"]]
        tap.ok(line["kind"] == one["kind"] and "json" in names,
               f"{one['name']} has --json, says its own help")
    tap.equal([f["name"] for f in lines("help", "formats", "--json")][:3],
              ["text", "json", "csv"], "help formats --json")
    [line] = lines("completion", "bash", "--json")
    tap.ok("complete" in line["text"], "completion --json")
    tap.ok({"ping", "trace"} <= {s["name"] for s in lines(
        "scripts", "--json")}, "scripts --json")
    tap.ok({"ping", "trace"} <= {s["name"] for s in rows(
        "scripts", "--csv")}, "scripts --csv")


def verbose_tells_what_is_done():
    code, out, err = sonde("agents", "-v", "--json")
    tap.ok(code == 0 and f"GET {URL}/api/v1/agents?limit=100: 200, " in err,
           "each request to the collector")
    code, out, err = sonde("--net", SIM, "ping", "-v", "--csv", "-c", "2",
                           "web", "224.0.0.5")
    for words in ("seen from ", "policy built in", "host 192.0.2.80=web",
                  "to 224.0.0.5, ttl 64, attempt 2: denied: multicast",
                  "probes sent: 2, stamped by virtual time (2); replies: 2, "
                  "stamped by virtual time (2); not sent: 2; outcomes: "
                  "answered (2), denied (2)"):
        tap.ok(code == 1 and words in err and words not in out, words)


def a_slip_in_a_submission_shows():
    auth = ("--token-file", TOKEN, "--json")
    def asked(*words):
        code, out, err = sonde("submit", *words)
        stop = json.loads(out)["id"] if code == 0 else ""
        sonde("campaigns", "--stop", stop, *auth)
        return code, err
    code, err = asked("trac", "192.0.2.1", *auth)
    tap.ok(code == 0 and "did you mean 'trace'?" in err, said(err))
    code, err = asked("trace", "192.0.2.1", *auth, "--", "--methd=tcp")
    tap.ok("did you mean --method?" in err, said(err))
    code, err = asked("trace", "192.0.2.1", *auth, "--", "--method=tcp")
    tap.ok(code == 0 and not err, "nothing to warn of")
    code, out, _ = sonde("submit", "trace", "localhost", "192.0.2.1",
                         "--both", "--interface", "wan0", "--source",
                         "192.0.2.9", "--source", "2001:db8::9", "--mark",
                         "7", *auth, "--", "--tos=EF")
    made = json.loads(out) if code == 0 else {}
    tap.equal(made.get("options"),
              {"interface": "wan0", "source": ["192.0.2.9", "2001:db8::9"],
               "mark": "7", "tos": "EF"}, "the way is among the options")
    found = made.get("targets", [])
    tap.ok("127.0.0.1" in found and found[-1] == "192.0.2.1" and
           len(found) == len(set(found)),
           "names become addresses, in their order")
    sonde("campaigns", "--stop", made.get("id", ""), *auth)
    code, err = asked("trace", "192.0.2.1", "-6", *auth)
    tap.ok(code == 2 and "192.0.2.1" in err and "IPv6" in err, said(err))
    code, err = asked("trace", "no..name", *auth)
    tap.ok(code == 2 and "no..name" in err, said(err))
    code, err = asked("trace")
    tap.ok(code == 2 and "sonde submit SCRIPT TARGET" in err, said(err))


def a_campaign_is_stopped_in_json():
    first, second = [c["id"] for c in lines("campaigns", "--json")]
    auth = ("--token-file", TOKEN)
    [line] = lines("campaigns", "--stop", first, "--json", *auth)
    tap.ok(line["schema"] == "sonde-campaign/1" and line["id"] == first and
           line["state"] == "stopped", "campaigns --stop --json")
    code, out, _ = sonde("campaigns", "--stop", second, *auth)
    tap.equal((code, out), (0, f"stopped {second}\n"), "and in words")


def a_wrong_collector_is_named():
    code, _, err = sonde("agents", "--collector", "ftp://x")
    tap.ok(code == 2 and "--collector: expected https://" in err, said(err))
    code, _, err = sonde("agents", env={"SONDE_COLLECTOR": "ftp://x"})
    tap.ok(code == 78 and "$SONDE_COLLECTOR: expected https://" in err, said(err))
    code, _, err = sonde("agents", "--ca-file", "/nonexistent")
    tap.ok(code == 74 and "--ca-file: /nonexistent: No such" in err, said(err))
    code, out, err = sonde("agents", "--ca-file", "/dev/null")
    tap.ok(code == 0 and out and "--ca-file is not used" in err, said(err))


def capture(packets):
    """A pcap of raw IPv4: UDP to port 1434."""
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
    for i in range(packets):
        udp = struct.pack(">HHHH", 1000, 1434, 8 + 376, 0) + b"\4" + 375 * b"A"
        ip = struct.pack(">BBHHHBBH4B4B", 0x45, 0, 20 + len(udp), i, 0, 64,
                         17, 0, 192, 0, 2, 9, 198, 51, 100, i)
        out += struct.pack("<IIII", 1000 + i, 0, len(ip + udp),
                           len(ip + udp)) + ip + udp
    return out


def sensor_rows_are_its_objects():
    *objects, summary = lines("sensor", "-r", "-", "--json", data=capture(9))
    code, out, err = sonde("sensor", "-r", "-", "--csv", data=capture(9))
    table = list(csv.DictReader(io.StringIO(out, newline="")))
    tap.ok(code == 0 and "summary" in summary and "9 packets" in err,
           "sensor --csv has its summary on standard error")
    for one in objects:
        del one["schema"]
    want = [{key: "" if value is None else str(value).lower()
             if isinstance(value, bool) else str(value)
             for key, value in one.items()} for one in objects]
    tap.equal(table, want, "sensor --csv says what --json says")
    code, out, _ = sonde("sensor", "-r", "-", "--csv", data=capture(0))
    tap.ok(code == 0 and out.startswith("src,verdict,"),
           "sensor --csv of nothing has titles")
    broken = capture(1)[:24] + b"\0" * 4
    code, out, err = sonde("sensor", "-r", "-", data=broken)
    tap.ok(code == 74 and not out and err,
           f"no summary of nothing before an error: {out.strip()!r}")


def spikes_rows_are_its_objects():
    text = "time,source,signature\n" + "".join(
        f"2026-01-{day:02d} 0{hour}:00:00,10.0.{day}.{hour},=x\n"
        for day in range(1, 29) for hour in range(2 if day < 20 else 9))
    args = ("spikes", "--warmup", "7", "-")
    objects = lines(*args, "--json", data=text.encode())
    table = rows(*args, "--csv", data=text.encode())
    tap.ok(objects and len(objects) == len(table), "spikes --csv has as many")
    for row, one in zip(table, objects):
        tap.ok(row["signature"] == "'=x" and row["onset"] == one["onset"] and
               float(row["observed"]) == one["observed"],
               "and says the same; no formula")


try:
    subprocess.run([SEED, "--url", URL, "-t", TOKEN, "--hours", "0.1"],
                   check=True, capture_output=True, timeout=50)
    for test in (lists_are_the_same_in_every_form,
                 an_empty_list_has_titles_in_csv, records_have_rows_too,
                 refusals_say_what_mends_them, stored_records_say_when,
                 two_forms_are_a_usage_error, every_command_answers_json,
                 a_campaign_is_stopped_in_json,
                 a_slip_in_a_submission_shows,
                 verbose_tells_what_is_done, a_wrong_collector_is_named,
                 sensor_rows_are_its_objects, spikes_rows_are_its_objects):
        tap.run(test)
finally:
    collector.close()
tap.done()
