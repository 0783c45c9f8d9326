#!/usr/bin/env python3
"""kvm_lab: the KVM engine on a KVM with (emulated) hardware behind it, where no machine has a real one.

qemu emulates a host: an AMD one with SVM or, with KVM_LAB=arm64 in the environment, an Arm one with VHE. In
it Debian's kernel and its KVM run as they would on metal, and in that host peng runs the same kernel as its
guest. The host is one initramfs: busybox, the modules, peng with the libraries it needs, the unit tests of
the engine, and a script that prints what each run did between marks. It is started once, for all cases.
KVM_LAB_LOG names a file for all that it said. KVM_LAB_HOST names a peng that emulates the Arm host in
qemu's place: EL2 and KVM then run on our own translator.
"""
import os
import re
import shutil
import subprocess
from types import SimpleNamespace

from harness import GUEST, PATIENCE, PENG, Failed, case, check, main

LIMIT_S = 420
X86_64 = SimpleNamespace(
    name='x86_64', folder=os.path.join(GUEST, 'amd64'), console='ttyS0',
    host=['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max,+svm'],
    modules=['arch/x86/kvm/kvm.ko', 'arch/x86/kvm/kvm-amd.ko', 'virt/lib/irqbypass.ko', 'drivers/crypto/ccp/ccp.ko'],
    libraries='/', readelf='readelf', strip='strip',
    unit_test=os.path.join(os.path.dirname(PENG), 'tests', 'unit', 'test-kvm'),
    # qemu's VMRUN does not arm the guest's hardware breakpoints (seen with 7.2).
    emulation_lacks={'breakpoints_and_steps', 'watchpoints'},
    cpus='x86_64 CPU', engines=['x86_64 guests: kvm', 'arm64 guests: translator'])
ARM64 = SimpleNamespace(
    name='arm64', folder=GUEST, console='ttyAMA0',
    host=['qemu-system-aarch64', '-accel', 'tcg', '-M', 'virt,gic-version=3,virtualization=on', '-smp', '2',
          '-cpu', 'max,pauth=off'], # pauth: qemu computes it in software
    modules=[], # built into Debian's kernel
    libraries=os.path.join(GUEST, 'arm64-libs'), readelf='aarch64-linux-gnu-readelf',
    strip='aarch64-linux-gnu-strip', unit_test=None, emulation_lacks=set(),
    cpus='Arm64 CPU', engines=['arm64 guests: kvm'])
LAB = {lab.name: lab for lab in (X86_64, ARM64)}[os.environ.get('KVM_LAB', 'x86_64')]

