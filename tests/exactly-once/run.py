#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Exactly once, under fire.

Real agents feed a real collector over loopback; keeper, shipper, whole agent
and collector are killed (SIGKILL) at random moments, many times, while
records are on their way.  Generators keep ledgers of their own.  At the end
the collector's database is read by this program alone and must hold every
record that a keeper had confirmed, once, with the same bytes, and nothing
that was never sent; and each epoch's numbers must all be stored or declared
lost.

KILLS (500) is taken from the environment; fleet.py says what else.
"""

import collections
import os
import random
import sys
import time

sys.dont_write_bytecode = True
import fleet  # noqa: E402 (beside this file)

KILLS = int(os.environ.get("KILLS", "500"))
WEIGHTS = {"keeper": 35, "shipper": 35, "agent": 15, "collector": 15}


def kill_loop(rng, collector, agents):
    """Returns how often each kind was killed."""
    done = collections.Counter()
    while sum(done.values()) < KILLS:
        time.sleep(rng.random() * 0.25)
        what = rng.choices(list(WEIGHTS), WEIGHTS.values())[0]
        if what == "collector":
            collector.kill()
            collector.start()
        else:
            agent = rng.choice(agents)
            if what == "agent":
                agent.kill()
                agent.start()
            elif not agent.kill_child(what):
                continue  # it was just being replaced
        done[what] += 1
        if sum(done.values()) % 50 == 0:
            print(f"# {sum(done.values())} of {KILLS} kills", flush=True)
    return done


def kills(tap, folder, started):
    """Agents and collector, killed at random in the middle of shipping."""
    collector = fleet.Collector(folder)
    agents = []
    collector.start()
    started.append(collector)
    if not collector.wait():
        tap.check("the collector starts", False)
        return
    for number in range(1, fleet.AGENTS + 1):
        agents.append(fleet.Agent(folder, number, collector))
    for agent in agents:
        agent.start()
        started.append(agent)
        agent.generator.start()
        started.append(agent.generator)
    time.sleep(1)
    begin = time.monotonic()
    done = kill_loop(random.Random(fleet.SEED), collector, agents)
    print(f"# seed {fleet.SEED}: {dict(done)} in "
          f"{time.monotonic() - begin:.0f} s")
    collector.wait()
    for agent in agents:
        agent.generator.stop()
    fleet.drain(collector, agents)
    collector.stop()
    fleet.judge(tap, collector, agents, KILLS)


if __name__ == "__main__":
    sys.exit(fleet.play("once", kills))
