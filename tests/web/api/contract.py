#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Real answers of a running collector against its own API document.

Schemas are closed for the test: an answer with a member that the document
does not name is a failure, although clients must bear such members.
"""
import copy
import gzip
import json
import os
import re
import subprocess
import sys
import time

sys.argv[0] = os.path.abspath(__file__)
os.chdir(os.path.join(os.path.dirname(sys.argv[0]), "../../.."))
sys.path.insert(0, "tests/web")
import sonde_http as http  # noqa: E402

try:
    import jsonschema
except ImportError:
    # The package is for the system's Python, which may not be the first.
    if os.path.realpath(sys.executable) != os.path.realpath(
            "/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["python3", *sys.argv])
    http.skip_all("no python3-jsonschema")
for program in (http.COLLECTOR, http.TOOL):
    if not os.path.exists(program):
        http.skip_all(f"no {program}")

SEED = os.path.join(http.BUILD, "tests", "web", "seed")


def closed(node):
    """The same schema, where unnamed members are refused."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: value if name == "example" else closed(value)
            for name, value in node.items()}
    if "properties" in node and "additionalProperties" not in node \
            and node.get("type") == "object":
        node["additionalProperties"] = False
    return node


tap = http.Tap()
seen = set()
collector = http.Collector()
DOCUMENT = collector.get("/api/openapi.json").json()
CLOSED = closed(copy.deepcopy(DOCUMENT))


def resolve(node):
    while "$ref" in node:
        at = CLOSED
        for word in node["$ref"].split("/")[1:]:
            at = at[word]
        node = at
    return node


def errors_of(schema, value):
    whole = {**schema, "components": CLOSED["components"]}
    validator = jsonschema.Draft202012Validator(whole)
    return [f"{'/'.join(map(str, e.path))}: {e.message[:200]}"
            for e in validator.iter_errors(value)]


def content_errors(reply, response):
    """What is wrong with this reply, by the document's response."""
    kind = reply.headers.get("Content-Type", "").split(";")[0]
    content = response.get("content", {})
    if not content:
        return [] if not reply.body else ["a body that is not documented"]
    if kind not in content:
        return [f"Content-Type {kind!r}"]
    schema = content[kind].get("schema", {})
    if kind.endswith("json") and kind != "application/x-ndjson":
        return errors_of(schema, reply.json())
    if kind == "application/x-ndjson":
        return [e for line in reply.body.splitlines()
                for e in errors_of(schema, json.loads(line))]
    return []


def check(reply, method, template, status, what):
    """The reply has this status and is what the document says of it."""
    operation = CLOSED["paths"][template][method.lower()]
    found = []
    if reply.status != status:
        found.append(f"status {reply.status}: {reply.body[:200]!r}")
    elif str(status) not in operation["responses"]:
        found.append(f"status {status} is not documented")
    else:
        response = resolve(operation["responses"][str(status)])
        found = content_errors(reply, response)
        for header in response.get("headers", {}):
            streamed = header == "ETag" and \
                reply.headers["Content-Type"] != "application/json"
            if header not in reply.headers and not streamed \
                    and header != "Retry-After":
                found.append(f"no header {header}")
        if not found:
            seen.add((method, template, status))
    if not tap.ok(not found, f"{method} {template} {status}: {what}"):
        for line in found[:5]:
            print(f"#   {line}")
    return reply


def get(template, query="", status=200, what="as documented", headers=None,
        **variables):
    target = re.sub(r"{(\w+)}", lambda m: variables[m[1]], template) + query
    return check(collector.get(target, headers), "GET", template, status,
                 what)


def examples_are_what_they_say():
    found = []

    def walk(node, where):
        if isinstance(node, list):
            for i, item in enumerate(node):
                walk(item, f"{where}/{i}")
        elif isinstance(node, dict):
            if "example" in node and "schema" in node:
                found.extend(f"{where}: {e}" for e in errors_of(
                    node["schema"], node["example"]))
            for name, item in node.items():
                if name != "example":
                    walk(item, f"{where}/{name}")

    walk(CLOSED, "")
    tap.equal(found, [], "examples are what their schemas say")


