#!/usr/bin/env python3
"""core_dump.py PROGRAM -- PENG [OPTION]...: runs the program core_dump.c, which dies, and has
gdb-multiarch read its core file: registers, memory, threads, and what killed it."""
import glob
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
PATTERN = '/proc/sys/kernel/core_pattern'
# gdb command, and what it must print
QUESTIONS = [
    ('print/x known', '0x1122334455667789'),
    ('print/x $x20', '0x2020'),
    ('print/x *(long *)$x21', '0x5566'),
    ('print $d9.f', '1.5'),
    ('print/x $_siginfo._sifields._sigfault.si_addr', '0x48'),
    ('print $pc == (unsigned long)&crash_here', '= 1'),
    ('info threads', 'crash ('),
    ('info threads', 'spin_in_guest'),
    ('info threads', 'pause'),
    ('thread apply all backtrace', 'wait_in_call'),
    ('info auxv', 'aarch64'),
    ('info files', 'elf64-littleaarch64'),
]


def main():
    program, rest = os.path.abspath(sys.argv[1]), sys.argv[2:]
    command = [os.path.abspath(rest[1])] + rest[2:] + [program]
    with open(PATTERN, encoding='ascii') as file:
        pattern = file.read()
    if pattern[0] in '|/' or not shutil.which('gdb-multiarch'):
        print('core_pattern is no plain name here, or there is no gdb-multiarch')
        return SKIPPED
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    with tempfile.TemporaryDirectory() as folder:
        signal.alarm(60)
        _, status = os.waitpid(subprocess.Popen(command, cwd=folder).pid, 0)
        signal.alarm(0)
        if os.WTERMSIG(status) != signal.SIGSEGV or not os.WCOREDUMP(status):
            print(f'ended with status {status:#x}, not by SIGSEGV with a core file')
            return 1
        cores = glob.glob(folder + '/*')
        if len(cores) != 1:
            print(f'core files: {cores}')
            return 1
        gdb = ['gdb-multiarch', '-nx', '-batch', '-iex', 'set debuginfod enabled off']
        for question, _ in QUESTIONS:
            gdb += ['-ex', 'echo \\n', '-ex', question]
        told = subprocess.run(gdb + [program, cores[0]], capture_output=True, text=True,
                              timeout=120, check=False).stdout
    missing = [f'{question}: {answer}' for question, answer in QUESTIONS if answer not in told]
    print(told if missing else 'ok', *missing, sep='\n')
    return len(missing) != 0


if __name__ == '__main__':
    sys.exit(main())
