#!/usr/bin/env python3
"""gdb_test.py: a real gdb against `peng run --gdb`, on a bare-metal guest with its symbols.

    gdb_test.py GDB PENG ENGINE ELF IMAGE

gdb runs in batch mode on a list of commands; what it prints is compared line by line with what the
guest's own ELF file says must be there. Then it detaches and the guest must finish by itself.
"""
import re
import socket
import subprocess
import sys
import time

COMMANDS = r"""
set pagination off
set confirm off
set tcp connect-timeout 30
target remote 127.0.0.1:{port}
printf "start %lx\n", $pc
info threads
break *guest_tests
continue
printf "at-guest-tests %d\n", $pc == (unsigned long)guest_tests
printf "el %d\n", ($cpsr >> 2) & 3
printf "stack %d\n", (unsigned long)$sp % 16
set $before = $pc
stepi
printf "stepped %d\n", $pc - $before
set $x7 = 0x123456789abcdef0
printf "x7 %lx\n", $x7
set $v3.d.u[1] = 0x55aa
printf "v3 %lx\n", $v3.d.u[1]
printf "fpcr %x\n", $fpcr
set var *(unsigned long *)&cpus[7].saved[0] = 0xfeedface
printf "memory %lx\n", cpus[7].saved[0]
printf "code %x\n", *(unsigned int *)&_start
x/i &_start
x/x 0x123456789abc0000
delete
break *psci
continue
printf "function %lx\n", $x0
bt 1
delete
hbreak *$x30
continue
printf "back %d\n", $x0 >= 0x10000
delete
break *switch_off
continue
printf "thread %d\n", $_thread
info threads
delete
detach
quit
"""

# What gdb must have printed, in this order.
WANTED = [
    r'^start 40200000$', r'Thread 1 .*vcpu0', r'Thread 4', r'Breakpoint 1,.* guest_tests',
    r'^at-guest-tests 1$', r'^el 1$', r'^stack 0$', r'^stepped 4$', r'^x7 123456789abcdef0$',
    r'^v3 55aa$', r'^fpcr 0$', r'^memory feedface$', r'^code 14', r'_start>:\s+b\s',
    r'Cannot access memory', r'Breakpoint 2,.* psci', r'^function 84000000$', r'#0 .*psci',
    r'Breakpoint 3,', r'^back 1$', r'Breakpoint 4,.* switch_off', r'^thread 3$', r'\* 3 .*switch_off',
    r'Detaching|\[Inferior',
]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def main():
    gdb, peng, engine, elf, image = sys.argv[1:]
    port = free_port()
    machine = subprocess.Popen([peng, 'run', '--engine', engine, '--cpus', '4', '--memory', '256M',
                                '--net', 'none', '--kernel', image, '--gdb', str(port)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        script = []
        for line in COMMANDS.format(port=port).strip().splitlines():
            script += ['-ex', line]
        for attempt in range(20):  # until it listens
            done = subprocess.run([gdb, '-nx', '-batch', elf] + script, capture_output=True,
                                  text=True, timeout=120, check=False)
            if 'Connection refused' not in done.stderr and 'could not connect' not in done.stderr:
                break
            time.sleep(0.2)
        output = done.stdout + done.stderr
        console, _ = machine.communicate(timeout=60)
    except subprocess.TimeoutExpired as e:
        print(f'timeout: {e}')
        print(e.stdout)
        return 1
    finally:
        machine.kill()
    passed, failed, at = 0, 0, 0
    for pattern in WANTED:
        # stderr comes behind stdout, so errors are looked for everywhere.
        match = re.compile(pattern, re.M).search(output, 0 if 'Cannot' in pattern else at)
        if not match:
            print(f'gdb did not print {pattern}')
            failed += 1
            continue
        passed += 1
        at = max(at, match.end()) if 'Cannot' not in pattern else at
    if 'DONE' in console and ', 0 failed' in console:
        passed += 1
    else:
        print('the guest did not finish after gdb had gone:\n' + console[-500:])
        failed += 1
    if failed:
        print(output)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


sys.exit(main())
