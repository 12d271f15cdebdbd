#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A name means one thing in the whole tree: the names of C files, the tags of
structs, enums and unions.  Of static functions: those that say only "run"
are counted, because a backtrace or a search for one finds them all."""
import collections
import os
import pathlib
import re
import sys

TOPS = ("lib", "analysis", "probes", "collector", "web")
# Every folder that makes a program or lists its sources has one.
FILES_ANYWHERE = {"main.c", "module.mk"}


def code(text):
    """Without comments and texts."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//[^\n]*", " ", text)


def sources(root):
    for top in TOPS:
        for path in sorted((root / top).rglob("*.[ch]")):
            if "node_modules" not in path.parts:
                yield path


def names(root):
    """{"file" or "tag" or "static": {name: places}}."""
    found = {kind: collections.defaultdict(set)
             for kind in ("file", "tag", "static")}
    for path in sources(root):
        place = str(path.relative_to(root))
        if path.name not in FILES_ANYWHERE:
            found["file"][path.name].add(place)
        text = code(path.read_text(encoding="utf-8"))
        for kind, name in re.findall(
                r"^\s*(?:static\s+|const\s+|typedef\s+)*"
                r"(struct|enum|union)\s+(\w+)\s*\{", text, re.M):
            found["tag"][name].add(f"{place} ({kind})")
        for name in re.findall(
                r"^static\s[^;={()]*?\b(\w+)\([^;{]*\)\s*\{", text, re.M):
            found["static"][name].add(place)
    return found


def doubled(table):
    return {name: sorted(places) for name, places in table.items()
            if len(places) > 1}


def vague(table):
    """Statics of one word that stand in several files."""
    return {name: places for name, places in doubled(table).items()
            if "_" not in name}


def judge(root):
    found = names(root)
    return {"file": doubled(found["file"]), "tag": doubled(found["tag"]),
            "static": vague(found["static"])}


def judge_itself():
    """It sees a name of each sort that stands twice."""
    import tempfile
    with tempfile.TemporaryDirectory(prefix="sonde-names-") as root:
        root = pathlib.Path(root)
        for folder in ("lib/a", "probes/b"):
            (root / folder).mkdir(parents=True)
            (root / folder / "same.c").write_text(
                "/* struct other { } */\nstruct twice {\n\tint n;\n};\n"
                "static int run(void)\n{\n\treturn 0;\n}\n"
                "static int run_it(void)\n{\n\treturn 0;\n}\n",
                encoding="utf-8")
        return {kind: list(table) for kind, table in judge(root).items()}


def main():
    failed, count = 0, 0

    def check(what, good, lines=()):
        nonlocal failed, count
        count += 1
        for line in lines:
            print("# " + line)
        print(f"{'ok' if good else 'not ok'} {count} - {what}")
        failed += not good

    check("a name that stands twice is seen", judge_itself() == {
        "file": ["same.c"], "tag": ["twice"], "static": ["run"]})
    found = judge(pathlib.Path("."))
    for kind, what in (("file", "file names are unique"),
                       ("tag", "struct, enum and union tags are unique"),
                       ("static", "statics of one word are unique")):
        lines = [f"{name}: {' '.join(places)}"
                 for name, places in sorted(found[kind].items())]
        check(what, not lines, lines)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