def reads():
    agents = get("/api/v1/agents", "?limit=2", what="first page").json()
    tap.ok(len(agents["items"]) == 2 and agents["next"], "there is more")
    get("/api/v1/agents", "?limit=3&cursor=" + agents["next"],
        what="the next page")
    agent = agents["items"][0]["id"]
    get("/api/v1/agents/{id}", id=agent)
    campaign = get("/api/v1/campaigns").json()["items"][0]["id"]
    get("/api/v1/campaigns/{id}", id=campaign)
    get("/api/v1/overview")
    get("/api/v1/gaps", "?from=-30d&limit=5")
    get("/api/v1/gaps", f"?agent={agent}&from=-7d")
    get("/api/v1/runs", f"?campaign={campaign}&agent={agent}&limit=5")
    kinds = set()
    for kind in ("trace", "ping", "sighting", "heartbeat"):
        records = get("/api/v1/records", f"?limit=100&kind={kind}").json()
        kinds |= {item["record"]["kind"] for item in records["items"]}
    tap.ok(kinds == {"trace", "ping", "sighting", "heartbeat"},
           f"a page of each kind of records: {kinds}")
    get("/api/v1/records", "?kind=trace&limit=1&dst=198.19.2.10&src="
        f"198.19.1.10&agent={agent}&campaign={campaign}&run=1&from=-2h&to=now",
        what="every parameter")
    get("/api/v1/records", "?kind=payload&from=-1d", what="payloads")
    lines = get("/api/v1/records", "?kind=ping&from=-2h",
                headers={"Accept": "application/x-ndjson"}, what="lines")
    tap.ok(lines.body.count(b"\n") > 1000, "lines go beyond one page")
    results()
    topology = get("/api/v1/topology", "?from=-2h&to=now").json()
    tap.ok(len(topology["nodes"]) >= 20, "the map has the routers")
    tap.ok(any(n["addr"] is None for n in topology["nodes"]),
           "and a place where nobody answered")
    get("/api/v1/topology", f"?agent={agent}")
    worst = collector.get("/api/v1/overview").json()["worst_links"][0]["id"]
    for link in (worst, topology["links"][0]["id"]):
        escaped = "".join(c if c.isalnum() or c == "." else f"%{ord(c):02x}"
                          for c in link)
        bins = get("/api/v1/links/{id}/series", "?from=-2h&to=now&bin=60",
                   id=escaped).json()["bins"]
        tap.ok(len(bins) > 10, f"bins of {link}")
    get("/api/v1/series", "?signature=slammer&bin=60&from=-2h&to=now")
    get("/api/v1/series", f"?agent={agent}&verdict=worm")
    get("/api/v1/series", what="everything")
    get("/api/v1/alarms", "?from=-2h&to=now&limit=1")
    get("/api/v1/alarms", f"?signature=slammer&agent={agent}")
    two = get("/api/v1/signatures", "?limit=2").json()
    rest = get("/api/v1/signatures", "?cursor=" + two["next"]).json()
    names = [item["signature"] for item in two["items"] + rest["items"]]
    tap.ok(len(names) == 5 and len(set(names)) == 5 and not rest["next"],
           f"two pages are all signatures: {names}")
    sightings = get("/api/v1/sightings", "?verdict=worm&signature=slammer"
                    "&limit=1").json()["items"]
    get("/api/v1/sightings", f"?src={sightings[0]['src']}&agent={agent}")
    get("/api/v1/payloads/{hash}", hash=sightings[0]["payload_hash"])
    evidence = get("/api/v1/evidence", "?limit=2",
                   what="first packets").json()
    get("/api/v1/evidence", f"?src={evidence['items'][0]['src']}")


def results():
    """A script's tables, which only its schema describes."""
    get("/api/v1/records", "?kind=result,result_schema&from=-2h&limit=500",
        what="raw results")
    schemas = get("/api/v1/results").json()["items"]
    tap.equal([(s["script"], [t["name"] for t in s["tables"]])
               for s in schemas],
              [("reach", ["summary", "hops", "events"])], "tables by name")
    rows = get("/api/v1/results/rows", "?script=reach&table=summary&from=-2h"
               "&limit=500").json()
    columns = {c["name"]: c for c in rows["table"]["columns"]}
    tap.equal((columns["loss"]["low"], columns["loss"]["unit"],
               columns["rtt_ns"]["type"]),
              ("loss_low", "share", "duration"), "columns say what they are")
    tap.ok(len(rows["items"]) > 100 and all(
        i["row"]["loss_low"] <= i["row"]["loss"] <= i["row"]["loss_high"]
        and isinstance(i["row"]["rtt_ns"], int) for i in rows["items"]),
        "rows are typed")
    dst = rows["items"][0]["row"]["dst"]
    agent = rows["items"][0]["agent"]
    keyed = get("/api/v1/results/rows", "?script=reach&table=hops&from=-2h&"
                f"key=dst:{dst},ttl:2&agent={agent}&to=now").json()["items"]
    tap.ok(keyed and all(i["row"]["ttl"] == 2 and len(i["row"]["answers"]) == 2
                         for i in keyed), f"{len(keyed)} rows by key")
    csv = get("/api/v1/results/rows", "?script=reach&table=summary&from=-2h&"
              "format=csv", what="CSV").body.decode().split("\r\n")
    total, cursor = 0, ""
    while cursor is not None:
        page = collector.get("/api/v1/results/rows?script=reach&table=summary"
                             "&from=-2h&limit=500" + cursor).json()
        total += len(page["items"])
        cursor = "&cursor=" + page["next"] if page["next"] else None
    tap.equal((csv[0].split(",")[:6], len(csv) - 2),
              (["agent", "campaign", "run", "table", "wall_ns", "dst"],
               total), "CSV has the whole table")
    files = [get("/api/v1/records", "?kind=result&from=-2h&format=" + name,
                 what="a file of results") for name in ("csv", "json")]
    tap.ok(files[0].body.startswith(b"table,wall_ns,dst,loss,loss_low") and
           b"\r\n\r\ntable,wall_ns,dst,ttl,answers" in files[0].body,
           "a file has the tables one after the other")
    tap.equal({json.loads(line)["schema"] for line in
               files[1].body.splitlines()},
              {"sonde-record/1", "sonde-result/1"},
              "as lines, the schema first")
    get("/api/v1/results/rows", "?script=reach&table=none", 404,
        "no such table")


