/* fuzz_share.c: hostile messages against the servers of a share: 9P2000.L and FUSE.
 *
 * Input: the protocol u8 (bit 0: FUSE), then messages, each a length u16 (its low 11 bits) and that
 * many bytes. Bit 15 of the length leaves a 9P message's own size field as it is; else it is set
 * right, so that mutations reach the fields. Bit 14 leaves a FUSE reply no room.
 *
 * The share is a directory made for the run below the working directory. Beside it lies a canary
 * that must stay as it was: whoever gets out would meet it first.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/device/virtio/fuse_server.h"
#include "core/device/virtio/p9_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLY_BYTES = 8192, MESSAGE_BYTES_MAX = 2047, SESSIONS_PER_SHARE = 500 };

/* One share serves many inputs, as making it costs more than using it. */
static struct {
    char top[32];
    unsigned sessions;
} shared;

static void remove_share(void)
{
    char command[128];
    struct stat st;
    if (!*shared.top)
        return;
    snprintf(command, sizeof(command), "%s/canary", shared.top);
    assert(stat(command, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 4);
    snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", shared.top, shared.top);
    int r = system(command);
    (void)r;
    *shared.top = 0;
}

static void write_file(const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", shared.top, name);
    FILE *f = fopen(path, "w");
    assert(f);
    fputs("text", f);
    fclose(f);
}

static void make_share(void)
{
    char path[64];
    static bool registered;
    if (!registered)
        atexit(remove_share);
    registered = true;
    strcpy(shared.top, "peng-share-XXXXXX");
    char *made = mkdtemp(shared.top);
    assert(made);
    snprintf(path, sizeof(path), "%s/share", shared.top);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/share/d", shared.top);
    mkdir(path, 0755);
    write_file("canary");
    write_file("share/f");
    write_file("share/d/g");
    snprintf(path, sizeof(path), "%s/share/l", shared.top);
    int r = symlink("../canary", path);
    assert(r == 0);
}

static void one_p9(struct p9_server *server, uint16_t length, uint8_t *message, size_t size)
{
    static uint8_t reply[REPLY_BYTES];
    if (!(length & 0x8000) && size >= 4)
        store_le(message, 4, size);
    size_t got = p9_server_handle(server, message, size, reply, sizeof(reply));
    assert(got >= P9_HEADER_BYTES && got <= sizeof(reply) && load_le(reply, 4) == got);
}

static void one_fuse(struct fuse_server *server, uint16_t length, uint8_t *message, size_t size)
{
    static uint8_t reply[REPLY_BYTES];
    const struct iovec in[2] = {{message, size / 2}, {message + size / 2, size - size / 2}};
    const struct iovec out[2] = {{reply, 7}, {reply + 7, sizeof(reply) - 7}};
    struct service_request request = {.readable = in,
                                      .readable_count = 2,
                                      .readable_bytes = size,
                                      .writable = out,
                                      .writable_count = length & 0x4000 ? 0 : 2,
                                      .writable_bytes = length & 0x4000 ? 0 : sizeof(reply)};
    if (size < sizeof(struct fuse_in_header))
        return; /* the device refuses it */
    size_t got = fuse_server_handle(server, &request);
    assert(got <= request.writable_bytes && (got == 0 || load_le(reply, 4) == got));
}

static const char *share_path(void)
{
    static char path[64];
    if (shared.sessions++ % SESSIONS_PER_SHARE == 0) {
        remove_share();
        make_share();
    }
    snprintf(path, sizeof(path), "%s/share", shared.top);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct p9_server p9;
    struct fuse_server fuse;
    if (size == 0)
        return 0;
    bool is_fuse = *data++ & 1;
    size--;
    int r = is_fuse ? fuse_server_open(&fuse, share_path(), false, NULL)
                    : p9_server_open(&p9, share_path(), false, NULL);
    assert(r == 0);
    while (size >= 2) {
        _Alignas(8) uint8_t message[MESSAGE_BYTES_MAX];
        uint16_t length = (uint16_t)load_le(data, 2);
        size_t bytes = length & MESSAGE_BYTES_MAX;
        data += 2;
        size -= 2;
        if (bytes > size)
            bytes = size;
        memcpy(message, data, bytes);
        if (is_fuse)
            one_fuse(&fuse, length, message, bytes);
        else
            one_p9(&p9, length, message, bytes);
        data += bytes;
        size -= bytes;
    }
    if (is_fuse)
        fuse_server_close(&fuse);
    else
        p9_server_close(&p9);
    assert((is_fuse ? fuse.share.fds : p9.share.fds) == 0);
    return 0;
}
