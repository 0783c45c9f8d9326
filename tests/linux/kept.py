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
    """`still`: nothing lies at random. A program's start goes other ways with other addresses of its strings."""

    def __init__(self, peng, program, store, still=False):
        self.command, self.store = [peng, '--stats', program], store
        self.before = ['setarch', '--addr-no-randomize'] if still else []
        self.env = {**os.environ, 'PENG_CACHE': store}

    def run(self, limit_bytes=None, **env):
        def limit():
            if limit_bytes:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        done = subprocess.run(self.before + self.command, env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS, check=False,
                              preexec_fn=limit)
        counts = {name: int(n) for name, n in re.findall(r'^([a-z ]+): (\d+)', done.stderr, re.M)}
        return done.stdout, done.returncode, counts, done.stderr

    def files(self):
        """Of records, one for each page of code."""
        return [path for path in glob.glob(self.store + '/code-*') if '.' not in path]

    def images(self):
        """Of whole programs."""
        return glob.glob(self.store + '/code-*.*[0-9a-f]')


def damage(path, every):
    with open(path, 'r+b') as file:
        size = os.fstat(file.fileno()).st_size
        for at in range(random.randrange(every), size, every):
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << random.randrange(8))]))


def flip(path, at):
    with open(path, 'r+b') as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def check_images(guest, answer):
    """An image that is not as it was written is left, and another one takes its place."""
    made, taken = 'translated units', 'units from the image'
    check('an image', len(guest.images()) == 1)
    path = guest.images()[0]
    check('its rights', os.stat(path).st_mode & 0o777 == 0o600)
    with open(path, 'rb') as file:
        good = file.read()

    def spoilt(what, spoil):
        with open(path, 'wb') as file:
            file.write(good)
        os.chmod(path, 0o600)
        fine = guest.run()
        check(f'{what}: as written', fine[0] == answer and fine[2].get(taken, 0) > 100)
        spoil()
        run = guest.run()
        check(f'{what}: {run[2].get(taken)} units taken', run[:2] == (answer, 0)
              and run[2].get(taken) == 0 and run[2].get(made) == 0)

    for at in [0, 8, 100, 2000, *range(4096, len(good), len(good) // 25), len(good) - 1]:
        spoilt(f'a bit flipped at {at}', lambda at=at: flip(path, at))
    for size in (0, 100, 5000, len(good) // 2, len(good) - 1):
        spoilt(f'cut to {size}', lambda size=size: os.truncate(path, size))
    spoilt("other people's", lambda: os.chmod(path, 0o666))
    spoilt('not there', lambda: os.unlink(path))
    spoilt('a link', lambda: (os.unlink(path), os.symlink('/dev/null', path)))
    os.unlink(path)
    guest.run(PENG_CACHE=guest.store)
    check('and again', guest.run()[2].get(taken, 0) > 100)


def check_changed_program(peng, program, top):
    """The same file but for one page of its code: that page is translated anew, the rest is not."""
    with open(program, 'rb') as file:
        code = bytearray(file.read())
    movz = [at for at in range(0, len(code) - 4, 4)
            if int.from_bytes(code[at:at + 4], 'little') & 0xffffffe0 == 0x52800000 | 12345 << 5]
    check('one constant to change', len(movz) == 1)
    if len(movz) != 1:
        return
    copy = top + '/copy'
    with open(copy, 'wb') as file:
        file.write(code)
    os.chmod(copy, 0o755)
    guest = Guest(peng, copy, top + '/other-store')
    answers = [guest.run()[0] for _ in range(3)]
    word = int.from_bytes(code[movz[0]:movz[0] + 4], 'little') + (2 << 5)
    code[movz[0]:movz[0] + 4] = word.to_bytes(4, 'little')
    with open(copy, 'r+b') as file:
        file.write(code)
    right = guest.run(PENG_CACHE='off')[0]
    out, status, counts, _ = guest.run()
    check('another program', len(set(answers)) == 1 and right != answers[0])
    check(f'runs as it is now: {out!r}', (out, status) == (right, 0))
    check(f"one page differs: {counts.get('pages not as in the image')}",
          counts.get('pages not as in the image') == 1 and
          0 < counts.get('translated units', 0) < 100)
    check('and once more', guest.run()[0] == right)


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
        check('it takes the image', warm[2].get('units from the image', 0) > 100
              and warm[2].get('units from the store') == 0 and warm[2].get('links', 100) < 20)
        check_images(guest, answer)
        check_changed_program(peng, program, top)
        for tier in ('1', '2'):
            tiers = [guest.run(PENG_TIER=tier) for _ in range(2)]
            check(f'tier {tier} alone', [run[:2] for run in tiers] == [(answer, 0)] * 2 and
                  tiers[1][2].get('units from the image', 0) > 100)
        subprocess.run(['rm', '-rf', guest.store], check=True)
        guest.run()
        made = 'translated instructions'
        still = Guest(peng, program, top + '/still-store', still=True)
        for tier, most in (('1', 0), ('', cold.get(made, 0) // 50)):
            # A loop that only the second run finds hot becomes a region then, with ways out of its own.
            still.run(PENG_TIER=tier)
            again = still.run(PENG_TIER=tier)[2]
            check(f'the second run translates nothing ({again.get(made)} of {cold.get(made)})',
                  again.get(made, most + 1) <= most and cold.get(made, 0) > 1000)
        with tempfile.TemporaryDirectory() as lesser:
            other = Guest(peng, program, lesser)
            check('with less of the host', other.run(PENG_HOST_FEATURES='avx2')[:2] == (answer, 0))
            names = [os.path.basename(guests.files()[0]) for guests in (guest, other)]
            check('is kept in a file of its own', names[0] != names[1])

        random.seed(1)
        for every in (7, 101, 1009, 10007, 100003):
            damage(guest.files()[0], every)
            for image in guest.images(): # records have to do
                os.unlink(image)
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

        subprocess.run(['rm', '-rf', still.store], check=True)
        crowd = [subprocess.Popen(still.before + [peng, program], env=still.env, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
                 for _ in range(12)]
        for i, one in enumerate(crowd):
            if i % 3 == 0:
                time.sleep(0.01)
                one.send_signal(signal.SIGKILL)
            out = one.communicate(timeout=SECONDS)[0]
            check('one of a crowd', one.returncode == -9 or (out, one.returncode) == (answer, 0))
        still.run()
        last = still.run()
        check('after the crowd', last[:2] == (answer, 0) and last[2].get(made, 1000) <= cold.get(made, 0) // 50)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
