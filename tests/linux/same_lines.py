#!/usr/bin/env python3
"""same_lines.py NATIVE -- COMMAND...: runs both, each in an empty directory of its own; they must
print the same lines and end alike. Paths in COMMAND that exist are made absolute."""
import difflib
import os
import subprocess
import sys
import tempfile

SECONDS = 120


def run(command):
    command = [os.path.abspath(word) if os.path.exists(word) else word for word in command]
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                              check=False)
    return done.stdout.splitlines() + [f'ended with {done.returncode}']


def main():
    split = sys.argv.index('--')
    wanted, got = run(sys.argv[1:split]), run(sys.argv[split + 1:])
    difference = list(difflib.unified_diff(wanted, got, 'native', 'arm64', lineterm='', n=1))
    print('\n'.join(difference) or f'{len(wanted)} lines')
    return 1 if difference else 0


if __name__ == '__main__':
    sys.exit(main())
