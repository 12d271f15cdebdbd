# SPDX-License-Identifier: ISC
"""What the demo promised, asked of the API: the map, the slow link, the
spike.  Prints TAP lines, so `make check` counts them."""
import urllib.parse


def judge(get, internet):
    """0 when all is there.  get: path -> JSON of the running collector."""
    checks = [
        ("the map shows the routers", lambda: map_shown(get, internet)),
        ("the slow link is the slowest", lambda: slow_found(get, internet)),
        ("the outbreak is an alarm", lambda: spike_found(get)),
        ("the event stream has news", lambda: overview_filled(get)),
    ]
    failed = 0
    for number, (sentence, check) in enumerate(checks, 1):
        problem = check()
        failed += bool(problem)
        print(f"{'not ok' if problem else 'ok'} {number} - {sentence}"
              f"{': ' + problem if problem else ''}", flush=True)
    print(f"1..{len(checks)}", flush=True)
    return 1 if failed else 0


def map_shown(get, internet):
    found = get("/api/v1/topology?from=-10m")
    routers = {n["addr"] for n in found["nodes"]
               if n["addr"] and n["role"] == "router"}
    if len(routers) < internet.routers_expected:
        return (f"{len(routers)} router addresses, "
                f"expected {internet.routers_expected}")
    if len(found["links"]) < len(routers) - 1:
        return f"{len(found['links'])} links for {len(routers)} routers"
    return None


def slow_found(get, internet):
    worst = get("/api/v1/overview")["worst_links"]
    slow = [w for w in worst if w["to"] in internet.slow_link]
    if not slow:
        shown = ", ".join(f"{w['from']}>{w['to']}" for w in worst[:3])
        return f"{internet.slow_link} not among the worst ({shown})"
    delay_ms = (slow[0]["delay_ns"] or 0) / 1e6
    if not 25 <= delay_ms <= 140:
        return f"its delay is {delay_ms:.1f} ms, made as 35 ms each way"
    return None


def spike_found(get):
    found = get("/api/v1/series?" + urllib.parse.urlencode(
        {"signature": "slammer", "from": "-10m", "bin": "5"}))
    alarms = [a for s in found["series"] for a in s["alarms"]
              if a["direction"] == "rise"]
    return None if alarms else "no rise of slammer"


def overview_filled(get):
    seen = get("/api/v1/overview")
    if seen["records"]["stored"] == 0 or seen["agents"]["total"] == 0:
        return f"empty overview: {seen['records']}, {seen['agents']}"
    return None
