/* fuzz_profile.c: files that claim to be what peng-arm64 --profile wrote, shown. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/cli/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int cli_fail(const struct err *e) /* main.c's */
{
    abort(); /* the file is there */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[40];
    char *argv[] = {"profile", path, NULL};
    int fd = memfd_create("fuzz-profile", MFD_CLOEXEC);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), out = dup(STDOUT_FILENO);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || dup2(nowhere, STDOUT_FILENO) < 0)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int status = cmd_profile(2, argv);
    assert(status == EXIT_OK);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    close(nowhere);
    close(fd);
    return 0;
}
