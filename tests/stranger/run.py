"""A third party's member, written from the pages in spec/ alone, on lines with real offices.

usage: run.py LIAISON LIAISOND LIAISON-VERIFY

STRANGER_SEED in the environment repeats the claims of a run of ring.at_random.
"""

import concurrent.futures
import os
import sys
import tempfile

import flash
import mend
import offline
import pair
import ring
import taken
import three
import told
from tap import Tap, report

SCENARIOS = (offline.formats, offline.identities, pair.founded_by_an_office, three.among_three, flash.overtaking,
             mend.mended_by_the_stranger, taken.taken_from_an_office, told.told_to_an_office, ring.in_a_ring,
             ring.at_random)

# They mostly wait.
AT_ONCE = 3


def attempt(scenario, programs):
    with tempfile.TemporaryDirectory() as folder:
        return Tap().attempt(scenario, programs, folder)


def main():
    programs = [os.path.abspath(path) for path in sys.argv[1:4]]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        report(pool.map(lambda scenario: attempt(scenario, programs), SCENARIOS))


if __name__ == '__main__':
    main()
