#!/usr/bin/env python3
"""stress: stress-ng's self-checking workloads inside Debian, on several CPUs."""
from harness import boot_debian, case, check, main

CLASSES = ('cpu', 'matrix', 'vm', 'switch', 'fork', 'futex', 'mmap', 'timer', 'atomic')
SECONDS = 5


@case
def stress_ng_verify(directory):
    machine = boot_debian('--cpus', '4', memory='1G')
    for name in CLASSES:
        size = ' --vm-bytes 64M' if name == 'vm' else ''
        text = machine.command(f'stress-ng --{name} 4{size} --verify --timeout {SECONDS}s '
                               '--metrics-brief 2>&1', 240)
        check('fail' not in text.replace('failed: 0', ''), f'{name}:\n{text}')
    check('BUG' not in machine.command('dmesg'), 'the kernel complains')
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


main()
