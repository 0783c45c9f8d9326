#!/usr/bin/env python3
"""ovmf: Debian's OVMF on the x86_64 board under KVM (lab.py): it starts systemd-boot from a virtio disk, which
starts Debian's kernel; and its variables outlive resets and the machine.

In no suite, to be run by hand with another qemu than Debian 12's (7.2), which aborts where a guest under its SVM writes
CR8 while an interrupt waits, which OVMF does at the end of each timer interrupt. What can be seen of the board without
OVMF is in kvm_tiny.py.
"""
import os
import re
import subprocess
import time

from harness import case, check, main
from lab import Host, kernel_file

OVMF = '/usr/share/OVMF/'
BOOT = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi'
VARIABLE = 'peng -guid 50454e47-0000-4000-8000-000000000001'

INIT = '''for name in debian shell; do gunzip -c /$name.gz >/tmp/$name; done
machine() { # NAME DISK OPTION...
    name=$1
    disk=$2
    shift 2
    part "$name" peng run --memory 256M --net none --stats --disk "/tmp/$disk,readonly" \\
        --firmware /OVMF_CODE_4M.fd,vars=/tmp/vars "$@"
}
machine debian debian --cpus 2
machine first shell
machine second shell
'''
ENTRY = '''title Debian
linux /linux
initrd /initrd
options console=ttyS0 quiet panic=-1 peng.batch peng.exec=hwclock,-u;dmesg,|,grep,-E,SEEN
'''
SEEN = 'efi:|MCFG|MMCONFIG|BAR,0|rtc_cmos'  # of what the kernel says: each letter costs the lab two exits
# The firmware's shell, which it starts where there is nothing to start from, runs this.
SCRIPT = f'''@echo -off
setvar {VARIABLE}
if %lasterror% == 0 then
  echo known
  reset -s
endif
setvar {VARIABLE} -nv -bs =0x4b455054
reset -c
'''


def make_disk(path, size, content):
    """A FAT file system with these files, packed."""
    subprocess.run(['mformat', '-C', '-F', '-i', path, '-T', str(size // 512), '::'], check=True)
    folders = {os.path.dirname(name) for name in content}
    for folder in sorted({'/'.join(f.split('/')[:n + 1]) for f in folders if f for n in range(f.count('/') + 1)}):
        subprocess.run(['mmd', '-i', path, '::' + folder], check=True)
    for name, data in content.items():
        subprocess.run(['mcopy', '-i', path, '-', '::' + name], input=data, check=True)
    subprocess.run(['gzip', '-1', path], check=True)
    return path + '.gz'


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def files(directory):
    debian = {
        'EFI/BOOT/BOOTX64.EFI': read(BOOT),
        'loader/loader.conf': b'timeout 0\ndefault debian.conf\n',
        'loader/entries/debian.conf': ENTRY.replace('SEEN', f'"{SEEN}"').encode(),
        'linux': read(kernel_file('Image')),
        'initrd': read(kernel_file('initrd.gz')),
    }
    shell = {'startup.nsh': SCRIPT.replace('\n', '\r\n').encode()}
    return {
        'debian.gz': make_disk(os.path.join(directory, 'debian'), 40 << 20, debian),
        'shell.gz': make_disk(os.path.join(directory, 'shell'), 34 << 20, shell),
        **{name: OVMF + name for name in ('OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd')},
    }


host = Host(INIT, files)


def machine(directory, name, *patterns):
    text, code = host.part(directory, name)
    for pattern in patterns:
        check(re.search(pattern, text), f'{name}: no {pattern!r} in:\n{text[-3000:]}')
    check(code == 0, f'{name}: exit code {code}:\n{text[-1500:]}')
    return text


@case
def firmware_starts_debian(directory):
    text = machine(directory, 'debian', r'efi: EFI v2', r'MCFG 0x', r'MMCONFIG for domain 0000 \[bus 00-ff\]',
                   r'BAR 0 \[mem 0x\w+ 64bit\]', r'rtc_cmos \S+ registered as rtc0', r'on 2 x86_64 CPU',
                   r'check: ok', r'resets: 0')
    now = re.search(r'(?m)^\w{3} (\w{3} +\d+ \d\d:\d\d:\d\d \d{4})  \d\.', text)
    check(now, 'hwclock says nothing:\n' + text[-2000:])
    seconds = time.time() - time.mktime(time.strptime(now.group(1) + ' UTC', '%b %d %H:%M:%S %Y %Z')) + time.timezone
    check(abs(seconds) < 1800, f'hwclock is {seconds} s off: {now.group(0)}')


@case
def variables_outlive_a_reset_and_the_machine(directory):
    """The script sets one and resets; then it is there, also in a machine of its own."""
    machine(directory, 'first', r'54 50 45 4B', 'known', 'resets: 1')
    machine(directory, 'second', r'54 50 45 4B', 'known', 'resets: 0')


if __name__ == '__main__':
    main()
