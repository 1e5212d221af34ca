"""What libdose_c.so exports is what symbols.txt records, with the signatures of dose_c.h; and nothing else.

check_symbols.py LIBRARY HEADER symbols.txt [--write]
A line that disappears or changes there breaks programs that are already built: it needs a new SOVERSION. New
lines are fine.
"""
import re
import subprocess
import sys


def prototypes(header):
    text = re.sub(r"/\*.*?\*/", "", open(header, encoding="utf-8").read(), flags=re.S)
    found = re.findall(r"LIBDOSE_C_API\s+([^;{#]+?\([^;]*?\))\s*;", text)
    return sorted((re.sub(r"\s+", " ", one) for one in found), key=name_of)


def name_of(prototype):
    return re.search(r"(\w+)\(", prototype).group(1)


def exported(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines}


def main():
    library, header, recorded = sys.argv[1:4]
    declared = prototypes(header)
    if "--write" in sys.argv:
        open(recorded, "w", encoding="utf-8").write("\n".join(declared) + "\n")
    problems = []
    lines = open(recorded, encoding="utf-8").read().splitlines()
    expected = {name_of(line) + "@@LIBDOSE_1" for line in lines} | {"LIBDOSE_1"}
    problems += [f"exported and not recorded: {name}" for name in sorted(exported(library) - expected)]
    problems += [f"recorded and not exported: {name}" for name in sorted(expected - exported(library))]
    problems += [f"recorded and not declared so: {line}" for line in lines if line not in declared]
    problems += [f"declared and not recorded: {line}" for line in declared if line not in lines]
    print("\n".join(problems) or f"{len(lines)} functions")
    return 1 if problems or len(lines) < 50 else 0


sys.exit(main())