def seed(*words):
    subprocess.run([SEED, "--url", f"http://127.0.0.1:{collector.ports[0]}",
                    "--token-file", f"{collector.folder}/state/admin.token",
                    *words], check=True, stderr=subprocess.DEVNULL)


def the_map_is_kept_until_traces_come():
    start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(
        time.time() + s)) for s in (-7200, 600))
    path = f"/api/v1/topology?from={start}&to={end}"
    plain = collector.get(path)
    packed = collector.get(path, {"Accept-Encoding": "gzip, br"})
    tap.equal((packed.headers["Content-Encoding"], packed.headers["Vary"]),
              ("gzip", "Accept-Encoding"), "the map is packed")
    tap.ok(gzip.decompress(packed.body) == plain.body,
           "and the same as the plain one")
    for reply in (plain, packed):
        again = collector.get(path, {
            "Accept-Encoding": reply.headers.get("Content-Encoding", ""),
            "If-None-Match": reply.headers["ETag"]})
        tap.equal((again.status, again.body), (304, b""),
                  "a client that has it gets no body")
    made = "sonde_http_maps_made_total"
    before = metric(made)
    collector.get(path)
    tap.equal(metric(made), before, "a map that is kept is not made again")

    def traces():
        nodes = collector.get(path).json()["nodes"]
        return sum(node["traces"] for node in nodes)

    had = traces()
    seed("--hours", "0.1", "--prefix", "more-")
    until = time.monotonic() + 60
    while (now := traces()) == had and time.monotonic() < until:
        time.sleep(0.2)
    tap.ok(now > had, f"traces that come in show: {had} and then {now}")


def metric(name):
    return next(float(line.split()[1]) for line in collector.get(
        "/metrics").body.decode().splitlines()
        if line.startswith(name + " "))


def about_itself():
    get("/healthz")
    get("/metrics")
    get("/metrics", headers={"Accept": "application/openmetrics-text"},
        what="OpenMetrics")
    get("/api/openapi.json")


def events():
    """An answer without an end: what comes first is enough."""
    connection = http.http.client.HTTPConnection(
        "127.0.0.1", collector.ports[0], timeout=30)
    connection.request("GET", "/api/v1/events?last=100")
    response = connection.getresponse()
    tap.equal((response.status, response.headers["Content-Type"]),
              (200, "text/event-stream"), "the stream of events")
    schema = {"$ref": "#/components/schemas/Event"}
    wrong, types = [], set()
    for _ in range(100):
        for line in iter(response.readline, b"\n"):
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                wrong.extend(errors_of(schema, event))
                types.add(event["type"])
    connection.close()
    tap.equal(wrong, [], "each event is one")
    tap.ok(len(types) > 1, f"of several types: {sorted(types)}")


def refusals():
    for template in CLOSED["paths"]:
        if "get" in CLOSED["paths"][template]:
            get(template, "?surprise=1", 400, "unknown parameter",
                id="0" * 32, hash="0" * 32)
            for parameter in CLOSED["paths"][template]["get"].get(
                    "parameters", ()):
                name = resolve(parameter)["name"]
                if name not in ("id", "hash", "signature", "verdict") \
                        and resolve(parameter)["in"] == "query":
                    get(template, f"?{name}=%22x",
                        404 if name in ("agent", "script") else 400, f"bad {name}",
                        {"Sonde-Agent": "0" * 32},
                        id="192.0.2.1%3E192.0.2.2")
        method = "PUT"
        reply = collector.ask(method, template.replace("{id}", "x"))
        first = next(iter(CLOSED["paths"][template]))
        check(reply, first.upper(), template, 405, "with another method")
    for template in ("/api/v1/agents/{id}", "/api/v1/campaigns/{id}",
                     "/api/v1/links/{id}/series", "/api/v1/payloads/{hash}"):
        get(template, "", 404, "of nobody", id="f" * 32, hash="f" * 32)
    reply = get("/api/v1/payloads/{hash}", "", 404, "not here yet",
                hash="f" * 32)
    tap.ok("when its minute is over" in reply.json()["detail"],
           "a payload that is to come is told of")
    get("/api/v1/overview", "", 421, "as somebody else",
        {"Host": "evil.example"})
    tag = collector.get("/api/openapi.json").headers["ETag"]
    get("/api/openapi.json", "", 304, "known already",
        {"If-None-Match": tag})


