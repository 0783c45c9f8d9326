#!/usr/bin/env python3
"""firmware: Debian's AAVMF from flash starts GRUB from the disk, which starts Debian."""
from harness import DISK, Machine, case, check, main, wait_login


@case
def firmware_grub_debian(directory):
    machine = Machine('--memory', '1G', '--cpus', '2', '--firmware',
                      '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd', '--disk', DISK + ',snapshot')
    wait_login(machine, 400)
    check('EFI' in machine.command('dmesg | grep "EFI v"'), 'the kernel does not see EFI')
    check('/sys/firmware/efi' in machine.command('ls -d /sys/firmware/efi'), 'no efi')
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


@case
def reset_goes_through_firmware(directory):
    machine = Machine('--memory', '1G', '--firmware', '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd',
                      '--disk', DISK + ',snapshot')
    wait_login(machine, 400)
    start = len(machine.output)
    machine.type('reboot\n')
    machine.wait_for('Restarting system', 120, start)
    wait_login(machine, 400)
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


main()
