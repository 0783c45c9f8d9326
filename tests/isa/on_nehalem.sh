#!/bin/sh
# peng-arm64 ($PENG_ARM64) on a host that has no AVX, BMI or FSGSBASE: there they are SIGILL.
exec "$PENG_QEMU_X86_64" -cpu Nehalem "$PENG_ARM64" "$@"
