#!/usr/bin/env python3
"""Instructions per packet of the fan-out, the cryptographic library apart: a count that neither
neighbours nor the processor change, so that a regression shows.

    python3 bench/FanOut/instructions.py PATH/FanOutBench [--most N] [--listing]

Valgrind counts what happens inside of `FanOutRow.flushInRound`, for frames of eight packets to 500 viewers.
It knows no AVX-512: libipsec-mb takes another way there, and is not part of the count.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

LIBRARIES = ("libIPSec_MB", "libcrypto")
# 521 were counted when this was set: a sixth is room for compilers, and an allocation or a copy for
# each packet is found.
MOST = 600


def run(binary, folder):
    # Valgrind 3.19 gives up at the debug information of Swift 6.3.
    plain = os.path.join(folder, "bench")
    subprocess.run(["strip", "-g", "-o", plain, binary], check=True)
    out = os.path.join(folder, "out")
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no",
         "--toggle-collect=*flushInRound*", plain, "--only", "8", "--rounds", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    packets = re.search(r"(\d+) packets", done.stdout)
    if not packets or not os.path.exists(out):
        sys.exit(f"instructions: valgrind ended with {done.returncode}\n{done.stderr[-2000:]}")
    return out, int(packets.group(1))


def read(out):
    """Instructions by object and function, those of callees apart."""
    names, costs = {}, collections.Counter()

    def name(kind, text):
        number, _, rest = text.partition(" ")
        if rest:
            names[kind, number] = rest
        return names.get((kind, number), number)

    thing = function = ""
    is_call = False
    for line in open(out):
        key, _, value = line.rstrip().partition("=")
        if key == "ob":
            thing = name("ob", value)
        elif key == "fn":
            function = name("fn", value)
        elif key in ("cob", "cfn"):
            name(key[1:], value)
        elif key == "calls":
            is_call = True  # The next line is what it cost.
        elif line[:1] in "0123456789+-*" and line.strip():
            if not is_call:
                costs[os.path.basename(thing), function] += int(line.split()[1])
            is_call = False
    return costs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--most", type=int, default=MOST)
    parser.add_argument("--listing", action="store_true")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out, packets = run(words.binary, folder)
        costs = read(out)
    ours = {k: v for k, v in costs.items() if not k[0].startswith(LIBRARIES)}
    if words.listing:
        for (thing, function), cost in sorted(ours.items(), key=lambda x: -x[1])[:25]:
            print(f"{cost / packets:8.1f}  {function[:110]} [{thing}]")
    each = sum(ours.values()) / packets
    print(f"{each:.0f} instructions per packet of ours, {packets} packets; at most {words.most}")
    if each > words.most:
        sys.exit("instructions: more than there should be: see --listing")


main()
