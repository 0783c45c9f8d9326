#!/usr/bin/env python3
"""nehalem: translated code, of machines and of programs, on an emulated host that has SSE4.2 and no more, where an
instruction that it lacks is SIGILL (lab.py)."""
import os

os.environ['KVM_LAB'] = 'nehalem'

import lab
from harness import PENG, case, check, main

BUILD = os.path.dirname(PENG)
PROGRAMS = ['signal_fault', 'signal_registers', 'returns', 'rseq']
GUESTS = ['mmu', 'exceptions']
INIT = '\n'.join(
    ['part doctor peng doctor'] + [f'part {name} /bin/peng-arm64 /{name}' for name in PROGRAMS]
    + [f'part {name} peng run --engine translator --cpus 2 --memory 128M --net none --kernel /{name}'
       for name in GUESTS])


def files(_):
    found = {name: os.path.join(BUILD, f'tests/linux/linux-{name}') for name in PROGRAMS}
    found |= {name: os.path.join(BUILD, f'tests/guest/guest-{name}.img') for name in GUESTS}
    return found | {'bin/peng-arm64': os.path.join(BUILD, 'peng-arm64')}


host = lab.Host(INIT, files)


@case
def doctor(directory):
    """What it has, and that the translator is what --engine auto takes."""
    text, status = host.part(directory, 'doctor')
    check(status == 0 and 'arm64 guests: translator' in text, text)
    check('sse4_2' in text and not any(name in text for name in ('avx2', 'bmi2', 'fsgsbase')), text)


def passes(name):
    def test(directory):
        text, status = host.part(directory, name)
        check(status == 0, text[-1500:])
    test.__name__ = name
    test.__doc__ = f'{name}: as on any other host.'
    return case(test)


for part in PROGRAMS + GUESTS:
    passes(part)

main()
