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
    shell(f'make -C {tree}/src -j2 -f Makefile lua luac CC="gcc -std=gnu99" SYSCFLAGS=-DLUA_USE_LINUX SYSLIBS="-Wl,-E -ldl"',
          timeout_s=600)
    expect(shell(f'cd {tree}/src && ./lua /tests/work.lua && ./luac -l -p /tests/work.lua'),
           '^loop\t185191760$', r'^main ')


@case
def sqlite(directory):
    tree = unpack('sqlite3')
    shell(f'cd {tree} && ./configure --disable-shared --with-tcl=/usr/lib/aarch64-linux-gnu/tcl8.6 '
          'CFLAGS=-O1 && make -j2 sqlite3 testfixture', timeout_s=1500)
    expect(shell(f'cd {tree} && ./sqlite3 :memory: -init /tests/work.sql .quit'), '^ok$')
    for name in ('select1', 'select4', 'index', 'join', 'expr', 'func', 'trans', 'wal', 'json101', 'fts3aa',
                 'rtree1', 'thread001', 'lock', 'printf', 'date', 'window1'):
        folder = {'fts3aa': 'test', 'rtree1': 'ext/rtree'}.get(name, 'test')
        expect(shell(f'cd {tree} && ./testfixture {folder}/{name}.test', timeout_s=300, user=None),
               '^0 errors out of ')


main()
