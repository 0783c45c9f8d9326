/* codemem.c: one memfd, two mappings; or one private one. Both views lie anywhere; code must reach
 * outside by absolute addresses or through its state register.
 */
#include "hardware/codemem.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int codemem_init(struct codemem *mem, size_t size_bytes, struct err *e)
{
    int fd = memfd_create("peng-code", MFD_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, errno, "code memory");
    int r = 0;
    void *write_view = MAP_FAILED, *run_view = MAP_FAILED;
    if (ftruncate(fd, (off_t)size_bytes) == 0) {
        write_view = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        run_view = mmap(NULL, size_bytes, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    }
    if (write_view == MAP_FAILED || run_view == MAP_FAILED) {
        r = err_set_errno(e, errno, "cannot map %zu MiB of code memory", size_bytes >> 20);
        if (write_view != MAP_FAILED)
            munmap(write_view, size_bytes);
        if (run_view != MAP_FAILED)
            munmap(run_view, size_bytes);
    } else {
        *mem = (struct codemem){write_view, run_view, size_bytes, {0}};
    }
    close(fd);
    return r;
}

int codemem_init_private(struct codemem *mem, void *where, size_t size_bytes, struct err *e)
{
    struct lazymem both;
    int r = lazymem_init(&both, where, 0, size_bytes, PROT_READ | PROT_WRITE | PROT_EXEC, e);
    if (r < 0)
        return err_prefix(e, "code memory");
    *mem = (struct codemem){both.at, both.at, size_bytes, both};
    return 0;
}

void codemem_done(struct codemem *mem)
{
    if (mem->both.map) {
        lazymem_done(&mem->both);
    } else if (mem->write) {
        munmap(mem->write, mem->size_bytes);
        munmap(mem->run, mem->size_bytes);
    }
    *mem = (struct codemem){0};
}
