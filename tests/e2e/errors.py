#!/usr/bin/env python3
"""errors: every mistake a user can make gives one line on standard error, exit code 1, nothing on
standard output and nothing left behind."""
import fcntl
import os
import subprocess

from harness import GUEST, INITRD, KERNEL, PENG, case, check, main


def refuse(args, *needles, cwd=None):
    """Runs peng, which must fail with one line that holds all needles."""
    before = sorted(os.listdir(cwd)) if cwd else None
    done = subprocess.run([PENG, *args], capture_output=True, text=True, timeout=60, cwd=cwd,
                          stdin=subprocess.DEVNULL, check=False)
    line = done.stderr
    check(done.returncode == 1, f'{args}: exit code {done.returncode}: {line}')
    check(done.stdout == '', f'{args}: wrote to standard output: {done.stdout[:200]}')
    check(line.count('\n') == 1 and line.endswith('\n'), f'{args}: not one line: {line!r}')
    for needle in needles:
        check(needle in line, f'{args}: no {needle!r} in {line!r}')
    if cwd:
        check(sorted(os.listdir(cwd)) == before, f'{args}: left files behind')


def write(directory, name, data):
    path = os.path.join(directory, name)
    with open(path, 'wb') as f:
        f.write(data)
    return path


@case
def commands_and_flags(directory):
    refuse([], 'command')
    refuse(['frobnicate'], 'frobnicate')
    refuse(['run', '--frobnicate'], '--frobnicate')
    refuse(['run', '--stats=3'], '--stats')
    refuse(['run', '--memory'], '--memory')
    refuse(['run'], '--kernel')
    refuse(['help', 'frobnicate'], 'frobnicate')
    refuse(['doctor', 'frobnicate'], 'frobnicate')
    refuse(['cache', 'frobnicate'], 'info or clear')
    refuse(['binfmt'], 'install, remove or status')
    refuse(['cache', 'info', '--directory', '/no/such/dir'], '/no/such/dir')
    refuse(['run', KERNEL], KERNEL, '--kernel')
    refuse(['run', '--kernel', KERNEL, '--append', 'x' * 2048], '--append', '2047')
    refuse(['run', '--arch', 'vax', '--kernel', KERNEL], '--arch', 'vax')
    refuse(['run', '--engine', 'warp', '--kernel', KERNEL], '--engine', 'warp')
    refuse(['run', '--cpu', '6502', '--kernel', KERNEL], '--cpu', '6502')
    refuse(['run', '--initrd', INITRD], '--kernel')
    refuse(['run', '--kernel', KERNEL, '--kernel', KERNEL], '--kernel', 'twice')
    refuse(['run', '--kernel', KERNEL, '--firmware', KERNEL], '--kernel', '--firmware')
    refuse(['run', '--kernel', KERNEL, '--console', directory], '--console')
    refuse(['run', '--kernel', KERNEL, '--console', 'none,device=vga'], '--console', 'device=vga')
    refuse(['run', '--firmware', KERNEL + ',color=red'], '--firmware', 'color=red')
    refuse(['run', '--firmware', KERNEL + ',vars='], '--firmware', 'vars=')
    refuse(['run', '--kernel', KERNEL, '--trace', 'exec'], '--trace')
    refuse(['run', '--kernel', KERNEL, '--trace', 'noise,file=x'], '--trace', 'noise')
    refuse(['run', '--kernel', KERNEL, '--gdb', '99999'], '--gdb')
    refuse(['run', '--kernel', KERNEL, '--virtualization', 'maybe'], '--virtualization', 'on or off')
    refuse(['run', '--kernel', KERNEL, '--virtualization', 'on', '--arch', 'x86_64'], '--virtualization', 'arm64')
    refuse(['run', '--kernel', KERNEL, '--virtualization', 'on', '--cpu', 'kunpeng-916'], '--virtualization', 'VHE')
    refuse(['run', '--kernel', KERNEL, '--host-features', 'avx2,sve'], '--host-features', 'sve', 'gfni')


@case
def help_of_commands(directory):
    for command, option in (('run', '--kernel'), ('binfmt', '--replace'), ('cache', '--directory')):
        texts = [subprocess.run([PENG, *args], capture_output=True, text=True, check=True).stdout
                 for args in (['help', command], [command, '--help'])]
        check(texts[0] == texts[1] and option in texts[0], f'help of {command}: {texts}')


@case
def lost_output(directory):
    """What cannot be written is told; nothing that is opened later takes a closed stream's place."""
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([PENG, 'help'], stdout=full, stderr=subprocess.PIPE, text=True)
        check((done.returncode, done.stderr) == (1, 'peng: standard output: No space left on device\n'),
              f'/dev/full: {done}')
    disk = write(directory, 'disk', bytes(1 << 20))
    closed = '"$@" <&- >&- 2>&-'
    done = subprocess.run(['timeout', '8', 'sh', '-c', closed, 'sh', PENG, 'run', '--kernel', KERNEL,
                           '--initrd', INITRD, '--disk', disk], check=False)
    check(done.returncode == 124, f'closed streams: {done}')
    with open(disk, 'rb') as f:
        check(f.read() == bytes(1 << 20), f'the console was written to the disk: {done}')


