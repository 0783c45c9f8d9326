#!/usr/bin/env python3
"""build: projects from Debian's source, built and tested by an arm64 gcc and make."""
import os
import shutil

from root import ROOT, SOURCES, expect, shell
from harness import case, main


def unpack(name):
    """The source tree of the one project whose folder begins with `name`, in the root's /build."""
    folder = next(entry for entry in os.listdir(SOURCES) if entry.startswith(name))
    shutil.copytree(os.path.join(SOURCES, folder), os.path.join(ROOT, 'build', name), symlinks=True)
    return '/build/' + name


@case
def zlib(directory):
    tree = unpack('zlib')
    text = shell(f'cd {tree} && ./configure && make -j2 && make test', timeout_s=600)
    expect(text, 'zlib test OK', 'zlib shared test OK', '64-bit test OK|zlib 64-bit test OK')


@case
def lua(directory):
    tree = unpack('lua5.4')
    # Debian's Makefile wants its own libtool: the objects are all that there is to a Lua.
    shell(f'''cd {tree}/src && rm -f luac.c
        echo '#define DEB_HOST_MULTIARCH "aarch64-linux-gnu"' >lua5.4-deb-multiarch.h
        cat >Makefile.plain <<'EOF'
CFLAGS = -std=gnu99 -O2 -Wall -DLUA_COMPAT_5_3 -DLUA_USE_LINUX
lua: $(patsubst %.c,%.o,$(wildcard *.c))
	$(CC) -Wl,-E -o $@ $^ -lm -ldl
EOF
        make -f Makefile.plain -j2''', timeout_s=600)
    expect(shell(f'cd {tree}/src && ./lua /tests/work.lua'), '^loop\t185191760$')


@case
def sqlite(directory):
    tree = unpack('sqlite3')
    shell(f'cd {tree} && ./configure --disable-shared --with-tcl=/usr/lib/aarch64-linux-gnu/tcl8.6 '
          'CFLAGS=-O0 && make -j2 sqlite3 testfixture', timeout_s=1500)
    expect(shell(f'cd {tree} && ./sqlite3 :memory: -init /tests/work.sql .quit'), '^ok$')
    for name in ('select1', 'index', 'join', 'expr', 'trans', 'wal', 'json101', 'fts3aa', 'thread001', 'lock',
                 'date', 'window1'):
        expect(shell(f'cd {tree} && ./testfixture test/{name}.test', timeout_s=300),
               '^0 errors out of ')


main()
