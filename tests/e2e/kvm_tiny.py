#!/usr/bin/env python3
"""kvm_tiny: `peng run` on this machine's own /dev/kvm, whatever is behind it, with a kernel of a few
instructions; what bench/kvm measures, within limits. Skipped where there is no KVM.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

from harness import PATIENCE, PENG, TOP, Machine, case, check, main


def build(directory, name='hello'):
    """A kernel as an ELF file with a PVH note."""
    kernel = os.path.join(directory, name)
    subprocess.run(['gcc', '-static', '-nostdlib', '-Wl,-Ttext=0x200000,-z,noseparate-code,--build-id=none',
                    '-Wl,-e,start', '-o', kernel, os.path.join(TOP, f'tests/e2e/guest_x86/{name}.S')],
                   check=True)
    return kernel


def resident_mib(pid, memory_mib):
    """Without mappings as large as the guest's memory."""
    total = size = 0
    with open(f'/proc/{pid}/smaps', encoding='utf-8') as smaps:
        for line in smaps:
            if line.startswith('Size:'):
                size = int(line.split()[1])
            elif line.startswith('Rss:') and size < memory_mib << 10:
                total += int(line.split()[1])
    return total / 1024


def start_once(command, memory_mib):
    """Runs an emulator with the kernel of first.S until the guest's first byte. Returns CPU milliseconds and
    resident memory until then, and what it said on standard error."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first = os.read(process.stdout.fileno(), 1)
        resident = resident_mib(process.pid, memory_mib) if first else 0
        os.kill(process.pid, signal.SIGKILL) # Popen.kill() might reap it, and with it the count
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        errors = process.stderr.read().decode()
    check(first == b'!', f'{command[0]}: {errors}')
    return (usage.ru_utime + usage.ru_stime) * 1000, resident, errors


def peng_command(kernel, memory_mib, *args):
    return [PENG, 'run', '--engine', 'kvm', '--memory', f'{memory_mib}M', '--kernel', kernel, *args]


def jailed_calls(kernel, *args):
    """How many system calls a machine's process is left with."""
    _, _, errors = start_once(peng_command(kernel, 64, '--verbose', *args), 64)
    return int(re.search(r'jailed: (\d+) system calls', errors).group(1))


