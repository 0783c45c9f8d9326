#!/usr/bin/env python3
"""trace_test.py: `peng run --trace` on a bare-metal guest of known behaviour.

    trace_test.py PENG ENGINE IMAGE (of exceptions.c)
"""
import os
import re
import subprocess
import sys
import tempfile

# What exceptions.c is bound to leave in each kind of trace.
WANTED = {
    'exec': [r'cpu0 exec el1 0000000040200000 \w{8} b ', r'cpu0 exec el0 \w{16} \w{8} svc ',
             r'cpu0 exec el1 \w{16} \w{8} eret'],
    'int': [r'cpu0 int sync from el1 elr \w{16} spsr \w{8} to \w{13}a00',
            r'cpu0 int ec 15 iss 0001234 ', r'cpu0 int sync from el0 ',
            r'cpu0 int ec 25 .* far 0000003f00000123'],
    'mmu': [r'cpu0 mmu fill fetch el1 va 0000000040200000',
            r'cpu0 mmu fault read el1 va 0000003f00000123 status 05', r'cpu0 mmu tlbi all'],
}


def trace(peng, engine, image, kinds):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'trace')
        subprocess.run([peng, 'run', '--engine', engine, '--net', 'none', '--memory', '256M',
                        '--kernel', image, '--trace', f'{kinds},file={path}'],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=120, check=True)
        with open(path, encoding='utf-8') as f:
            return f.read()


def main():
    peng, engine, image = sys.argv[1:]
    passed = failed = 0
    for kind, patterns in WANTED.items():
        text = trace(peng, engine, image, kind)
        for pattern in patterns:
            found = re.search(r'^\d+\.\d{6} ' + pattern, text, re.M)
            passed += found is not None
            failed += found is None
            if not found:
                print(f'--trace {kind} has no line {pattern}')
        others = [k for k in WANTED if k != kind and f'cpu0 {k} ' in text]
        passed += not others
        failed += bool(others)
        if others:
            print(f'--trace {kind} has lines of {others}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


sys.exit(main())
