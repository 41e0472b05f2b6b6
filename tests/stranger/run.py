"""A third party's member, written from the pages in spec/ alone, on lines with real offices.

usage: run.py LIAISON LIAISOND LIAISON-VERIFY
"""

import os
import sys
import tempfile

import falsehoods
import lines
import offline
from tap import Tap

SCENARIOS = (offline.formats, offline.identities, lines.founded_by_an_office, lines.among_three, lines.overtaking,
             falsehoods.taken_from_an_office, falsehoods.told_to_an_office, falsehoods.in_a_ring)


def main():
    programs = [os.path.abspath(path) for path in sys.argv[1:4]]
    tap = Tap()
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            tap.attempt(scenario, programs, folder)
    tap.end()


if __name__ == '__main__':
    main()
