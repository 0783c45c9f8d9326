/* errors.h: the kernel's errors in words. */
#ifndef PENG_BASE_ERRORS_H
#define PENG_BASE_ERRORS_H

/* "ENOENT"; NULL: there is no error of this number, which is positive. */
const char *error_name(int error);
/* "No such file or directory" */
const char *error_text(int error);

#endif
