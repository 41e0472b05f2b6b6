"""The Test Anything Protocol, as far as it is needed here."""

import sys
import traceback


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, condition, name, found=None):
        self.count += 1
        self.failed += not condition and '# TODO' not in name
        print(f'{"ok" if condition else "not ok"} {self.count} - {name}', flush=True)
        if not condition and found is not None:
            self.say(found)

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

    @staticmethod
    def say(text):
        for line in str(text).splitlines():
            print(f'# {line}', flush=True)

    def end(self):
        print(f'1..{self.count}')
        sys.exit(self.failed > 0)
