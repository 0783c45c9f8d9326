/* filelock.c: open file description locks (fcntl(2), F_OFD_SETLK).
 *
 * They belong to the open file, not to the process: closing another descriptor of the same file
 * drops nothing, and two machines within one process exclude each other as well. File systems
 * without locks (some network ones) are used unlocked.
 */
#include "hardware/filelock.h"

#include <errno.h>
#include <fcntl.h>

int filelock(int fd, bool exclusive, const char *path, struct err *e)
{
    struct flock all = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &all) == 0 || errno == ENOLCK || errno == EOPNOTSUPP)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return err_set(e, EBUSY, "%s is in use by another machine", path);
    return err_set_errno(e, errno, "%s: lock", path);
}
