#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What README.md, ARCHITECTURE.md and CONTRIBUTING.md name is there.

A link's target and each path in backquotes or a program's block exists; a word
in capitals (NAME) stands for any; a folder may be left out in front where
another row of the document names it.  A `make` target is one of the Makefile.
The tour stays a tour: ARCHITECTURE.md has at most 150 lines.
"""
import glob
import os
import re
import subprocess
import sys

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
LINES = {"ARCHITECTURE.md": 150}
# What is made, installed, or in a collector's folder.
ELSEWHERE = re.compile(r"^(/|https?:|build|telemetry/)")
PATH = re.compile(r"^[\w.<>{},*-]*(/[\w.<>{},*-]*)+$")


def tracked():
    """Every file of the tree and every folder that has one."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        capture_output=True, text=True, check=False).stdout.split("\n")
    files = {f for f in out if f}
    if not files:  # a tree without git
        files = {os.path.relpath(os.path.join(top, name))
                 for top, _, names in os.walk(".") for name in names}
    folders = set()
    for name in files:
        while name := os.path.dirname(name):
            folders.add(name)
    return files | folders


def spread(path):
    """a/{b,c}/ is a/b/ and a/c/."""
    braces = re.search(r"\{([^{}]*)\}", path)
    if not braces:
        return [path]
    return [found for part in braces[1].split(",") for found in
            spread(path[:braces.start()] + part + path[braces.end():])]


def pattern(path):
    """A name that stands for any as a glob's star, FOLDER for any depth."""
    path = path.rstrip("/").replace("FOLDER", "**")
    return re.sub(r"<\w+>|(?<![A-Z])[A-Z]{3,}(?![A-Z])", "*", path)


def named(text):
    """(line number, what a line names) of every path."""
    for number, line in enumerate(text.splitlines(), 1):
        for target in re.findall(r"\]\(([^)#\s]+)\)", line):
            yield number, target
        for quoted in re.findall(r"`([^`]+)`", line):
            for word in quoted.split():
                if PATH.match(word) and not ELSEWHERE.match(word):
                    yield number, word


def exists(path, tree, tails):
    """As it stands, or as the end of something in the tree."""
    return all(wanted in tree or wanted in tails or
               "*" in wanted and glob.glob(wanted, recursive=True)
               for wanted in map(pattern, spread(path)))


def tails_of(tree):
    """Every ending of every path, from a slash on."""
    tails = set()
    for path in tree:
        parts = path.split("/")
        tails.update("/".join(parts[i:]) for i in range(1, len(parts)))
    return tails


def targets():
    """What make makes by name."""
    made = set()
    for name in ["Makefile", *glob.glob("tests/**/*.mk", recursive=True)]:
        with open(name, encoding="utf-8") as file:
            made.update(re.findall(r"^([\w.-]+):(?!=)", file.read(), re.M))
    return made


def judge(name, text, tree, made):
    """The complaints about one document."""
    tails = tails_of(tree)
    for number, path in named(text):
        if ELSEWHERE.match(path) or exists(path, tree, tails):
            continue
        yield f"{name}:{number}: nothing is at '{path}'"
    for number, line in enumerate(text.splitlines(), 1):
        for target in re.findall(r"(?:`|^|sudo )make ([a-z][\w.-]*)", line):
            if target not in made:
                yield f"{name}:{number}: no target is called '{target}'"
    most = LINES.get(name)
    if most and text.count("\n") > most:
        yield f"{name}: {text.count(chr(10))} lines, at most {most}"


def main():
    """One test a document, and one that the check sees what is wrong."""
    tree, made = tracked(), targets()
    print(f"1..{len(DOCUMENTS) + 1}")
    failed = False
    for i, name in enumerate(DOCUMENTS, 1):
        with open(name, encoding="utf-8") as file:
            complaints = list(judge(name, file.read(), tree, made))
        for complaint in complaints:
            print(f"# {complaint}")
        print(f"{'not ok' if complaints else 'ok'} {i} - "
              f"what {name} names is there")
        failed |= bool(complaints)
    wrong = ("`lib/nowhere.c` and `make nothing`\n[a](man/none.1)\n"
             "`lib/{base,nowhere}/` `probes/cli/NAME.xyz`\n"
             + "\n" * LINES["ARCHITECTURE.md"])
    found = list(judge("ARCHITECTURE.md", wrong, tree, made))
    right = "`lib/{base,json}/` `probes/cli/NAME.c` `make unit`\n"
    clean = list(judge("ARCHITECTURE.md", right, tree, made))
    seen = len(found) == 6 and not clean
    print(f"{'ok' if seen else 'not ok'} {len(DOCUMENTS) + 1} - "
          "what is not there is found")
    if not seen:
        print("#", found, clean)
    return failed or not seen


if __name__ == "__main__":
    sys.exit(main())
