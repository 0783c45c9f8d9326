#!/usr/bin/env python3
"""kept.py PROGRAM -- PENG: translations that are kept between runs: the second run makes none, and
whatever happens to the store the program's answer is the same."""
import glob
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

SECONDS = 120
passed = failed = 0


def check(what, good):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f'FAILED: {what}')


class Guest:
    def __init__(self, peng, program, store):
        self.command, self.store = [peng, '--stats', program], store
        self.env = {**os.environ, 'PENG_CACHE': store}

    def run(self, limit_bytes=None, **env):
        def limit():
            if limit_bytes:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        done = subprocess.run(self.command, env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS, check=False,
                              preexec_fn=limit)
        counts = {name: int(n) for name, n in re.findall(r'^([a-z ]+): (\d+)', done.stderr, re.M)}
        return done.stdout, done.returncode, counts, done.stderr

    def files(self):
        return glob.glob(self.store + '/code-*')


def damage(path, every):
    with open(path, 'r+b') as file:
        size = os.fstat(file.fileno()).st_size
        for at in range(random.randrange(every), size, every):
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << random.randrange(8))]))


def main():
    split = sys.argv.index('--')
    program, peng = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[split + 1])
    with tempfile.TemporaryDirectory() as top:
        guest = Guest(peng, program, top + '/store')
        answer, code, cold, _ = guest.run(PENG_CACHE='off')
        check('runs', code == 0 and answer.count(' ') == 2)
        check('nothing is kept when it is off', not guest.files())
        first = guest.run()
        check('first run', first[:2] == (answer, 0))
        check('one file', len(guest.files()) == 1)
        check('its rights', os.stat(guest.files()[0]).st_mode & 0o777 == 0o600)
        warm = guest.run()
        check('second run', warm[:2] == (answer, 0))
        made = 'translated instructions'
        check(f'the second run translates nothing ({warm[2].get(made)} of {cold.get(made)})',
              warm[2].get(made) == 0 and cold.get(made, 0) > 1000)
        with tempfile.TemporaryDirectory() as lesser:
            other = Guest(peng, program, lesser)
            check('with less of the host', other.run(PENG_HOST_FEATURES='avx2')[:2] == (answer, 0))
            names = [os.path.basename(guests.files()[0]) for guests in (guest, other)]
            check('is kept in a file of its own', names[0] != names[1])

        random.seed(1)
        for every in (7, 101, 1009, 10007, 100003):
            damage(guest.files()[0], every)
            check(f'with a bit flipped every {every} bytes', guest.run()[:2] == (answer, 0))
        os.truncate(guest.files()[0], os.stat(guest.files()[0]).st_size // 2)
        check('cut in half', guest.run()[:2] == (answer, 0))
        check('cut in half, again', guest.run()[:2] == (answer, 0))

        os.chmod(guest.files()[0], 0o666)
        check("other people's file", guest.run()[:2] == (answer, 0))
        os.chmod(guest.files()[0], 0o600)
        os.chmod(guest.store, 0o777)
        check("other people's directory", guest.run()[:2] == (answer, 0))
        os.chmod(guest.store, 0o700)
        check('a store that cannot be', guest.run(PENG_CACHE='/proc/nowhere')[:2] == (answer, 0))
        os.unlink(guest.files()[0])
        check('no file may grow', guest.run(limit_bytes=4096)[:2] == (answer, 0))

        subprocess.run(['rm', '-rf', guest.store], check=True)
        crowd = [subprocess.Popen(guest.command[:1] + guest.command[2:], env=guest.env, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
                 for _ in range(12)]
        for i, one in enumerate(crowd):
            if i % 3 == 0:
                time.sleep(0.01)
                one.send_signal(signal.SIGKILL)
            out = one.communicate(timeout=SECONDS)[0]
            check('one of a crowd', one.returncode == -9 or (out, one.returncode) == (answer, 0))
        guest.run()
        last = guest.run()
        check('after the crowd', last[:2] == (answer, 0) and last[2].get(made) == 0)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
