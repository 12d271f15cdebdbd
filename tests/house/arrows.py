#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The floors of the house, judged over the objects' symbol tables.

Which folder takes a symbol that another defines is read from `nm` of every
object below $O; include lines are read as well, because a header of structs and
inline functions leaves no symbol.  An arrow goes down a floor, or to a
neighbour that FLOORS names; FORBIDDEN lists arrows that would go down and must
not be.  There is no circle of folders, and none of files inside a folder except
PAIRS.  The script also judges itself: for each kind of wrong arrow it compiles
one in a scratch folder and expects to see it."""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# floor, {folder: neighbours on the same floor that it may take from}.
FLOORS = [
    {"lib/base": []},
    {
        "lib/sketch": [],
        "lib/packet": [],
        "lib/option": [],
        "lib/json": [],
        "lib/rules": ["lib/packet", "lib/option"],
        "lib/record": ["lib/packet", "lib/json"],
        "lib/spool": ["lib/record"],
        "lib/formats": ["lib/record", "lib/json", "lib/packet"],
        "lib/https": [],
        "lib/sqlite": [],
        "probes/sandbox": [],
    },
    {
        "analysis": [],
        "probes/packet": [],
        "probes/ipc": [],
        "probes/policy": ["probes/packet"],
        "probes/net": ["probes/packet"],
        "probes/net/live": ["probes/net", "probes/packet"],
        "probes/net/sim": ["probes/net", "probes/packet"],
        "collector/registry": ["collector/store"],
        "collector/store": ["analysis"],
        "collector/store/sqlite": ["collector/store", "analysis",
                                   "collector/store/sqlite/rollup"],
        "collector/store/sqlite/rollup": ["collector/store", "analysis"],
    },
    {
        "probes/guardian": [],
        "probes/sensor/file": [],
        "probes/sensor/message": [],
        "probes/sensor/detect": ["probes/sensor/message"],
        "probes/sensor/responder": ["probes/sensor/detect"],
        "probes/sensor": ["probes/sensor/detect", "probes/sensor/file",
                          "probes/sensor/message",
                          "probes/sensor/responder"],
        "probes/agent/keeper": [],
        "probes/agent/shipper": ["probes/agent/scheduler"],
        "probes/agent/scheduler": [],
        "collector/core": [],
    },
    {
        "probes/script": ["probes/script/api"],
        "probes/script/api": [],
        "probes/agent/config": [],
        "collector/ingest": ["collector/ingest/kinds"],
        "collector/ingest/kinds": [],
        "collector/detect": [],
        "collector/fleet": [],
        "collector/notify": [],
        "collector/sites": [],
    },
    {
        "probes/agent/supervisor": [],
        "collector/query": [],
        "web/http": [],
    },
    {
        "probes/cli": [],
        "collector": [],
        "web/api": ["collector"],
    },
]

# Files that start a program: they may take from everything, and no file takes
# from them.
PROGRAMS = [
    "collector/main.c",
    "probes/agent-main.c",
    "probes/commands-main.c",
    "probes/header-pack-main.c",
    "probes/seccomp-pack-main.c",
    "probes/shipper-main.c",
    "probes/cli/sonde.c",
]

# from, to, why.  A folder stands for what lies below it.  "@name" is a library
# that a symbol's beginning or a header names.
FORBIDDEN = [
    ("lib/base", "lib|analysis|probes|collector|web", "the ground floor"),
    ("lib", "analysis|probes|collector|web", "what everybody shares"),
    ("analysis", "probes|collector|web|@sqlite|@socket",
     "algorithms are pure"),
    ("probes/policy", "@socket", "the policy is pure"),
    ("probes/guardian",
     "probes/script|probes/sensor|lib/formats|@lua|@jansson|@curl",
     "the program that sends stays small"),
    ("probes/sensor", "probes/script|lib/https|@curl|@lua",
     "hostile packets and scripts do not meet"),
    ("probes/script", "probes/sensor|lib/https|@curl",
     "hostile packets and scripts do not meet"),
    ("probes/agent/keeper", "lib/https|@curl|@lua", "TLS is the shipper's"),
    ("probes/net", "probes/guardian", "the network is under the guardian"),
    ("probes/ipc", "probes/agent", "the kit is under the processes"),
    ("collector/store", "collector/core|collector/ingest|collector/query",
     "the store is under its users"),
    ("collector/query|collector/ingest|collector/detect|collector/fleet|"
     "collector/sites", "collector/store/sqlite|@sqlite",
     "telemetry is reached through store.h"),
    ("collector/detect", "collector/query", "alarms need no question"),
    ("web/http", "collector|web/api", "HTTP knows no collector"),
    ("collector", "web", "the pages stand on the collector"),
    ("probes", "collector|web", "an agent knows no collector's code"),
]

# From, libraries that nothing may take which it reaches in any number of steps.
REACH = [
    ("probes/guardian", "@lua|@jansson|@curl"),
    ("probes/sensor", "@lua|@curl"),
    ("probes/agent/keeper", "@lua|@curl"),
    ("probes/script", "@curl"),
]

LIBRARIES = {
    "@lua": (r"luaL?_", r"l(ua|auxlib|ualib)\.h"),
    "@jansson": (r"json_(object|array|string|integer|real|true|false|null|"
                 r"dump|load|pack|unpack|delete|decref|incref|equal|copy|"
                 r"deep|boolean|number)", r"jansson\.h"),
    "@curl": (r"curl_", r"curl/"),
    "@sqlite": (r"sqlite3_", r"sqlite3\.h"),
    "@socket": (r"(socket|connect|bind|listen|accept4?|send(to|m?msg)?|"
                r"recv(from|m?msg)?|open|openat|fopen)$",
                r"sys/socket\.h"),
}

# (from, to) of two files of one folder that need each other: why.
PAIRS = {
    ("probes/cli/help.c", "probes/cli/commands.c"):
    "help walks the list that it stands in",
    ("probes/cli/completion.c", "probes/cli/commands.c"):
    "completion walks the list that it stands in",
    ("lib/packet/decode-icmp.c", "lib/packet/decode.c"):
    "an ICMP error quotes a packet, which is decoded like any other",
}

# Files that list the providers of a seam: they name what stands below them in
# folders of its own, and that makes no circle.
REGISTRIES = {
    "probes/net/net.c": "probes/net/live|probes/net/sim",
}

TOPS = ("lib", "analysis", "probes", "collector", "web")


class Tree:
    """Files with the arrows between them: (from, to) -> reasons."""

    def __init__(self, root, objects):
        self.root, self.objects = pathlib.Path(root), pathlib.Path(objects)
        self.arrows = collections.defaultdict(set)
        self.libraries = collections.defaultdict(set)
        self.files = set()
        self.defined = collections.defaultdict(set)
        self.makefiles = "".join(
            path.read_text(encoding="utf-8") for top in TOPS
            for path in sorted((self.root / top).rglob("module.mk"))
            if "node_modules" not in path.parts)
        self.read_symbols()
        self.read_includes()

    def source(self, name):
        """The tree's file behind an object; None for one left behind."""
        stem = name.removesuffix(".o")
        if (self.root / (stem + ".c")).is_file():
            return stem + ".c"
        if (self.root / (stem.removesuffix(".pb-c") + ".proto")).is_file():
            return stem + ".c"
        # What a generator left in a folder that it wrote to before counts no
        # more.
        if f"$(O)/{stem}.c" in self.makefiles or \
                f"$(O)/{stem.removesuffix('-data')}.S" in self.makefiles:
            return stem + ".c"
        return None

    def read_symbols(self):
        objects = {}
        for top in TOPS:
            for path in sorted((self.objects / top).rglob("*.o")):
                source = self.source(str(path.relative_to(self.objects)))
                if source:
                    objects[str(path)] = source
        if not objects:
            return
        lines = subprocess.run(
            ["nm", "-gAP", *objects], check=True, text=True,
            stdout=subprocess.PIPE).stdout.splitlines()
        taken = []
        for line in lines:
            path, rest = line.split(": ", 1)
            symbol, kind = rest.split()[:2]
            if kind in "Uwv":
                taken.append((objects[path], symbol))
            elif symbol != "main":
                self.defined[symbol].add(objects[path])
        self.files.update(objects.values())
        for source, symbol in taken:
            if symbol in self.defined:
                for target in self.defined[symbol]:
                    self.add(source, target, symbol)
                continue
            for library, (beginning, _) in LIBRARIES.items():
                if re.match(beginning, symbol):
                    self.libraries[source, library].add(symbol)

    def read_includes(self):
        for top in TOPS:
            for path in sorted((self.root / top).rglob("*.[ch]")):
                if "node_modules" in path.parts:
                    continue
                name = str(path.relative_to(self.root))
                self.files.add(name)
                text = path.read_text(encoding="utf-8")
                for quote, header in re.findall(
                        r'^\s*#\s*include\s*(["<])([^">]+)[">]', text, re.M):
                    if quote == '"':
                        self.add(name, header, "#include")
                        continue
                    for library, (_, pattern) in LIBRARIES.items():
                        if re.match(pattern, header):
                            self.libraries[name, library].add(
                                "<" + header + ">")

    def add(self, source, target, reason):
        if source != target:
            self.arrows[source, target].add(reason)


def folder(name):
    return os.path.dirname(name)


def below(name, folders):
    return any(name == f or name.startswith(f + "/")
               for f in folders.split("|"))


def floors():
    return {f: (level, neighbours) for level, floor in enumerate(FLOORS)
            for f, neighbours in floor.items()}


def wrong_folder_arrow(source, target, table):
    """What is wrong with an arrow between two folders, or None."""
    for name in (source, target):
        if name not in table:
            return f"{name} has no floor in FLOORS"
    for origin, goal, why in FORBIDDEN:
        if below(source, origin) and below(target, goal):
            if below(target, origin) and below(source, goal):
                continue  # lib/base itself, seen as lib
            return f"forbidden ({why})"
    level, neighbours = table[source]
    if table[target][0] > level:
        return f"up from floor {level} to {table[target][0]}"
    if table[target][0] == level and target not in neighbours:
        return f"aside on floor {level}"
    return None


def circles(edges):
    """Strongly connected sets of more than one node (Tarjan)."""
    graph = collections.defaultdict(set)
    for source, target in edges:
        graph[source].add(target)
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for following in sorted(graph.get(node, ())):
            if following not in index:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], index[following])
        if low[node] == index[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def reached(tree, origin):
    """All files whose symbols these take, and the ones that those take."""
    taken = collections.defaultdict(set)
    for (source, target), reasons in tree.arrows.items():
        if reasons != {"#include"}:
            taken[source].add(target)
    seen = {f for f in tree.files if f.endswith(".c") and below(f, origin)}
    waiting = list(seen)
    while waiting:
        more = taken[waiting.pop()] - seen
        seen |= more
        waiting += more
    return seen


def judge(tree):
    """{file or circle: {what is wrong}}; empty when the house stands."""
    table = floors()
    found = {"arrow": {}, "library": {}, "reach": {}, "symbol": {},
             "folders": {}, "files": {}}
    for origin, goal in REACH:
        files = reached(tree, origin)
        for source, library in sorted(tree.libraries):
            if source in files and library in goal.split("|"):
                found["reach"][origin, source] = f"reaches {library}"
    for symbol, places in sorted(tree.defined.items()):
        if len(places) > 1:
            found["symbol"][tuple(sorted(places))] = f"both define {symbol}"
    folder_edges, file_edges = set(), set()
    for (source, target), reasons in sorted(tree.arrows.items()):
        if target in PROGRAMS:
            found["arrow"][source, target] = "a program is nobody's library"
        if source in PROGRAMS or below(folder(target),
                                       REGISTRIES.get(source, "-")):
            continue
        if folder(source) != folder(target):
            folder_edges.add((folder(source), folder(target)))
            wrong = wrong_folder_arrow(folder(source), folder(target), table)
            if wrong:
                some = ", ".join(sorted(reasons)[:3])
                found["arrow"][source, target] = f"{wrong}: {some}"
        elif (source, target) not in PAIRS:
            file_edges.add((source, target))
    for (source, library), symbols in sorted(tree.libraries.items()):
        for origin, goal, why in FORBIDDEN:
            if (below(folder(source), origin) and library in goal.split("|")
                    and source not in PROGRAMS):
                some = ", ".join(sorted(symbols)[:3])
                found["library"][source, library] = \
                    f"forbidden ({why}): {some}"
    for circle in circles(folder_edges):
        found["folders"][tuple(circle)] = "circle of folders"
    for circle in circles(file_edges):
        found["files"][tuple(circle)] = "circle of files"
    return found


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def check(self, what, good, lines=()):
        self.count += 1
        for line in lines:
            print("# " + line)
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}")
        self.failed += not good


