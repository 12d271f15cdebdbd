#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A collector that comes back from an older backup.

Agents trim what was acknowledged, so what the collector took in after the
backup may be nowhere any more.  It must not be stuck, and not be silent: the
database gets a new generation, the agents send what they still hold, the rest
is declared lost, and the API shows how much.  The generator's ledger judges.

RATE (records a second) is taken from the environment.
"""

import collections
import json
import os
import shutil
import sqlite3
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
import fleet  # noqa: E402 (beside this file)

WAIT_S = 15


def stored(collector):
    return len(fleet.Store(collector.state).serials())


def wait_until(question):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if question():
            return True
        time.sleep(0.1)
    return False


def databases(state):
    """In the order in which they are copied: what is derived before what it is
    derived from, and who the agents are last."""
    return ["telemetry/rollup.db", *fleet.partitions(state), "registry.db"]


def back_up(collector, path):
    """As sonde-collector(8) says, while it runs."""
    os.makedirs(f"{path}/telemetry")
    for name in databases(collector.state):
        source = sqlite3.connect(
            f"file:{collector.state}/{name}?mode=ro", uri=True)
        copy = sqlite3.connect(f"{path}/{name}")
        source.backup(copy)
        copy.close()
        source.close()


def restore(collector, path):
    shutil.rmtree(f"{collector.state}/telemetry")
    for tail in ("", "-wal", "-shm"):
        if os.path.exists(f"{collector.state}/registry.db{tail}"):
            os.remove(f"{collector.state}/registry.db{tail}")
    shutil.copytree(path, collector.state, dirs_exist_ok=True)


def generation(collector):
    with open(f"{collector.state}/generation", encoding="ascii") as line:
        return line.read().split()[0]


def ask(collector, path):
    with urllib.request.urlopen(collector.url + path, timeout=5) as answer:
        return json.load(answer)


def numbers_of(store):
    """Of the one agent's epochs: what is stored, and what is declared lost as
    rolled back."""
    have, gone = collections.Counter(), set()
    for _, epoch, seq in store.records:
        have[epoch, seq] += 1
    for gap in store.gaps():
        if gap.reason == "collector-rollback":
            gone.update((gap.epoch, seq) for seq in gap.numbers())
    return have, gone


def judge(tap, collector, agent, shown):
    store = fleet.Store(collector.state)
    found = store.ledger_records()
    sent, confirmed = fleet.read_ledger(agent.ledger)
    have, gone = numbers_of(store)
    wrong, declared = store.accounts()
    missing = confirmed - set(found)
    print(f"# {len(confirmed)} confirmed, {len(found)} stored, "
          f"{len(missing)} not, {len(gone)} declared")
    tap.check("what came after the backup and was trimmed is gone",
              len(missing) > 0)
    tap.check("all that is gone is declared, in numbers",
              not wrong and declared == len(gone), str(wrong[:5]))
    # Heartbeats and logs are lost with the records.
    tap.check("no more is declared than was lost",
              len(missing) <= len(gone) <= len(missing) * 1.2 + 20,
              f"{len(missing)} records in {len(gone)} numbers")
    tap.check("none is stored twice or changed",
              max(have.values()) == 1 and
              all(sent.get(serial) == hashes[0]
                  for serial, hashes in found.items()))
    tap.check("the API says what was lost",
              shown["lost"] == len(gone), f"{shown} {len(gone)}")
    tap.check("produced = stored + lost",
              shown["produced"] == shown["stored"] + shown["lost"],
              str(shown))
    texts = store.ask("registry.db",
                      "SELECT data FROM events WHERE type = 'gap'"
                      " AND data LIKE '%collector-rollback%'")
    text = texts[0][0] if texts else ""
    tap.check("the event log reports it in words", "lost" in text, text)


def play(tap, folder, started):
    collector = fleet.Collector(folder)
    collector.start()
    started.append(collector)
    tap.check("the collector starts", collector.wait())
    agent = fleet.Agent(folder, 1, collector)
    for program in (agent, agent.generator):
        program.start()
        started.append(program)
    tap.check("records come in",
              wait_until(lambda: stored(collector) > 100))
    back_up(collector, f"{folder}/backup")
    kept = stored(collector)
    tap.check("more come after the backup",
              wait_until(lambda: stored(collector) > kept + 300))
    before = generation(collector)
    collector.stop()
    restore(collector, f"{folder}/backup")
    collector.start()
    tap.check("it starts from the backup", collector.wait())
    tap.check("the generation is another", generation(collector) != before)
    tap.check("the agent goes on",
              wait_until(lambda: stored(collector) > kept + 100))
    agent.generator.stop()
    fleet.drain(collector, [agent], 2)
    (shown,) = ask(collector, "/api/v1/agents")["items"]
    collector.stop()
    judge(tap, collector, agent, shown)


if __name__ == "__main__":
    sys.exit(fleet.play("restore", play))