@case
def sizes_and_counts(directory):
    for size in ('0', '-1', '12Q', 'lots', '', '99999999999999999999', '1.5G'):
        refuse(['run', '--kernel', KERNEL, '--memory', size], '--memory')
    refuse(['run', '--kernel', KERNEL, '--memory', '4096T'], '--memory')
    refuse(['run', '--kernel', KERNEL, '--memory', '1M'], '--memory')
    refuse(['run', '--kernel', KERNEL, '--memory', '32M'], '--memory', 'too little')
    for count in ('0', '-2', '65', 'many', ''):
        refuse(['run', '--kernel', KERNEL, '--cpus', count], '--cpus')
    refuse(['run', '--kernel', KERNEL, '--code-cache', '1K'], '--code-cache')


@case
def kernels(directory):
    bzimage = bytearray(4096)
    bzimage[0x1fe:0x200] = b'\x55\xaa'
    bzimage[0x202:0x206] = b'HdrS'
    elf = b'\x7fELF\x02\x01\x01' + bytes(9) + b'\x02\x00\x3e\x00' + bytes(100)
    with open(KERNEL, 'rb') as f:
        header = f.read(64)
        f.seek(0)
        truncated = f.read(1 << 20)
    big_endian = header[:24] + b'\x0b' + header[25:] + bytes(4096)
    refuse(['run', '--kernel', '/no/such/file'], '/no/such/file', 'No such file')
    refuse(['run', '--kernel', directory], directory)
    for name, data, needle in (
            ('empty', b'', 'empty'), ('text', b'hello\n', 'not an arm64 kernel'),
            ('zeros', bytes(65536), 'not an arm64 kernel'), ('bzImage', bytes(bzimage), 'x86'),
            ('elf', elf, 'ELF'), ('truncated', truncated, 'truncated'), ('big', big_endian, 'big-endian'),
            ('gz', b'\x1f\x8b\x08\x00rubbish', 'gzip')):
        refuse(['run', '--kernel', write(directory, name, data)], name, needle, cwd=directory)
    x86 = os.path.join(directory, 'bzImage')
    refuse(['run', '--kernel', x86, '--arch', 'arm64'], x86, 'x86')
    refuse(['run', '--kernel', x86, '--engine', 'interpreter'], '--engine interpreter', 'arm64')
    refuse(['run', '--kernel', KERNEL, '--initrd', '/no/such/initrd'], '--initrd', '/no/such/initrd')
    refuse(['run', '--firmware', '/no/such/firmware'], '--firmware', '/no/such/firmware')
    refuse(['run', '--firmware', INITRD + ',vars=/no/such/dir/vars'], '--firmware', '/no/such/dir/vars')
    refuse(['run', '--firmware', INITRD + ',vars=' + directory], '--firmware', directory)
    vars_file = write(directory, 'vars', bytes(1000))
    refuse(['run', '--firmware', INITRD + ',vars=' + vars_file], '--firmware', vars_file, '64 MiB')
    refuse(['run', '--firmware', INITRD + ',vars=' + os.path.join(directory, 'new'), '--disk',
            directory], '--disk', cwd=directory)


@case
def disks(directory):
    run = ['run', '--kernel', KERNEL]
    refuse(run + ['--disk', '/no/such/disk'], '--disk', '/no/such/disk')
    refuse(run + ['--disk', directory], '--disk', directory)
    disk = write(directory, 'disk', bytes(1 << 20))
    refuse(run + ['--disk', disk + ',format=qcow3'], '--disk', 'format=qcow3')
    odd = write(directory, 'odd', bytes(1000))
    refuse(run + ['--disk', odd], '--disk', odd)
    refuse(run + ['--disk', disk, '--disk', disk], '--disk', disk)
    refuse(['run', '/no/such/image'], '/no/such/image')
    refuse(['run', disk, disk], disk, 'too many')
    qcow2 = write(directory, 'qcow2', b'QFI\xfb' + bytes(1020))
    refuse(run + ['--disk', qcow2], '--disk', qcow2, 'qcow2', 'qemu-img convert')


@case
def locked_disk(directory):
    """A disk that a running machine writes is refused to a second machine, and free again after."""
    from harness import boot_initrd
    disk = write(directory, 'disk', bytes(1 << 20))
    machine = boot_initrd('--disk', disk)
    refuse(['run', '--kernel', KERNEL, '--disk', disk], '--disk', disk)
    refuse(['run', '--kernel', KERNEL, '--disk', disk + ',readonly'], '--disk', disk)
    machine.type('poweroff -f\n')
    check(machine.wait(60) == 0, 'power-off')
    with open(disk, 'r+b') as f:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)


@case
def networks_and_shares(directory):
    run = ['run', '--kernel', KERNEL]
    refuse(run + ['--net', 'pigeon'], '--net', 'pigeon')
    refuse(run + ['--net', 'user,hostfwd=nonsense'], '--net')
    refuse(run + ['--net', 'user,color=red'], '--net', 'color=red')
    refuse(run + ['--net', 'none', '--net', 'user'], '--net')
    refuse(run + ['--net', 'tap=a-name-that-is-too-long'], '--net')
    refuse(run + ['--virtio-transport', 'pigeon'], '--virtio-transport', 'mmio or pci')
    refuse(run + ['--share', directory], '--share', 'tag')
    refuse(run + ['--share', directory + ',tag=x', '--share', '/,tag=x'], '--share', 'tag=x', 'twice')
    refuse(run + ['--share', '/no/such/dir,tag=x'], '--share', '/no/such/dir')
    refuse(run + ['--share', GUEST + '/Image,tag=x'], '--share')


main()
