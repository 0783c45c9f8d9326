#!/bin/busybox sh
# What the emulated host of `bench/kvm --lab` runs in place of an init: boots the same kernel by peng
# and by qemu in turn, and prints a line for each. Filled in by bench/kvm: CONSOLE, MEMORY_MIB, ROUNDS
# and a shell function for each emulator, which replaces itself by it.
/bin/busybox --install -s /sbin
export PATH=/bin:/sbin:/usr/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug
modprobe kvm-amd 2>/dev/null
ulimit -c 0

# The guest says when it has come to its init, and then waits to be looked at.
mark=at-init
append="console=CONSOLE quiet panic=-1 rdinit=/bin/sh -- -c \"echo $mark; exec sleep 1000\""

counters() { # the kernel's own, of all its machines: there is one
    for name in exits io_exits mmio_exits irq_exits halt_exits mmio_exit_user mmio_exit_kernel wfi_exit_stat wfe_exit_stat hvc_exit_stat signal_exits; do
        [ -e /sys/kernel/debug/kvm/$name ] && echo -n " $name=$(cat /sys/kernel/debug/kvm/$name)"
    done
}
resident() { # PID: KiB beside the guest's memory, which is the one mapping of its size
    awk -v limit=$((MEMORY_MIB * 1024)) '/^Size:/ { own = $2 < limit } /^Rss:/ && own { sum += $2 }
        END { print sum }' "/proc/$1/smaps"
}
now() { # in hundredths of a second
    read -r up rest </proc/uptime
    now=${up%.*}${up#*.}
}
measure() { # NAME
    rm -f /tmp/console
    mkfifo /tmp/console
    now
    start=$now
    "$1" </dev/null >/tmp/console 2>/tmp/errors &
    pid=$!
    exec 3</tmp/console
    line=
    while read -r line <&3; do
        case $line in *$mark*) break ;; esac
    done
    now
    case $line in
    *$mark*) echo "measured $1 hundredths=$((now - start)) rss_kib=$(resident $pid)$(counters)" ;;
    *) echo "failed $1: $(tail -n 3 /tmp/errors | tr '\n' ' ')" ;;
    esac
    kill -9 $pid
    wait $pid 2>/dev/null
    exec 3<&-
}

EMULATORS
dd if=/dev/zero of=/tmp/disk bs=1M count=16 2>/dev/null
round=0
while [ $round -lt ROUNDS ]; do
    for emulator in NAMES; do
        measure $emulator
    done
    round=$((round + 1))
done
echo "lab: done"
poweroff -f
