#!/usr/bin/env python3
"""kvm_lab: the KVM engine on a KVM with (emulated) hardware behind it (lab.py): in that host peng runs the
same kernel as its guest. KVM_LAB=arm64: on Arm; KVM_LAB=intel: on Intel.
"""
import os
import re
import subprocess

from harness import case, check, main
from lab import LAB, Host, kernel_file

GUESTS = {
    'one': 'guest one "" --engine kvm --net none --disk /tmp/disk',
    'two': 'guest two "" --cpus 2 --disk /tmp/disk',
    'reset': 'guest reset "peng.exec=test,-e,/mnt/again,||,(touch,/mnt/again;,sync;,reboot,-f)" --net none '
             '--disk /tmp/disk',
}
INIT = '''guest() { # NAME APPEND OPTION...
    name=$1
    append=$2
    shift 2
    part "$name" peng run --memory 256M --kernel /Image --initrd /initrd.gz --stats \\
        --append "console=CONSOLE quiet panic=-1 FASTER peng.batch $append" "$@"
}
gunzip -c /disk.gz >/tmp/disk
[ -x /bin/test-kvm ] && part unit test-kvm
part doctor peng doctor
''' + '\n'.join(GUESTS[name] for name in LAB.guests)


def files(directory):
    disk = os.path.join(directory, 'disk')
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext4', disk, '16M'], check=True)
    subprocess.run(['gzip', disk], check=True)
    return {'disk.gz': disk + '.gz', **{name: kernel_file(name) for name in ('Image', 'initrd.gz')}}


host = Host(INIT, files)


def guest(directory, name, *patterns):
    text, code = host.part(directory, name)
    for pattern in patterns:
        check(re.search(pattern, text), f'{name}: no {pattern!r} in:\n{text[-2500:]}')
    check(code == 0, f'{name}: exit code {code}:\n{text[-1500:]}')
    return text


def guest_case(name):
    """A case about a guest that not every lab runs."""
    return case if name in LAB.guests else lambda function: function


def unit_tests(directory):
    """tests/unit/test_kvm*.c, here with paging and interrupts that the CPU does."""
    text, _ = host.part(directory, 'unit')
    failed = set(re.findall(r'\[  FAILED  \] ([a-z]\w+)', text))
    passed = re.findall(r'\[       OK \] (\w+)', text)
    check(failed <= LAB.emulation_lacks and len(passed) >= LAB.unit_passes, text[-2500:])


if LAB.unit_test:
    case(unit_tests)


@case
def doctor(directory):
    text, _ = host.part(directory, 'doctor')
    check(f'engine kvm ({LAB.name} guests): usable' in text, text)
    check(all(choice in text for choice in LAB.engines), text)


@case
def one_cpu(directory):
    guest(directory, 'one', f'on 1 {LAB.cpus}', r'check: disk wrote and read 1 MiB', r'check: ok',
          r'vcpu0 exits: \d+', r'resets: 0')


@guest_case('two')
def two_cpus_and_a_network(directory):
    guest(directory, 'two', r'engine: kvm', f'on 2 {LAB.cpus}', r'check: disk wrote and read 1 MiB',
          r'check: network 10\.\S+ reaches', r'check: ok')


@guest_case('reset')
def reset(directory):
    guest(directory, 'reset', r'(?s)check: ok.*check: ok', r'resets: 1')


if __name__ == '__main__':
    main()
