"""The Test Anything Protocol, as far as it is needed here. Each scenario has a Tap of its own, so that they can run at
the same time; what they found is printed in order."""

import sys
import traceback


class Tap:
    def __init__(self):
        self.results = []       # (condition, name, what was found)

    def ok(self, condition, name, found=None):
        self.results.append((bool(condition), name, found))

    def equal(self, found, wanted, name):
        self.ok(found == wanted, name, f'found {found!r}, wanted {wanted!r}')

    def refused(self, call, kinds, name):
        """That the call raises one of the exceptions that a refusal is."""
        try:
            self.ok(False, name, f'taken: {call()!r}')
        except kinds:
            self.ok(True, name)

    def attempt(self, scenario, *arguments):
        """A scenario that breaks off is one failure; the others still run."""
        try:
            scenario(self, *arguments)
        except Exception:
            self.ok(False, f'{scenario.__name__} went to its end', traceback.format_exc())
        return self


def report(taps):
    """Prints the results as they come, then the plan; ends the program."""
    count = failed = 0
    for tap in taps:
        for condition, name, found in tap.results:
            count += 1
            failed += not condition and '# TODO' not in name
            print(f'{"ok" if condition else "not ok"} {count} - {name}', flush=True)
            if not condition and found is not None:
                say(found)
    print(f'1..{count}')
    sys.exit(failed > 0)


def say(text):
    for line in str(text).splitlines():
        print(f'# {line}', flush=True)
