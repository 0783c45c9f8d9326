#!/usr/bin/env python3
"""kvm_lab: the KVM engine on a KVM with (emulated) hardware behind it, where no machine has a real one.

qemu emulates an AMD host with SVM; in it Debian's kernel and its kvm-amd run as they would on metal, and
in that host peng runs the same kernel as its guest. The host is one initramfs: busybox, the modules, peng
with the libraries it needs, the unit tests of the engine, and a script that prints what each run did
between marks. It is started once, for all cases.
"""
import os
import re
import shutil
import subprocess

from harness import PATIENCE, PENG, TOP, Failed, case, check, main

AMD64 = os.path.join(TOP, 'guest', 'amd64')
UNIT_TEST = os.path.join(os.path.dirname(PENG), 'tests', 'unit', 'test-kvm')
QEMU = 'qemu-system-x86_64'
LIMIT_S = 420
# qemu's VMRUN does not arm the guest's hardware breakpoints (seen with 7.2).
EMULATION_LACKS = {'breakpoints_and_steps'}

INIT = '''#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
modprobe kvm-amd

part() { # NAME COMMAND...
    name=$1
    shift
    echo "<$name>"
    timeout 200 "$@" </dev/null 2>&1
    echo "exit=$?"
    echo "</$name>"
}
guest() { # NAME APPEND OPTION...
    name=$1
    append=$2
    shift 2
    part "$name" peng run --memory 256M --kernel /Image --initrd /initrd.gz --stats \\
        --append "console=ttyS0 quiet panic=-1 peng.batch $append" "$@"
}
gunzip -c /disk.gz >/tmp/disk
part unit test-kvm
part doctor peng doctor
guest one "" --engine kvm --net none --disk /tmp/disk
guest two "" --cpus 2 --disk /tmp/disk
guest reset "peng.exec=test,-e,/mnt/again,||,(touch,/mnt/again;,sync;,reboot,-f)" \\
    --net none --disk /tmp/disk
echo "lab: done"
poweroff -f
'''


def copy(root, path, to=None):
    target = os.path.join(root, (to or path).lstrip('/'))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(path, target)


def libraries(program):
    found = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout
    return re.findall(r'(/\S+) \(', found)


def pack_host(directory):
    """The host's initramfs; returns its path."""
    root = os.path.join(directory, 'host')
    with open(os.path.join(AMD64, 'release'), encoding='utf-8') as f:
        release = f.read().strip()
    for name in ('dev', 'proc', 'sys', 'tmp', 'sbin'):
        os.makedirs(os.path.join(root, name))
    copy(root, os.path.join(AMD64, 'root/bin/busybox'), '/bin/busybox')
    os.symlink('busybox', os.path.join(root, 'bin/sh'))
    for name, program in (('peng', PENG), ('test-kvm', UNIT_TEST)):
        for path in libraries(program):
            copy(root, path)
        subprocess.run(['strip', '-o', os.path.join(root, 'bin', name), program], check=True)
    modules = f'lib/modules/{release}/kernel'
    for path in ('arch/x86/kvm/kvm.ko', 'arch/x86/kvm/kvm-amd.ko', 'virt/lib/irqbypass.ko',
                 'drivers/crypto/ccp/ccp.ko'):
        source = os.path.join(AMD64, 'kernel', modules, path)
        if os.path.exists(source):
            copy(root, source, os.path.join(modules, path))
    subprocess.run(['/sbin/depmod', '-b', root, release], check=True, stderr=subprocess.DEVNULL)
    for name in ('Image', 'initrd.gz'):
        copy(root, os.path.join(AMD64, name), name)
    disk = os.path.join(root, 'disk')
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext4', disk, '16M'], check=True)
    subprocess.run(['gzip', disk], check=True)
    init = os.path.join(root, 'init')
    with open(init, 'w', encoding='utf-8') as f:
        f.write(INIT)
    os.chmod(init, 0o755)
    image = root + '.cpio'
    with open(image, 'wb') as out:
        names = subprocess.run(['find', '.'], cwd=root, capture_output=True, check=True).stdout
        subprocess.run(['cpio', '-o', '-H', 'newc', '-R', '0:0', '--quiet'], cwd=root, input=names,
                       stdout=out, check=True)
    return image


lab = {}


def output(directory):
    """What the lab printed, without carriage returns; run once."""
    if 'text' not in lab:
        image = pack_host(directory)
        # no_timer_check: a busy machine lets the emulated 8254 tick too late for the kernel's test.
        command = [QEMU, '-accel', 'tcg', '-cpu', 'max,+svm', '-m', '1536', '-nographic', '-nodefaults',
                   '-serial', 'stdio', '-no-reboot', '-kernel', os.path.join(AMD64, 'Image'), '-initrd',
                   image, '-append', 'console=ttyS0 quiet panic=-1 no_timer_check']
        lab['text'] = ''
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  timeout=LIMIT_S * PATIENCE)
            text = done.stdout
        except subprocess.TimeoutExpired as late:
            text = late.stdout or b''
        lab['text'] = text.decode('utf-8', 'replace').replace('\r', '')
        if 'KVM_LAB_LOG' in os.environ: # all that it said, for looking at
            with open(os.environ['KVM_LAB_LOG'], 'w', encoding='utf-8') as f:
                f.write(lab['text'])
    return lab['text']


def part(directory, name):
    text = output(directory)
    match = re.search(f'(?s)<{name}>\n(.*?)exit=(\\d+)\n</{name}>', text)
    if not match:
        raise Failed(f'no part {name!r} in what the lab printed, which ends with:\n{text[-2500:]}')
    return match.group(1), int(match.group(2))


def guest(directory, name, *patterns):
    text, code = part(directory, name)
    for pattern in patterns:
        check(re.search(pattern, text), f'{name}: no {pattern!r} in:\n{text[-2500:]}')
    check(code == 0, f'{name}: exit code {code}:\n{text[-1500:]}')
    return text


@case
def unit_tests(directory):
    """tests/unit/test_kvm.c, here with paging and interrupts that the CPU does."""
    text, _ = part(directory, 'unit')
    failed = set(re.findall(r'\[  FAILED  \] (\w+_\w+)', text))
    passed = re.findall(r'\[       OK \] (\w+)', text)
    check(failed <= EMULATION_LACKS and len(passed) >= 8, text[-2500:])


@case
def doctor(directory):
    text, _ = part(directory, 'doctor')
    check('engine kvm (x86_64 guests): usable' in text, text)
    check('x86_64 guests: kvm' in text and 'arm64 guests: translator' in text, text)


@case
def one_cpu(directory):
    guest(directory, 'one', r'on 1 x86_64 CPU', r'check: disk wrote and read 1 MiB', r'check: ok',
          r'vcpu0 exits: \d+', r'resets: 0')


@case
def two_cpus_and_a_network(directory):
    guest(directory, 'two', r'engine: kvm', r'on 2 x86_64 CPU', r'check: disk wrote and read 1 MiB',
          r'check: network 10\.\S+ reaches', r'check: ok')


@case
def reset(directory):
    guest(directory, 'reset', r'(?s)check: ok.*check: ok', r'resets: 1')


if __name__ == '__main__':
    main()
