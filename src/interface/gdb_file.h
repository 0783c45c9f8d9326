/* gdb_file.h: the files of a target, read over GDB's remote protocol (vFile packets).
 *
 * Source: "Debugging with GDB", appendices E (Host I/O Packets) and E.13 (File-I/O: numbers of
 * errors, layout of struct stat).
 */
#ifndef PENG_INTERFACE_GDB_FILE_H
#define PENG_INTERFACE_GDB_FILE_H

#include "interface/gdb_packet.h"

enum { GDB_FILES_MAX = 8 };

/* What a debugger has open; its descriptors are indices. */
struct gdb_files {
    int fds[GDB_FILES_MAX]; /* -1: free */
};

void gdb_files_init(struct gdb_files *files);
void gdb_files_done(struct gdb_files *files);

/* Answers the packet vFile:`args`. `open` as in struct gdb_target. What is not known stays without
 * an answer, which means "not supported". */
void gdb_file_command(struct gdb_files *files, int (*open)(void *ctx, const char *path), void *ctx,
                      const char *args, struct gdb_reply *reply);

#endif