INIT = '''#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
modprobe kvm-amd 2>/dev/null

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
        --append "console=CONSOLE quiet panic=-1 peng.batch $append" "$@"
}
gunzip -c /disk.gz >/tmp/disk
[ -x /bin/test-kvm ] && part unit test-kvm
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


def find_library(name):
    for folder in ('lib', 'usr/lib', 'lib64'):
        for middle in ('', 'x86_64-linux-gnu', 'aarch64-linux-gnu'):
            path = os.path.join(LAB.libraries, folder, middle, name)
            if os.path.exists(path):
                return path
    raise Failed(f'{name}: not below {LAB.libraries}')


def copy_with_libraries(root, program):
    """And the dynamic linker; all to where the linker looks by itself."""
    text = subprocess.run([LAB.readelf, '-dlW', program], capture_output=True, text=True, check=True).stdout
    names = re.findall(r'\(NEEDED\).*\[(.*)\]', text)
    for linker in re.findall(r'program interpreter: (\S+)\]', text):
        copy(root, find_library(os.path.basename(linker)), linker)
    for name in names:
        if not os.path.exists(os.path.join(root, 'usr/lib', name)):
            path = find_library(name)
            copy(root, path, os.path.join('usr/lib', name))
            copy_with_libraries(root, path)


def copy_modules(root, release):
    """Those that KVM is made of."""
    modules = f'lib/modules/{release}/kernel'
    for path in LAB.modules:
        source = os.path.join(LAB.folder, 'kernel', modules, path)
        if os.path.exists(source):
            copy(root, source, os.path.join(modules, path))
    subprocess.run(['/sbin/depmod', '-b', root, release], check=True, stderr=subprocess.DEVNULL)


def pack_host(directory):
    """The host's initramfs; returns its path."""
    root = os.path.join(directory, 'host')
    with open(os.path.join(LAB.folder, 'release'), encoding='utf-8') as f:
        release = f.read().strip()
    for name in ('dev', 'proc', 'sys', 'tmp', 'sbin', f'lib/modules/{release}'):
        os.makedirs(os.path.join(root, name))
    copy(root, os.path.join(LAB.folder, 'root/bin/busybox'), '/bin/busybox')
    os.symlink('busybox', os.path.join(root, 'bin/sh'))
    for name, program in (('peng', PENG), ('test-kvm', LAB.unit_test)):
        if program:
            copy_with_libraries(root, program)
            subprocess.run([LAB.strip, '-o', os.path.join(root, 'bin', name), program], check=True)
    copy_modules(root, release)
    for name in ('Image', 'initrd.gz'):
        copy(root, os.path.join(LAB.folder, name), name)
    disk = os.path.join(root, 'disk')
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext4', disk, '16M'], check=True)
    subprocess.run(['gzip', disk], check=True)
    init = os.path.join(root, 'init')
    with open(init, 'w', encoding='utf-8') as f:
        f.write(INIT.replace('CONSOLE', LAB.console))
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
        # no_timer_check: a busy machine lets x86's emulated 8254 tick too late for the kernel's test.
        kernel, append = os.path.join(LAB.folder, 'Image'), f'console={LAB.console} quiet panic=-1 no_timer_check'
        if 'KVM_LAB_HOST' in os.environ:
            command = [os.environ['KVM_LAB_HOST'], 'run', '--virtualization', 'on', '--cpus', '2', '--memory', '1536M',
                       '--net', 'none', '--kernel', kernel, '--initrd', image, '--append', append]
        else:
            command = [*LAB.host, '-m', '1536', '-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot',
                       '-kernel', kernel, '-initrd', image, '-append', append]
        lab['text'] = ''
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  timeout=LIMIT_S * PATIENCE)
            text = done.stdout
        except subprocess.TimeoutExpired as late:
            text = late.stdout or b''
        lab['text'] = text.decode('utf-8', 'replace').replace('\r', '')
        if 'KVM_LAB_LOG' in os.environ:
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


def unit_tests(directory):
    """tests/unit/test_kvm.c, here with paging and interrupts that the CPU does."""
    text, _ = part(directory, 'unit')
    failed = set(re.findall(r'\[  FAILED  \] (\w+_\w+)', text))
    passed = re.findall(r'\[       OK \] (\w+)', text)
    check(failed <= LAB.emulation_lacks and len(passed) >= 8, text[-2500:])


if LAB.unit_test:
    case(unit_tests)


@case
def doctor(directory):
    text, _ = part(directory, 'doctor')
    check(f'engine kvm ({LAB.name} guests): usable' in text, text)
    check(all(choice in text for choice in LAB.engines), text)


@case
def one_cpu(directory):
    guest(directory, 'one', f'on 1 {LAB.cpus}', r'check: disk wrote and read 1 MiB', r'check: ok',
          r'vcpu0 exits: \d+', r'resets: 0')


@case
def two_cpus_and_a_network(directory):
    guest(directory, 'two', r'engine: kvm', f'on 2 {LAB.cpus}', r'check: disk wrote and read 1 MiB',
          r'check: network 10\.\S+ reaches', r'check: ok')


@case
def reset(directory):
    guest(directory, 'reset', r'(?s)check: ok.*check: ok', r'resets: 1')


if __name__ == '__main__':
    main()
