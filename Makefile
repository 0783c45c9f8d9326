# The front door. Meson and ninja build; this names the few things one does with the tree.
#   make          build/peng
#   make run      boot a stock Debian arm64 kernel to a shell (no terminal: print the boot, power off)
#   make test     set up what it needs and run the quick suites;  make test-long  the long ones
#   make cross    build-arm64/peng, for arm64 hosts
#   make bench    peng beside qemu-system-aarch64 and qemu-aarch64 on this machine
#   make install  PREFIX=/usr/local DESTDIR=
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

.PHONY: all build setup-build run test test-long cross bench install clean distclean tidy format guest disk \
	user-root

all: build
	@echo "build/peng$(if $(wildcard build/peng-arm64), and build/peng-arm64) are ready: 'make run' boots a server"

setup-build:
	@scripts/setup build

build: setup-build
	@[ -f build/build.ninja ] || meson setup build -Dtests=false >build.log 2>&1 || \
		{ cat build.log; rm -f build.log; exit 1; }
	@rm -f build.log
	@[ -t 1 ] && quiet= || quiet=--quiet; cd build; \
		ninja -n | grep -q 'no work to do' || ninja -j $(JOBS) $$quiet

guest:
	@scripts/setup guest
	@scripts/guest

disk: build guest
	@scripts/setup long
	@scripts/guest-disk

user-root: build guest
	@scripts/setup test
	@scripts/user-root small

run: build guest
	@scripts/run

test:
	@scripts/setup build guest test
	@scripts/guest
	@$(MAKE) --no-print-directory build
	@scripts/user-root small
	@scripts/test quick

test-long:
	@scripts/setup build guest test long
	@scripts/guest
	@scripts/guest --arch amd64
	@$(MAKE) --no-print-directory build
	@scripts/guest-disk
	@scripts/user-root large
	@scripts/cross libraries
	@scripts/test long

cross:
	@scripts/setup build guest test
	@scripts/cross

bench: build
	@scripts/setup guest test long
	@scripts/guest
	@scripts/guest-disk
	@scripts/user-root large
	@scripts/user-root native
	@bench/bench
	@bench/user
	@bench/kvm || [ $$? = 77 ]

tidy:
	@scripts/tidy

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: build
	@meson configure build -Dprefix='$(PREFIX)'
	@DESTDIR='$(DESTDIR)' meson install -C build --quiet

clean:
	rm -rf build build-*

distclean: clean
	rm -rf guest
