#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The script of three tables from a real agent to a real collector: what its
API, its CSV and `sonde records` say of the rows is what `sonde run` says."""

import json
import os
import shutil
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import agent as rig  # noqa: E402

SCRIPT = "three-tables"
SOURCE = os.path.join("tests", "probes", "script", SCRIPT + ".lua")
OPTIONS = ("--hops=4", "--count=3")
HOSTS = ("11.3.3.80", "11.3.3.81")


def get(lab, path):
    with urllib.request.urlopen(f"{lab.url}/api/v1/{path}") as answer:
        return answer.read().decode()


def rows(lab, table, more=""):
    try:
        return json.loads(get(lab, f"results/rows?script={SCRIPT}&table="
                              f"{table}&limit=500{more}"))["items"]
    except urllib.error.HTTPError:  # its schema did not come yet
        return []


def still(row):
    """Without what depends on when it ran."""
    return {k: v for k, v in row.items() if k not in ("at", "at_ns")}


def by_hand(lab):
    """Table -> rows of the same script on the same network."""
    _, out, err = lab.sonde("--net", f"sim:{lab.folder}/world.sim", "run",
                            "--json", "--allow-weak-sandbox", SOURCE,
                            *OPTIONS, *HOSTS)
    found, schema = {}, None
    for line in map(json.loads, out.splitlines()):
        if line["schema"] == "sonde-result/1":
            found.setdefault(line["table"], []).append(still(line["row"]))
        else:
            schema = line["result_schema"]["hash"]
    return found, schema, err


def test_rows(tap, lab):
    want, schema, err = by_hand(lab)
    tap.check("the script records three tables by hand",
              sorted(want) == ["events", "hops", "summary"], err)
    code, out, err = lab.sonde("submit", SCRIPT, *HOSTS, "--on", "lab",
                               "--every", "2s", "--", *OPTIONS)
    tap.check("it is handed out by its name", code == 0, err)
    campaign = out.strip()
    tap.until("two runs of it arrive", lambda:
              {1, 2} <= {i["run"] for i in rows(lab, "summary")}, lab.log)
    schemas = json.loads(get(lab, "results"))["items"]
    tap.check("its schema came, by the same hash",
              [s["hash"] for s in schemas] == [schema], schemas)
    sent = lab.records("result_schema")
    tap.check("and once, for several runs", len(sent) == 1, sent)
    for table, right in want.items():
        got = [still(i["row"]) for i in
               rows(lab, table, f"&campaign={campaign}&run=1")]
        tap.check(f"rows of {table} are those of a run by hand",
                  sorted(map(str, got)) == sorted(map(str, right)),
                  f"{got}\n{right}")
    keyed = rows(lab, "hops", "&run=1&key=dst:11.3.3.80,ttl:2")
    tap.check("a row is found by its keys",
              [i["row"]["answers"] for i in keyed] == [["11.2.2.1"]], keyed)
    csv = get(lab, f"results/rows?script={SCRIPT}&table=hops&run=1"
              "&format=csv").split("\r\n")
    tap.check("CSV has titles and a line a row",
              csv[0] == "agent,campaign,run,table,wall_ns,dst,ttl,answers,"
              "rtts_ns,quote" and len(csv) == 2 + len(want["hops"]), csv)
    _, text, err = lab.sonde("records", "--kind", "result", "--campaign",
                             campaign, "--run", "1")
    tap.check("`sonde records` prints the tables",
              "summary: one row a host\n" in text and
              "hops: one row a TTL\n" in text and "11.2.2.1" in text,
              text + err)
    _, text, _ = lab.sonde("records", "--kind", "result", "--table", "events",
                           "--csv", "--run", "1")
    tap.check("or one of them as CSV", text.splitlines()[0] ==
              "table,wall_ns,at_ns,what,ttl", text)
    events = [json.loads(e)["text"] for e in get_events(lab)]
    tap.check("the event log names the results",
              any("results of a script" in e for e in events), events)


def get_events(lab):
    """The data of the last events."""
    with urllib.request.urlopen(f"{lab.url}/api/v1/events?last=100",
                                timeout=120) as stream:
        found = []
        while len(found) < 3:
            line = stream.readline().decode()
            if line.startswith("data: "):
                found.append(line[6:])
            if '"type":"run"' in line:
                return found
    return found


def main():
    for name in ("sonde", "sonde-agent", "sonde-collector"):
        if not os.access(f"{rig.BUILD}/bin/{name}", os.X_OK):
            print(f"1..0 # SKIP {name} is not built")
            return 0
    tap = rig.Tap()
    folder = tempfile.mkdtemp(prefix="sonde-results-")
    lab = rig.Lab(folder)
    try:
        shutil.copy(SOURCE, folder)
        with open(f"{folder}/world.sim", "w", encoding="ascii") as to:
            to.write(rig.WORLD + "host dark 11.3.3.81\n"
                     "link far dark loss 100%\n")
        rig.capture(f"{folder}/scan.pcap")
        lab.write_config()
        tap.check("the collector starts", lab.start_collector())
        token = lab.sonde("token", "--tag", "lab")[1].strip()
        code, _, err = lab.run("sonde-agent", "enrol", "-c", lab.config,
                               "--token", token)
        tap.check("the agent enrols", code == 0, err)
        lab.start_agent()
        test_rows(tap, lab)
    finally:
        lab.stop()
        shutil.rmtree(folder)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