def writes():
    admin = collector.bearer()
    tokens, campaigns = "/api/v1/tokens", "/api/v1/campaigns"

    def post(template, value, status, what, headers=admin, kind=http.JSON):
        return check(collector.post(template, value, headers, kind), "POST",
                     template, status, what)

    token = post(tokens, {"name": "new", "tags": ["a"], "ttl_s": 60}, 201,
                 "a token").json()["token"]
    post(tokens, {"ttl_s": -1}, 400, "bad ttl")
    post(tokens, {"surprise": 1}, 400, "unknown member")
    post(tokens, {}, 401, "no token", {})
    post(tokens, {}, 403, "from another site",
         {**admin, "Origin": "http://evil.example"})
    post(tokens, b"{}", 415, "as text", admin, "text/plain")
    post(tokens, {"name": "x" * 300000}, 413, "too much")
    made = post(campaigns, {"script": "ping", "targets": ["192.0.2.1"],
                            "on": ["europe"], "every_s": 10,
                            "options": {"count": 3}}, 201, "a campaign")
    post(campaigns, {"script": "ping"}, 400, "no targets")
    post(campaigns, b"{", 400, "no JSON", admin, http.JSON + ";x")
    path = f"{campaigns}/{made.json()['id']}"
    stop = "/api/v1/campaigns/{id}"
    check(collector.ask("DELETE", path), "DELETE", stop, 401, "no token")
    for _ in range(2):
        check(collector.ask("DELETE", path, None, admin), "DELETE", stop, 200,
              "stopped")
    check(collector.ask("DELETE", campaigns + "/" + "f" * 32, None, admin),
          "DELETE", stop, 404, "no such one")
    agents(token)


def agents(token):
    enrol, ingest, work = "/api/v1/enrol", "/api/v1/ingest", "/api/v1/work"
    agent = http.Agent(collector)
    check(agent.enrol("new", "no-such-token"), "POST", enrol, 403, "token")
    check(agent.enrol("new", token, signature="0" * 128), "POST", enrol, 401,
          "signature")
    check(agent.enrol("new", token, name=""), "POST", enrol, 400, "name")
    check(agent.enrol("new", token), "POST", enrol, 201, "enrolled")
    check(agent.enrol("new", token), "POST", enrol, 201, "the same again")
    check(http.Agent(collector).enrol("new"), "POST", enrol, 409, "taken")
    check(agent.ingest(), "POST", ingest, 200, "stored")
    check(agent.ingest(), "POST", ingest, 200, "duplicate")
    check(agent.ingest(100), "POST", ingest, 409, "gap")
    check(agent.ingest(1, salt="x"), "POST", ingest, 409, "forked")
    check(agent.send(b"nonsense"), "POST", ingest, 400, "malformed")
    check(agent.ingest(11, wrong="bomb"), "POST", ingest, 413, "bomb")
    check(agent.ingest(11, wrong="key"), "POST", ingest, 401, "signature")
    check(http.Agent(collector).ingest(), "POST", ingest, 401, "nobody")
    check(agent.work(), "GET", work, 200, "work")
    check(agent.work(time_ns=1), "GET", work, 401, "clock")
    check(http.Agent(collector).work(), "GET", work, 401, "nobody")


def everything_documented_was_tried():
    missing = [f"{method.upper()} {path} {status}"
               for path, item in CLOSED["paths"].items()
               for method, operation in item.items()
               for status in operation["responses"]
               if status in ("200", "201") and path != "/api/v1/events"
               and (method.upper(), path, int(status)) not in seen]
    tap.equal(missing, [], "every good answer of the document was seen")


try:
    with open(os.path.join(collector.folder, "state", "admin.token"),
              encoding="ascii"):
        pass
    seed("--hours", "1.5")
    for test in (examples_are_what_they_say, reads,
                 the_map_is_kept_until_traces_come, about_itself, events,
                 refusals, writes, everything_documented_was_tried):
        tap.run(test)
finally:
    collector.close()
tap.done()
