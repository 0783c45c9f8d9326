#!/usr/bin/env python3
"""gdb.py PROGRAM -- PENG [OPTION]...: gdb-multiarch debugs gdb_target.c by `peng-arm64 -g PORT`: to
its end, until signals end it, interrupted while it runs, and until it is killed."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

SKIPPED = 77
# Commands, and what gdb must print after each, as regular expressions; an empty one is anything.
TO_THE_END = [
    ('info auxv', 'aarch64'),
    ('break add', 'Breakpoint 1 at'),
    ('continue', r'Breakpoint 1, add \(a=2, b=3\)'),
    ('backtrace', r'#1 .* main \(argc=1'),
    ('print $x0 * 10 + $x1', r'= 23\n'),
    ('x/1i $pc', r'=> .*<add'),
    ('finish', r'Value returned is .* = 5\n'),
    ('print half', r'= 1\.5\n'),
    ('print $pstate = 0', ''),
    ('continue', 'Program received signal SIGUSR1'),
    ('print $_siginfo.si_signo', r'= 10\n'),
    ('print handled', r'= 0\n'),
    ('handle SIGUSR1 nostop noprint pass', ''),
    ('continue', r'hit Breakpoint 1, add \(a=0, b=10\)'),
    ('print handled', r'= 10\n'),
    ('info threads', r'\* 2 +Thread'),
    ('thread apply all backtrace 1', 'Thread 1 .*\n(.*\n)*#0'),
    ('delete', ''),
    ('set variable counter = 100', ''),
    ('stepi', ''),
    ('stepi', ''),
    ('break add if a == 2', ''),
    ('continue', r'Breakpoint 2, add \(a=2, b=10\)'),
    ('print counter', r'= 10[12]\n'),
    ('continue', r'exited with code 052'),
]
BY_SIGNAL = [
    ('break pause_here', 'Breakpoint 1 at'),
    ('continue', 'Breakpoint 1, pause_here'),
    ('continue', 'Program received signal SIGTERM'),
    ('continue', 'Program terminated with signal SIGTERM'),
]
INTERRUPTED = [
    ('break pause_here', 'Breakpoint 1 at'),
    ('continue', 'Breakpoint 1, pause_here'),
    ('python import os, signal, threading; '
     'threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()', ''),
    ('set variable spinning = 1', ''),
    ('continue', 'Program received signal SIGINT'),
    ('set variable spinning = 0', ''),
    ('handle SIGTERM nostop noprint pass', ''),
    ('continue', 'Program terminated with signal SIGTERM'),
]
KILLED = [
    ('break main', 'Breakpoint 1 at'),
    ('continue', 'Breakpoint 1, main'),
    ('next', ''),
    ('kill', r'Inferior 1 .*killed'),
]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def debug(command, program, arguments, steps):
    """What gdb printed, by step, and how the program ended."""
    port = free_port()
    with subprocess.Popen(command[:1] + ['-g', str(port)] + command[1:] + [program] + arguments,
                          stdout=subprocess.PIPE, text=True) as peng:
        gdb = ['gdb-multiarch', '-nx', '-batch', '-iex', 'set debuginfod enabled off', '-ex',
               'set pagination off', '-ex', 'set confirm off', '-ex', 'set tcp connect-timeout 30',
               '-ex', f'target remote :{port}']
        for number, (step, _) in enumerate(steps):
            gdb += ['-ex', f'echo \\n=== {number}\\n', '-ex', step]
        try:
            told = subprocess.run(gdb + [program], capture_output=True, text=True, timeout=120,
                                  check=False)
            out = peng.communicate(timeout=30)[0]
        finally:
            peng.kill()
    parts = re.split(r'\n=== \d+\n', told.stdout)
    return parts[1:] + [''] * len(steps), out, peng.returncode, told.stdout + told.stderr


def main():
    program, rest = os.path.abspath(sys.argv[1]), sys.argv[2:]
    command = [os.path.abspath(rest[1])] + rest[2:]
    if not shutil.which('gdb-multiarch'):
        print('there is no gdb-multiarch')
        return SKIPPED
    failures = []
    for arguments, steps, status, output in [
            ([], TO_THE_END, 42, 'sum 5 handled 10 counter 10[23] half 1.5 child 7\n'),
            (['die'], BY_SIGNAL, -signal.SIGTERM, ''),
            (['die'], INTERRUPTED, -signal.SIGTERM, ''),
            ([], KILLED, -signal.SIGKILL, '')]:
        start = time.monotonic()
        parts, out, ended, everything = debug(command, program, arguments, steps)
        bad = [f'{step}: not {answer!r} but {part!r}'
               for (step, answer), part in zip(steps, parts) if not re.search(answer, part + '\n')]
        if ended != status:
            bad.append(f'ended with {ended}, not {status}')
        if not re.fullmatch(output, out):
            bad.append(f'printed {out!r}')
        if bad:
            print(everything)
        print(f'{len(steps)} steps, {time.monotonic() - start:.1f} s')
        failures += bad
    print(*failures, sep='\n')
    return len(failures) != 0


if __name__ == '__main__':
    sys.exit(main())
