#!/usr/bin/env python3
"""smp: several CPUs and changing code: exact sums by every kind of atomic, code made and moved at run
time, CPUs taken away and back, the same answers as on this host; also with the smallest code cache.
"""
import hashlib

from harness import boot_debian, case, check, main, programs_disk

SMALL = ('--code-cache', '4M')


def boot(directory, *args):
    machine = boot_debian('--disk', programs_disk(directory) + ',readonly', '--net', 'none', *args)
    machine.command('mount -o ro,noload LABEL=peng-test /mnt')
    return machine


def run_programs(machine, threads):
    for program, rounds in (('atomics', 30000), ('jit', 1000)):
        text = machine.command(f'/mnt/{program} {threads} {rounds} 2>&1', 200, ok=False)
        check(f'{program} passed' in text, text)


def no_complaints(machine):
    log = machine.command('dmesg')
    for word in ('BUG:', 'Oops', 'WARNING:', 'soft lockup', 'stall on CPU', 'stalls on CPU'):
        check(word not in log, f'the kernel says {word}: {log[-2000:]}')


@case
def atomics_and_changing_code(directory):
    machine = boot(directory, '--cpus', '4')
    for threads in (1, 2, 4, 8):
        run_programs(machine, threads)
    no_complaints(machine)


@case
def small_code_cache(directory):
    machine = boot(directory, '--cpus', '4', *SMALL)
    run_programs(machine, 4)
    # 4 * 1024 threads, as stress-ng would have them, are more than systemd's limit for a login.
    for stressor in ('pthread 4 --pthread-max 128', 'fork 4', 'cpu 4'):
        text = machine.command(f'stress-ng --{stressor} --verify --timeout 3s 2>&1', 200)
        check('successful run' in text, text)
    no_complaints(machine)


@case
def cpu_hotplug(directory):
    machine = boot_debian('--cpus', '2', '--net', 'none')
    for _ in range(5):
        machine.command('echo 0 > /sys/devices/system/cpu/cpu1/online')
        check(machine.command('nproc').strip() == '1', 'CPU 1 is still there')
        machine.command('echo 1 > /sys/devices/system/cpu/cpu1/online')
        machine.command('taskset -c 1 sleep 0.05')
    no_complaints(machine)


def same_answers(machine, levels=('-O0', '-O2')):
    """Work whose answers this host knows; gcc at these levels of optimization."""
    lines = ''.join(f'{i}\n' for i in range(1, 200001)).encode()
    digest = hashlib.sha256(lines).hexdigest()
    for filters in ('cat', 'gzip -9 | gunzip', 'tr 0-9 1-90 | tr 1-90 0-9',
                    "perl -pe 's/(\\d+)/<$1>/; s/<([^>]*)>/$1/'"):
        text = machine.command(f'seq 1 200000 | {filters} | sha256sum', 400)
        check(digest in text, f'{filters}: {text}')
    check(hashlib.sha512(lines).hexdigest() in
          machine.command('seq 1 200000 | openssl dgst -sha512', 400), 'openssl dgst -sha512')
    text = machine.command('seq 1 200000 | openssl enc -aes-256-ctr -pbkdf2 -pass pass:x | openssl enc '
                           '-d -aes-256-ctr -pbkdf2 -pass pass:x | sha256sum', 400)
    check(digest in text, 'openssl enc: ' + text)
    sums = sum(i * i for i in range(200000))
    text = machine.command(
        'python3 -c "import threading as t; r=[0]*4; f=lambda k: r.__setitem__(k, sum(i*i for i in '
        'range(k*50000, k*50000+50000))); a=[t.Thread(target=f, args=(k,)) for k in range(4)]; '
        '[x.start() for x in a]; [x.join() for x in a]; print(sum(r))"', 400)
    check(str(sums) in text, 'python: ' + text)
    # A program of 400 functions, compiled and run in the guest.
    machine.command(r'''perl -e 'for(1..400){print "unsigned f$_(unsigned x){for(unsigned i=0;i<x%7;i++)'''
                    r'''x=x*$_+i;return x^$_;}\n"} print "int printf(const char*,...);int main(){unsigned '''
                    r'''x=1;";print "x=f$_(x);" for 1..400;print "printf(\"sum=%u=\\n\",x);}"' > /tmp/a.c''')
    x = 1
    for n in range(1, 401):
        i = 0
        while i < x % 7:
            x = (x * n + i) & 0xffffffff
            i += 1
        x ^= n
    for level in levels:
        text = machine.command(f'gcc {level} -o /tmp/a /tmp/a.c && /tmp/a', 600)
        check(f'sum={x}=' in text, f'gcc {level}: {text}, not {x}')


@case
def answers(directory):
    machine = boot_debian('--cpus', '2', '--net', 'none')
    same_answers(machine)
    no_complaints(machine)


@case
def answers_with_a_small_code_cache(directory):
    machine = boot_debian('--cpus', '1', '--net', 'none', *SMALL)
    same_answers(machine, ['-O0'])  # minutes of translating the same again and again are enough
    no_complaints(machine)


main()
