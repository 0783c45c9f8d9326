#!/usr/bin/env python3
"""rotation.py PROGRAM [OTHER...] -- PENG-ARM64: PROGRAM (rotation.c) under a code cache of 4 MiB, by
either tier and with the fewest registers: its checks hold, and generations of the cache were indeed
used again and again. Then other programs of these tests under the same cache."""
import os
import re
import subprocess
import sys

SECONDS = 50
TURNS = 3  # of eight generations, at least
split = sys.argv.index('--')
program, *others = sys.argv[1:split]
peng = sys.argv[split + 1]
passed = failed = 0


def check(what, good, shown=''):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f'FAILED: {what}\n{shown}')


def run(name, *options, **env):
    try:
        done = subprocess.run([peng, '--code-cache', '4M', *options, name], capture_output=True, text=True,
                              timeout=SECONDS, env={**os.environ, 'PENG_CACHE': 'off', **env}, check=False)
    except subprocess.TimeoutExpired:
        check(f'{name} {options} {env} ends', False)
        return ''
    check(f'{name} {options} {env}: {done.returncode}', done.returncode == 0, done.stdout + done.stderr)
    return done.stderr


for options, env in (([], {}), ([], {'PENG_TIER': '2'}), (['--host-features', 'avx2'], {})):
    retired = [int(n) for n in re.findall(r'^retired generations: (\d+)', run(program, '--stats', *options, **env),
                                          re.M)]
    check(f'generations retired, by process: {retired}', retired and min(retired) >= 1 and max(retired) >= 8 * TURNS)
for other in others:
    run(other)
print(f'{passed} passed, {failed} failed')
sys.exit(failed != 0)
