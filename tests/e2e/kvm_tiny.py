#!/usr/bin/env python3
"""kvm_tiny: `peng run` on this machine's own /dev/kvm, whatever is behind it, with a kernel of a few
instructions. Skipped where there is no KVM.
"""
import os
import subprocess
import sys

from harness import PENG, TOP, Machine, case, check, main


def build(directory):
    """The kernel as an ELF file with a PVH note."""
    kernel = os.path.join(directory, 'hello')
    subprocess.run(['gcc', '-static', '-nostdlib', '-Wl,-Ttext=0x200000,-z,noseparate-code,--build-id=none',
                    '-Wl,-e,start', '-o', kernel, os.path.join(TOP, 'tests/e2e/guest_x86/hello.S')],
                   check=True)
    return kernel


def start(directory, append, *args):
    return Machine('--kernel', build(directory), '--append', append, '--memory', '64M', '--net', 'none',
                   '--engine', 'kvm', *args)


@case
def says_hello_and_powers_off(directory):
    machine = start(directory, 'world', '--stats')
    code = machine.wait(20)
    check(machine.output == 'hello, world\n', repr(machine.output))
    check(code == 0, f'exit code {code}: {machine.errors()}')
    check('vcpu0 exits:' in machine.errors(), machine.errors())


@case
def resets(directory):
    for how in ('reset', 'fault'):
        machine = start(directory, how)
        machine.wait_for(rf'(hello, {how}\n){{5}}', 30)
        machine.kill()


@case
def ends_by_a_signal(directory):
    machine = start(directory, 'reset', '--cpus', '4')
    machine.wait_for('hello, reset', 20)
    machine.process.terminate()
    check(machine.wait(20) == 128 + 15, machine.errors())


if __name__ == '__main__':
    doctor = subprocess.run([PENG, 'doctor'], capture_output=True, text=True, check=False).stdout
    if 'engine kvm (x86_64 guests)' not in doctor or 'kvm (x86_64 guests): not usable' in doctor:
        print('skipped: ' + ''.join(line for line in doctor.splitlines(True) if 'kvm' in line))
        sys.exit(77)
    main()