def scratch(files, name):
    """The verdict on a tree of these files: {path: text}."""
    with tempfile.TemporaryDirectory(prefix="sonde-arrows-") as root:
        root = pathlib.Path(root)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        for path in files:
            if not path.endswith(".c"):
                continue
            out = root / "build" / (path[:-2] + ".o")
            out.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([*os.environ.get("CC", "gcc").split(), "-I", root,
                            "-c", "-o", out, root / path], check=True)
        return judge(Tree(root, root / "build"))[name]


def taker(source, target):
    """Two files, the first of which calls the second."""
    return {f"{source}/one.c": "int two(void); int one(void);\n"
                               "int one(void) { return two(); }\n",
            f"{target}/two.c": "int two(void);\n"
                               "int two(void) { return 2; }\n"}


def judge_itself(tap):
    """Every forbidden arrow is seen when somebody draws it."""
    table = floors()
    for origin, goal, _ in FORBIDDEN:
        source = next(f for f in table if below(f, origin))
        missed = []
        for target in goal.split("|"):
            if target in LIBRARIES:
                symbol = {"@lua": "lua_gettop", "@jansson": "json_object",
                          "@curl": "curl_easy_init", "@socket": "socket",
                          "@sqlite": "sqlite3_open"}[target]
                files = {f"{source}/one.c":
                         f"int {symbol}(void); int one(void);\n"
                         f"int one(void) {{ return {symbol}(); }}\n"}
                if (f"{source}/one.c", target) not in scratch(
                        files, "library"):
                    missed.append(target)
                continue
            lower = next(f for f in table
                         if below(f, target) and f != source)
            if (f"{source}/one.c", f"{lower}/two.c") not in scratch(
                    taker(source, lower), "arrow"):
                missed.append(lower)
        tap.check(f"an arrow from {source} to {goal} is seen",
                  not missed, [f"missed: {m}" for m in missed])
    inline = {"lib/base/one.h": '#include "lib/record/two.h"\n',
              "lib/record/two.h": "struct two { int n; };\n"}
    tap.check("an arrow that only an include line draws is seen",
              ("lib/base/one.h", "lib/record/two.h")
              in scratch(inline, "arrow"))
    tap.check("an arrow aside is seen",
              scratch(taker("lib/spool", "lib/https"), "arrow"))
    tap.check("an arrow to a program is seen", scratch(
        {"web/api/one.c": "int two(void); int one(void);\n"
                          "int one(void) { return two(); }\n",
         "collector/main.c": "int two(void); int main(void);\n"
                             "int two(void) { return 2; }\n"
                             "int main(void) { return 0; }\n"}, "arrow"))
    tap.check("a folder without a floor is seen",
              scratch(taker("lib/attic", "lib/base"), "arrow"))
    tap.check("an arrow down is none of these",
              not scratch(taker("lib/spool", "lib/base"), "arrow"))
    steps = taker("probes/guardian", "probes/net")
    steps |= {"probes/net/two.c": "int lua_gettop(void); int two(void);\n"
                                  "int two(void) { return lua_gettop(); }\n"}
    tap.check("a library two steps away is seen", scratch(steps, "reach"))
    tap.check("a symbol that two files define is seen", scratch(
        {f"{f}/one.c": "int one(void);\nint one(void) { return 1; }\n"
         for f in ("probes/net", "collector/core")}, "symbol"))
    both = {f"lib/{a}/{a}.c": f"int {b}(void); int {a}(void);\n"
                              f"int {a}(void) {{ return {b}(); }}\n"
            for a, b in (("record", "spool"), ("spool", "record"))}
    tap.check("a circle of folders is seen", scratch(both, "folders"))
    both = {f"lib/base/{a}.c": f"int {b}(void); int {a}(void);\n"
                               f"int {a}(void) {{ return {b}(); }}\n"
            for a, b in (("one", "two"), ("two", "three"), ("three", "one"))}
    tap.check("a circle of three files is seen", scratch(both, "files"))


def main():
    tap = Tap()
    judge_itself(tap)
    tree = Tree(".", os.environ.get("O", "build"))
    objects = sum(f.endswith(".c") for f in tree.files)
    tap.check("there are objects to judge", objects > 100,
              [f"{objects} files, {len(tree.arrows)} arrows"])
    found = judge(tree)
    for name, what in (("arrow", "every arrow goes down"),
                       ("library", "no folder takes a library it must not"),
                       ("reach", "none reaches a library it must not"),
                       ("symbol", "no symbol has two definitions"),
                       ("folders", "there is no circle of folders"),
                       ("files", "there is no circle of files")):
        lines = []
        for key, wrong in found[name].items():
            arrow = name in ("arrow", "library", "reach")
            shown = (" -> " if arrow else " ").join(key)
            lines.append(f"{shown}: {wrong}")
        tap.check(what, not lines, lines)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
