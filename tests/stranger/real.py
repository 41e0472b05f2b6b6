"""A real office: the programs under test, run in a folder of their own. README.md and man/ say how."""

import json
import os
import select
import signal
import subprocess


class RealOffice:
    def __init__(self, programs, folder, name):
        self.liaison, self.liaisond, self.verify = programs
        self.name, self.folder = name, os.path.join(folder, name)
        os.mkdir(self.folder)
        self.home, self.key = self.path('office'), self.path('office.key')
        self.daemon = self.port = None
        self.run('init', name, '--key-file', self.key, '--recovery-sheet', self.path('sheet'), '--languages', 'en,ko')

    def path(self, name):
        return os.path.join(self.folder, name)

    def try_run(self, *words):
        return subprocess.run([self.liaison, '--office', self.home, *words], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=60, check=False, cwd=self.folder)

    def run(self, *words):
        done = self.try_run(*words)
        if done.returncode:
            raise AssertionError(f'{words}: {done.returncode} {done.stderr}')
        return done.stdout

    def start(self):
        words = [self.liaisond, '--office', self.home, '--key-file', self.key, '--listen', 'tcp://127.0.0.1:0',
                 '--redial-max', '1s']
        with open(self.path('log'), 'ab') as log:
            self.daemon = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                           text=True)
        if not select.select([self.daemon.stdout], [], [], 20)[0]:
            raise AssertionError('the daemon does not become ready')
        line = self.daemon.stdout.readline()
        self.port = int(line.rsplit(':', 1)[1])

    def stop(self):
        if self.daemon:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(20)
            self.daemon.stdout.close()
            self.daemon = None

    def save(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return self.path(name)

    def load(self, name):
        with open(self.path(name), encoding='utf-8') as file:
            return file.read()

    def read(self, line, *words):
        return [json.loads(row) for row in self.run('read', line, '--json', *words).splitlines()]

    def status(self):
        return json.loads(self.run('status', '--json'))

    def verify_proof(self, proof, policy):
        return self.run_verify(proof, '--policy', policy)[0]

    def run_verify(self, *words):
        done = subprocess.run([self.verify, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr
