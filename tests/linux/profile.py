#!/usr/bin/env python3
"""profile.py PROGRAM PENG -- PENG-ARM64: the parts of a program's work (profile.c) are found in the
proportion that they have, by name, with their code."""
import os
import re
import subprocess
import sys
import tempfile

split = sys.argv.index('--')
program, peng = sys.argv[1:split]
peng_arm64 = sys.argv[split + 1]
passed = failed = 0


def check(what, good):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f'FAILED: {what}')


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)


def look_at(name, report):
    shares = {function: float(share) for share, function in
              re.findall(r'^ *([\d.]+) % +\d+  (\w+)  /', report, re.M)}
    more, less = shares.get('three_parts', 0), shares.get('one_part', 0)
    check(f'{name}: shares {shares}', more + less > 80 and 2 < more / max(less, 0.1) < 4.5)


with tempfile.TemporaryDirectory() as place:
    file = os.path.join(place, 'profile')
    done = run([peng_arm64, f'--profile={file}', program])
    check('runs', (done.returncode, done.stdout, done.stderr) == (0, '1\n', ''))
    with open(file, encoding='utf-8') as f:
        look_at('a file', f.read())
    shown = run([peng, 'profile', file])
    check('is shown', shown.returncode == 0)
    look_at('shown', shown.stdout)
    first = shown.stdout[shown.stdout.index('\nunit '):]
    check('guest code beside host code', re.search(r'^ +[0-9a-f]+  (madd|mul) +x.*  [0-9a-f]+  (imul|mov) +r',
                                                   first, re.M))
    check('host code', re.search(r'^ +([0-9a-f]+  m\S+ +x.*)?[0-9a-f]+  imul +r', first, re.M))
    check('nothing but code', not re.search('^(marks|guest|host)', shown.stdout, re.M))
    with open(file, 'w', encoding='utf-8'):
        pass
    done = run([peng_arm64, f'--profile={file}', program, 'fork'])
    with open(file, encoding='utf-8') as f:
        reports = re.split('^(?=profile of process )', f.read(), flags=re.M)[1:]
    check(f'of a child: {len(reports)} reports', (done.returncode, len(reports)) == (0, 2))
    child, parent = reports
    look_at('child', child)
    check('the parent only waits', int(re.search(r'^samples in translated code: (\d+)', parent, re.M).group(1)) < 100)
done = run([peng_arm64, program], env={**os.environ, 'PENG_PROFILE': '-'})
check('to standard error', done.returncode == 0 and done.stdout == '1\n')
look_at('standard error', done.stderr)
refused = run([peng, 'profile', '/nowhere'])
check('no such file', (refused.returncode, refused.stderr) ==
      (1, 'peng: profile: /nowhere: No such file or directory\n'))
print(f'{passed} passed, {failed} failed')
sys.exit(failed != 0)
