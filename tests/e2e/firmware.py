#!/usr/bin/env python3
"""firmware: Debian's AAVMF from flash starts GRUB from the disk, which starts Debian; its variables."""
import os

from harness import DISK, Machine, case, check, main, wait_login

CODE = '/usr/share/AAVMF/AAVMF_CODE.fd'
EFI = '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd'
VARIABLE = 'peng -guid 50454e47-0000-4000-8000-000000000001'


@case
def firmware_grub_debian(directory):
    machine = Machine('--memory', '1G', '--cpus', '2', '--firmware',
                      EFI, '--disk', DISK + ',snapshot')
    wait_login(machine, 400)
    check('EFI' in machine.command('dmesg | grep "EFI v"'), 'the kernel does not see EFI')
    check('/sys/firmware/efi' in machine.command('ls -d /sys/firmware/efi'), 'no efi')
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


@case
def firmware_finds_a_pci_disk(directory):
    machine = Machine('--memory', '1G', '--virtio-transport', 'pci', '--firmware', EFI, '--disk',
                      DISK + ',snapshot')
    wait_login(machine, 400)
    check('ITS-MSI' in machine.command('grep virtio0 /proc/interrupts'), 'the disk has no MSI-X')
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


@case
def reset_goes_through_firmware(directory):
    machine = Machine('--memory', '1G', '--firmware', EFI,
                      '--disk', DISK + ',snapshot')
    wait_login(machine, 400)
    start = len(machine.output)
    machine.type('reboot\n')
    machine.wait_for('Restarting system', 120, start)
    wait_login(machine, 400)
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


def shell(firmware, variables):
    """The firmware's own shell, which it starts where there is nothing to start from."""
    machine = Machine('--memory', '256M', '--net', 'none', '--firmware',
                      firmware + ',vars=' + variables)
    machine.wait_for('Press ESC', 120)
    machine.type('\x1b')
    machine.wait_for(r'Shell> $', 60)
    return machine


@case
def variables_outlive_the_machine(directory):
    """Set in the firmware's shell, read by another process; from an erased flash and a template."""
    for name, firmware in ('erased', EFI), ('template', CODE):
        path = os.path.join(directory, name)
        machine = shell(firmware, path)
        check(os.path.getsize(path) == 64 << 20, 'the size of the file')
        second = Machine('--firmware', firmware + ',vars=' + path)
        check(second.wait(30) == 1, 'a second machine has the same variables')
        check('--firmware' in second.errors() and 'in use' in second.errors(), second.errors())
        start = len(machine.output)
        machine.type(f'setvar {VARIABLE} -nv -bs =0x4b455054\r')
        machine.wait_for(r'Shell> $', 30, start)
        machine.type('reset -s\r')
        check(machine.wait(60) == 0, 'exit code')
        machine = shell(firmware, path)
        start = len(machine.output)
        machine.type(f'setvar {VARIABLE}\r')
        machine.wait_for('54 50 45 4B', 30, start)
        machine.type('reset -s\r')
        check(machine.wait(60) == 0, 'exit code')


main()