def start(directory, append, *args, kernel='hello'):
    return Machine('--kernel', build(directory, kernel), '--append', append, '--memory', '64M', '--net', 'none',
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


@case
def starts_lean(directory):
    """To the guest's first instruction: less than 20 ms of CPU, 10 MiB beside RAM, 60 system calls."""
    kernel = build(directory, 'first')
    disk = os.path.join(directory, 'disk')
    with open(disk, 'wb') as f:
        f.truncate(1 << 20)
    devices = ['--net', 'user', '--disk', disk]
    samples = [start_once(peng_command(kernel, 256, *devices), 256)[:2] for _ in range(5)]
    check(min(cpu for cpu, _ in samples) < 20 * PATIENCE, samples) # the least: others may have the caches
    check(max(resident for _, resident in samples) < 10, samples)
    check(20 < jailed_calls(kernel, *devices) < 60, 'system calls')


# KVMs in software know of breakpoints and steps only while they interpret, as they do where there is no paging.
GDB = r"""
set pagination off
set confirm off
set tcp connect-timeout 30
target remote 127.0.0.1:{port}
printf "at-start %d\n", $pc == (unsigned long)&start
printf "argument %d\n", $rbx != 0
set $before = $pc
stepi
printf "stepped %d\n", $pc - $before
printf "paging %d cs %x\n", ($cr0 >> 31) & 1, $cs
break far
continue
printf "paging %d efer %x cr3 %lx cr4 %x\n", ($cr0 >> 31) & 1, $efer, $cr3, $cr4
set $offset = 0xffffffff80000000
delete
set $r15 = 0x1122334455667788
printf "r15 %lx\n", $r15
set $xmm3.v2_int64[1] = 0x55aa
printf "xmm3 %lx %lx\n", $xmm3.v2_int64[0], $xmm3.v2_int64[1]
printf "mxcsr %d fctrl %x\n", $mxcsr, $fctrl
x/i (char *)&last + $offset
printf "same %d\n", *(int *)&last == *(int *)((char *)&last + $offset)
x/x 0x123456789000
set var *(int *)((char *)&counter + $offset) = 11
printf "counter %d\n", *(int *)&counter
info threads
detach
quit
"""

# What gdb must have printed, in this order.
GDB_WANTED = [
    r'^at-start 1$', r'^argument 1$', r'^stepped 10$', r'^paging 0 cs 10$', r'Breakpoint 1, .* in far',
    r'^paging 1 efer 500 cr3 300000 cr4 220$', r'^r15 1122334455667788$', r'^xmm3 0 55aa$',
    r'^mxcsr \d+ fctrl 37f$', r'0xffffffff80\w+:\s+mov\s+\$0x3f8,%dx', r'^same 1$', r'counter 11$',
    r'\* 1 .*vcpu0', r'Detaching|\[Inferior']


@case
def is_debugged_by_gdb(directory):
    """gdb's own idea of breakpoints, watchpoints, steps and registers, by addresses of a guest's tables."""
    gdb = shutil.which('gdb')
    if not gdb:
        print('no gdb: skipped')
        return
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    machine = start(directory, '', '--gdb', str(port), kernel='paged')
    commands = []
    for line in GDB.format(port=port).strip().splitlines():
        commands += ['-ex', line]
    done = subprocess.run([gdb, '-nx', '-batch', os.path.join(directory, 'paged'), *commands],
                          capture_output=True, text=True, timeout=60, check=False)
    text, at = done.stdout + done.stderr, 0
    for pattern in GDB_WANTED:
        found = re.compile(pattern, re.M).search(text, at)
        check(found, f'gdb did not print {pattern!r}:\n{text}')
        at = found.end()
    check('Cannot access memory at address 0x123456789000' in text, text)
    check(machine.wait(20) == 0 and machine.output.endswith('done\n'), machine.output + machine.errors())


@case
def says_why_it_cannot(directory):
    """What a user is told on a host with this or that amiss: what is wrong, and what to do about it."""
    kernel = build(directory, 'hello')
    wrong = subprocess.run([PENG, 'run', '--arch', 'arm64', '--engine', 'kvm', '--kernel', kernel], check=False,
                           capture_output=True, text=True)
    check(wrong.returncode == 1 and 'runs x86_64 guests on this host, not arm64' in wrong.stderr, wrong.stderr)
    if os.getuid() != 0:
        return
    peng = os.path.join(directory, 'peng')
    shutil.copy(PENG, peng)
    os.chmod(directory, 0o755)
    for setup, why, remedy in (
            ('mount -t tmpfs none /dev', 'no /dev/kvm', 'module|nested|firmware'),
            ('rm -f {0}/kvm && mknod -m 600 {0}/kvm c 10 232 && mount --bind {0}/kvm /dev/kvm && set -- setpriv --reuid 65534 '
             '--clear-groups "$@"', 'no permission for /dev/kvm', 'group'),
            ('rm -f {0}/null && mknod {0}/null c 1 3 && mount --bind {0}/null /dev/kvm', '/dev/kvm is no KVM', '')):
        def told(*command, setup=setup):
            return subprocess.run(['unshare', '-m', 'sh', '-c', setup.format(directory) + ' && exec "$@"', 'sh', peng,
                                   *command], check=False, capture_output=True, text=True)
        done = told('doctor')
        check(re.search(f'engine kvm .*: not usable: {why}.*({remedy})', done.stdout), done.stdout + done.stderr)
        check('arm64 guests: translator\nx86_64 guests: none' in done.stdout, done.stdout)
        for engine in ('auto', 'kvm'):
            done = told('run', '--engine', engine, '--kernel', kernel)
            check(done.returncode == 1 and why in done.stderr, f'{engine}: {done.stderr}')


def skip_without_kvm():
    doctor = subprocess.run([PENG, 'doctor'], capture_output=True, text=True, check=False).stdout
    if 'engine kvm (x86_64 guests)' not in doctor or 'kvm (x86_64 guests): not usable' in doctor:
        print('skipped: ' + ''.join(line for line in doctor.splitlines(True) if 'kvm' in line))
        sys.exit(77)


@case
def starts_firmware_and_keeps_its_variables(directory):
    """The first run finds none, makes one and resets; the second knows it."""
    firmware, variables = os.path.join(directory, 'firmware'), os.path.join(directory, 'variables')
    subprocess.run(['gcc', '-static', '-nostdlib', '-Wl,-Ttext=0xfffe8000,-e,0xfffe8010,--oformat=binary',
                    '-Wl,--build-id=none', '-o', firmware, os.path.join(TOP, 'tests/e2e/guest_x86/firmware.S')],
                   check=True)
    check(os.path.getsize(firmware) == 96 << 10, 'the size of the firmware')
    for said, resets in ('QEMU, clock, new\nQEMU, clock, kept\n', 1), ('QEMU, clock, kept\n', 0):
        machine = Machine('--firmware', f'{firmware},vars={variables}', '--memory', '64M', '--net', 'none', '--engine',
                          'kvm', '--stats')
        code = machine.wait(20)
        check(machine.output == said, repr(machine.output) + machine.errors())
        check(code == 0 and f'resets: {resets}' in machine.errors(), f'{code}: {machine.errors()}')
    with open(variables, 'rb') as f:
        check(f.read() == b'K' + b'\xff' * ((32 << 10) - 1), 'what the file of variables has')


if __name__ == '__main__':
    skip_without_kvm()
    main()
