#!/usr/bin/env python3
"""command_line.py PENG-ARM64 SHOW CROWD: options, environment variables, error lines and exit codes.

SHOW is show.c, CROWD crowd.c. Where qemu-aarch64 is there, what it accepts has to come out the same.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

peng, show, crowd = sys.argv[1:4]
qemu = shutil.which('qemu-aarch64')
passed = failed = 0


def run(command, env=None):
    clean = {'PATH': os.environ['PATH'], 'HOME': os.environ.get('HOME', '/'), **(env or {})}
    done = subprocess.run(command, env=clean, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout, done.stderr


def check(what, got, expected):
    global passed, failed
    if got == expected:
        passed += 1
        return
    failed += 1
    print(f'{what}: {got!r}\n  instead of {expected!r}')


def same(arguments, output, env=None):
    """Runs, exits with 42, and prints `output`; so does qemu."""
    expected = (42, output + '\n', '')
    check(' '.join(arguments), run([peng, *arguments], env), expected)
    if qemu:
        check('qemu-aarch64 ' + ' '.join(arguments), run([qemu, *arguments], env), expected)


def ours(arguments, output, env=None):
    check(' '.join(arguments), run([peng, *arguments], env), (42, output + '\n', ''))


def refused(arguments, status, line):
    check(' '.join(arguments), run([peng, *arguments]), (status, '', f'peng-arm64: {line}\n'))


def options():
    same([show], f'[{show}] aarch64 ')
    same([show, '-E', 'x'], f'[{show}][-E][x] aarch64 ')
    same(['-0', 'name', show, 'a b', ''], '[name][a b][] aarch64 ')
    same(['-E', 'SHOW=1', show], f'[{show}] SHOW=1 aarch64 ')
    same(['--', show], f'[{show}] aarch64 ')
    same(['-r', '9.9.9', show, 'release'], f'[{show}][release] aarch64 9.9.9')
    same(['-U', 'SHOW', show], f'[{show}] aarch64 ', {'SHOW': 'gone'})
    same([show], f'[{show}] SHOW=1 aarch64 ', {'QEMU_SET_ENV': 'SHOW=1'})
    same([show], '[other] aarch64 ', {'QEMU_ARGV0': 'other'})
    same(['-s', '1048576', show], f'[{show}] aarch64 ')
    ours(['-E', 'SHOW=1,SHOWN=2', '-U', 'SHOW', show], f'[{show}] SHOWN=2 aarch64 ')
    ours(['--env=SHOW=1', '--argv0', 'n', show], '[n] SHOW=1 aarch64 ')
    ours([show], '[ours] aarch64 ', {'QEMU_ARGV0': 'other', 'PENG_ARGV0': 'ours'})
    ours(['-0', 'line', show], '[line] aarch64 ', {'PENG_ARGV0': 'variable'})
    ours(['-cpu', 'kunpeng-916', show], f'[{show}] aarch64 ')
    ours(['-cpu', 'max', show], f'[{show}] aarch64 ')
    ours(['-stack', '2M', '--release=1', show], f'[{show}] aarch64 ')
    for engine in 'translator', 'interpreter':
        ours(['--engine', engine, show], f'[{show}] aarch64 ')
    for features in 'avx2', 'avx2,avx512vl,gfni', 'sse4_2', 'sse4_2,avx2,bmi2':
        ours(['--host-features', features, show], f'[{show}] aarch64 ')
    ours(['--code-cache', '4M', show], f'[{show}] aarch64 ')
    ours([show], f'[{show}] aarch64 ', {'PENG_CODE_CACHE': '2G'})
    ours(['-one-insn-per-tb', '-p', '4096', show], f'[{show}] aarch64 ')
    status, out, _ = run([peng, '-h'])
    check('-h', (status, '--sysroot' in out), (0, True))
    status, out, _ = run([peng, '-version'])
    check('-version', (status, out.startswith('peng-arm64 ')), (0, True))
    status, out, _ = run([peng, '-cpu', 'help'])
    check('-cpu help', (status, 'kunpeng-920' in out), (0, True))
    status, out, err = run([peng, '-strace', show])
    check('-strace', (status, 'exit_group(42)' in err), (42, True))
    stats()
    status, _, err = run([peng, '-d', 'in_asm', show])
    check('-d', (status, err.count('\n')), (42, 1))


def figures_of(lines):
    return dict(re.fullmatch(r'([a-zA-Z0-9_, ]+): (\d+)', line).groups() for line in lines)


def stats():
    """--stats: one line a figure, whose names scripts rely on."""
    start = time.monotonic()
    status, _, err = run([peng, '--stats', show], {'PENG_CACHE': 'off'})
    elapsed = (time.monotonic() - start) * 1e6
    first, *lines = err.splitlines()
    figures = figures_of(lines)
    check('--stats', (status, first.startswith('process '), len(figures)), (42, True, len(lines)))
    for name in ('translated instructions', 'host code bytes', 'exits by unlinked direct jumps',
                 'exits for a system call', 'microseconds running', 'microseconds translating'):
        check(f'--stats: {name}', int(figures.get(name, 0)) > 0, True)
    spent = sum(int(value) for name, value in figures.items() if name.startswith('microseconds '))
    check('--stats: time', 0 < spent <= elapsed, True)
    status, _, err = run([peng, '--stats', crowd], {'PENG_CACHE': 'off'})
    figures = figures_of(err.splitlines()[1:])
    check('functions at round distances', (status, int(figures['exits by indirect jumps']) < 1000),
          (0, True))


def mistakes():
    refused([], 1, 'a program is missing (see peng-arm64 -h)')
    refused(['-nonsense', show], 1, '-nonsense: no such option (see peng-arm64 -h)')
    refused(['-L'], 1, '-L needs a value: PATH')
    refused(['--strace=yes', show], 1, '--strace takes no value')
    refused(['-E', 'novalue', show], 1, '-E: novalue is not VARIABLE=VALUE')
    refused(['-s', 'big', show], 1, '-s: not a size (a number with K, M or G)')
    refused(['-g', '0', show], 1, '-g: 0 is not a port')
    refused(['--engine', 'steam', show], 1, '--engine: steam is neither translator nor interpreter')
    refused(['--host-features', 'avx2,sve', show], 1, '--host-features: sve: not one of sse4_2 avx2 '
            'fma bmi2 abm fsgsbase f16c cx16 aes pclmulqdq sha_ni gfni vaes vpclmulqdq avx512vl avx512vbmi '
            'avx512_vbmi2 avx512_bitalg avx512_vnni')
    refused(['--host-features', 'gfni', show], 1,
            '--host-features: sse4_2 or avx2 must be among them: there is no way with less')
    refused(['--code-cache', '4095K', show], 1, '--code-cache: from 4M to 2048M')
    refused(['-cpu', 'z80', show], 126, '-cpu z80: no such CPU (see -cpu help)')


def programs(directory):
    def file(name, data, mode=0o755):
        path = os.path.join(directory, name)
        with open(path, 'wb') as f:
            f.write(data)
        os.chmod(path, mode)
        return path

    missing = os.path.join(directory, 'missing')
    whole = open(show, 'rb').read()
    refused([missing], 127, f'{missing}: No such file or directory')
    refused([directory], 126, f'{directory}: Permission denied')
    path = file('closed', whole, 0o644)
    refused([path], 126, f'{path}: Permission denied')
    path = file('text', b'hello\n')
    refused([path], 126, f'{path}: not an ELF program')
    path = file('x86', whole[:18] + struct.pack('<H', 62) + whole[20:])
    refused([path], 126, f'{path}: x86-64 program, not arm64')
    path = file('cut', whole[:len(whole) // 2])
    status, out, err = run([peng, path])
    check('cut', (status, err.startswith(f'peng-arm64: {path}: truncated'), err.count('\n')),
          (126, True, 1))
    # A fixed program where nobody may be (mmap_min_addr) or where no user memory is.
    for name, address in ('low', 0), ('high', 1 << 47):
        header = whole[:16] + struct.pack('<HHIQQQIHHHHHH', 2, 183, 1, address, 64, 0, 0, 64, 56, 1,
                                          0, 0, 0)
        load = struct.pack('<IIQQQQQQ', 1, 5, 0, address, address, 120, 120, 4096)
        path = file(name, header + load)
        if name == 'low' and os.geteuid() == 0:
            continue # root may map page 0
        status, out, err = run([peng, path])
        check(name, (status, err.startswith(f'peng-arm64: {path}: '), err.count('\n')),
              (126, True, 1))
    path = file('script', f'#!{show} one  word \n'.encode())
    ours([path, 'x'], f'[{show}][one  word][{path}][x] aarch64 ')
    path = file('lost', b'#!/nowhere/at/all\n')
    refused([path], 127, f'{path}: interpreter: /nowhere/at/all: No such file or directory')
    path = file('native', b'#!/bin/sh\n')
    refused([path], 126, f'{path}: interpreter: /bin/sh: x86-64 program, not arm64')
    path = file('itself', f'#!{directory}/itself\n'.encode())
    refused([path], 126,
            f'{path}: scripts that run scripts: Too many levels of symbolic links')


def dynamic(directory, root='/usr/aarch64-linux-gnu'):
    """With a dynamic linker that is only there under -L."""
    compiler = shutil.which('aarch64-linux-gnu-gcc')
    source, program = os.path.join(directory, 'd.c'), os.path.join(directory, 'd')
    with open(source, 'w') as f:
        f.write('#include <stdio.h>\nint main(void){puts("dynamic");return 42;}\n')
    if not compiler or not os.path.exists(root) or os.path.exists('/lib/ld-linux-aarch64.so.1'):
        return
    subprocess.run([compiler, '-o', program, source], check=True)
    same(['-L', root, program], 'dynamic')
    same([program], 'dynamic', {'QEMU_LD_PREFIX': root})
    ours([program], 'dynamic', {'PENG_LD_PREFIX': root})
    refused([program], 127, f'{program}: dynamic linker: /lib/ld-linux-aarch64.so.1: '
            'No such file or directory')


options()
mistakes()
with tempfile.TemporaryDirectory() as place:
    programs(place)
    dynamic(place)
print(f'{passed} passed, {failed} failed')
sys.exit(failed != 0)
