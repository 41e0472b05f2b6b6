#!/usr/bin/python3
"""Half of the worlds of ./check, or of ./check --long: at least so much must have happened in them, with nothing wrong.

usage: worlds.py SIM SEED
"""
import os
import sys

COUNT, YEARS, TEXTS, CRASHES = 100, 50, 100_000, 2_500
times = 11 if "LIAISON_TEST_LONG" in os.environ else 1
least = 10 if times > 1 else 1
sim, seed = sys.argv[1:]
os.execv(sim, [sim, seed, "--count", str(COUNT * times), "--tap", "--at-least-years", str(YEARS * least),
               "--at-least-texts", str(TEXTS * least), "--at-least-crashes", str(CRASHES * least)])
