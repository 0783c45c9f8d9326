/* binfmt.c: registers peng-arm64 with the kernel and with systemd-binfmt, and takes it out again.
 *
 * Flags POCF: argv[0] is kept (P), the program comes as an open file (O), set-id programs keep
 * their credentials (C), and the handler is opened now (F), so that it works in every chroot and
 * mount namespace whatever lies there.
 *
 * What stays until the next boot only is kept in /run/binfmt.d, the rest in /usr/lib/binfmt.d; both
 * hold, as comments, what has to come back on remove: the lines of handlers that were replaced, and
 * the names of binfmt.d files that were masked (a link to /dev/null in /etc/binfmt.d, binfmt.d(5)).
 *
 * Source: Linux, Documentation/admin-guide/binfmt-misc.rst; binfmt.d(5).
 */
#include "tools/cli/binfmt.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PATH_SIZE = 512, FILE_SIZE = 64 << 10 };

#define MISC     "/proc/sys/fs/binfmt_misc"
#define MASKS    "/etc/binfmt.d"
#define CONF     "peng-arm64.conf"
#define REPLACED "# replaced "
#define MASKED   "# masked "

/* Where systemd-binfmt looks, the first one wins among files of one name. */
static const char *const conf_folders[] = {MASKS, "/run/binfmt.d", "/usr/local/lib/binfmt.d",
                                           "/usr/lib/binfmt.d"};
/* Of these, where install writes. */
static const char *const own_folders[] = {"/run/binfmt.d", "/usr/lib/binfmt.d"};

struct path {
    char text[PATH_SIZE];
};

static struct path path_of(const char *root, const char *folder, const char *name)
{
    struct path path;
    if (snprintf(path.text, sizeof(path.text), "%s%s%s%s", root, folder, *name ? "/" : "", name) >=
        PATH_SIZE)
        path.text[0] = '\0'; /* no such file: names of this length are none that we look for */
    return path;
}

/* The file's text, cut at FILE_SIZE, or NULL with errno. The caller frees it. */
static char *read_text(const char *file)
{
    FILE *in = fopen(file, "re");
    if (!in)
        return NULL;
    char *text = malloc(FILE_SIZE + 1);
    if (!text)
        abort();
    text[fread(text, 1, FILE_SIZE, in)] = '\0';
    fclose(in);
    return text;
}

/* One write, as binfmt_misc wants it. 0 or -errno. */
static int write_text(const char *file, int flags, const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC | flags, 0644);
    if (fd < 0)
        return -errno;
    ssize_t done = write(fd, text, strlen(text));
    int rc = done < 0 ? -errno : 0;
    close(fd);
    return rc;
}

/* --- what is there ------------------------------------------------------------------------------
 */

static void add(struct binfmt_list *list, const struct binfmt_entry *entry, const char *file,
                bool ours)
{
    if (!binfmt_entry_takes_arm64(entry))
        return;
    list->items = reallocarray(list->items, list->count + 1, sizeof(*list->items));
    if (!list->items)
        abort();
    struct binfmt_found *found = &list->items[list->count++];
    *found = (struct binfmt_found){.entry = *entry, .ours = ours};
    snprintf(found->file, sizeof(found->file), "%s", file);
}

void binfmt_list_done(struct binfmt_list *list)
{
    free(list->items);
    *list = (struct binfmt_list){0};
}

bool binfmt_mounted(const char *root)
{
    return access(path_of(root, MISC, "register").text, F_OK) == 0;
}

bool binfmt_switched_on(const char *root)
{
    char *text = read_text(path_of(root, MISC, "status").text);
    bool on = text && strncmp(text, "enabled", 7) == 0;
    free(text);
    return on;
}

static bool is_ours(const struct binfmt_entry *entry)
{
    struct binfmt_entry ours;
    binfmt_entry_ours(&ours, "");
    return strcmp(entry->name, ours.name) == 0;
}

void binfmt_list_now(const char *root, struct binfmt_list *ret_list)
{
    *ret_list = (struct binfmt_list){0};
    DIR *folder = opendir(path_of(root, MISC, "").text);
    for (struct dirent *at; folder && (at = readdir(folder));) {
        if (at->d_name[0] == '.' || strcmp(at->d_name, "register") == 0)
            continue;
        struct path file = path_of(root, MISC, at->d_name);
        char *text = read_text(file.text);
        struct binfmt_entry entry;
        if (text && binfmt_entry_from_kernel(&entry, at->d_name, text))
            add(ret_list, &entry, file.text, is_ours(&entry));
        free(text);
    }
    if (folder)
        closedir(folder);
}

/* Calls `take` with each line of the text, cut out in place. */
static void each_line(char *text, void (*take)(void *ctx, char *line), void *ctx)
{
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        take(ctx, line);
}

struct conf_reader {
    struct binfmt_list *list;
    const char *file;
    bool ours;
};

static void read_conf_line(void *ctx, char *line)
{
    struct conf_reader *reader = ctx;
    struct binfmt_entry entry;
    if (binfmt_entry_from_line(&entry, line))
        add(reader->list, &entry, reader->file, reader->ours);
}

static bool hidden_by_higher(const char *root, size_t folder, const char *name)
{
    for (size_t i = 0; i < folder; i++) {
        struct stat st;
        if (lstat(path_of(root, conf_folders[i], name).text, &st) == 0)
            return true;
    }
    return false;
}

void binfmt_list_boot(const char *root, struct binfmt_list *ret_list)
{
    *ret_list = (struct binfmt_list){0};
    for (size_t i = 0; i < ARRAY_SIZE(conf_folders); i++) {
        DIR *folder = opendir(path_of(root, conf_folders[i], "").text);
        for (struct dirent *at; folder && (at = readdir(folder));) {
            size_t length = strlen(at->d_name);
            if (length <= 5 || strcmp(at->d_name + length - 5, ".conf") != 0 ||
                hidden_by_higher(root, i, at->d_name))
                continue;
            struct path file = path_of(root, conf_folders[i], at->d_name);
            struct conf_reader reader = {ret_list, file.text, strcmp(at->d_name, CONF) == 0};
            char *text = read_text(file.text);
            if (text)
                each_line(text, read_conf_line, &reader);
            free(text);
        }
        if (folder)
            closedir(folder);
    }
}

/* --- changing it --------------------------------------------------------------------------------
 */

/* Root, and binfmt_misc mounted: mounts it if that is all that is missing. */
static int make_ready(const char *root, struct err *e)
{
    if (!*root && geteuid() != 0)
        return err_set(e, EPERM, "only root may change handlers");
    if (binfmt_mounted(root))
        return 0;
    struct path misc = path_of(root, MISC, "");
    if (access(misc.text, F_OK) < 0)
        return err_set(e, ENOSYS, "this kernel has no binfmt_misc (%s)", misc.text);
    if (*root ||
        mount("binfmt_misc", misc.text, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return err_set(e, ENOSYS, "binfmt_misc is not mounted and cannot be: %s",
                       *root ? "not the host's own root" : strerror(errno));
    return binfmt_mounted(root) ? 0 : err_set(e, EIO, "%s: no `register` in it", misc.text);
}

/* An x86-64 program without an interpreter of its own: it starts where no library is. */
static int check_binary(const char *binary, struct err *e)
{
    if (binary[0] != '/' || strpbrk(binary, ":\n"))
        return err_set(e, EINVAL, "%s: not an absolute path without colons", binary);
    if (strlen(binary) > BINFMT_INTERPRETER_MAX)
        return err_set(e, ENAMETOOLONG, "%s: longer than %d bytes", binary, BINFMT_INTERPRETER_MAX);
    if (access(binary, X_OK) < 0)
        return err_set_errno(e, errno, "%s", binary);
    FILE *in = fopen(binary, "re");
    if (!in)
        return err_set_errno(e, errno, "%s", binary);
    Elf64_Ehdr header = {0};
    bool ours = fread(&header, sizeof(header), 1, in) == 1 &&
                memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64 &&
                header.e_phentsize == sizeof(Elf64_Phdr) &&
                fseeko(in, (off_t)header.e_phoff, SEEK_SET) == 0;
    bool dynamic = false;
    for (unsigned i = 0; ours && i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        ours = fread(&segment, sizeof(segment), 1, in) == 1;
        dynamic |= ours && segment.p_type == PT_INTERP;
    }
    fclose(in);
    if (!ours)
        return err_set(e, ENOEXEC, "%s: not an x86-64 program", binary);
    return dynamic ? err_set(e, ENOEXEC, "%s: not static: it would not start in a chroot", binary)
                   : 0;
}

static int register_entry(const char *root, const struct binfmt_entry *entry, struct err *e)
{
    char line[BINFMT_LINE_MAX + 1];
    if (!binfmt_entry_line(entry, line))
        return err_set(e, E2BIG, "%s: too long to register", entry->name);
    int rc = write_text(path_of(root, MISC, "register").text, 0, line);
    return rc < 0 ? err_set_errno(e, rc, "%s cannot be registered", entry->name) : 0;
}

static int unregister_entry(const struct binfmt_found *found, struct err *e)
{
    int rc = write_text(found->file, 0, "-1");
    return rc < 0 ? err_set_errno(e, rc, "%s cannot be taken out", found->entry.name) : 0;
}

/* Line of another handler that stands in the way; 0 where none does. */
static int check_others(const struct binfmt_list *now, const struct binfmt_list *boot,
                        struct err *e)
{
    for (size_t i = 0; i < now->count; i++)
        if (!now->items[i].ours && now->items[i].entry.enabled)
            return err_set(e, EEXIST, "%s takes arm64 programs already (%s); see --replace",
                           now->items[i].entry.name, now->items[i].entry.interpreter);
    for (size_t i = 0; i < boot->count; i++)
        if (!boot->items[i].ours)
            return err_set(e, EEXIST, "%s gives arm64 programs to %s at boot; see --replace",
                           boot->items[i].file, boot->items[i].entry.interpreter);
    return 0;
}

/* Keeps the comments of an earlier install: what they tell of is still to come back. */
static void keep_comment(void *ctx, char *line)
{
    if (strncmp(line, REPLACED, strlen(REPLACED)) == 0 ||
        strncmp(line, MASKED, strlen(MASKED)) == 0)
        fprintf(ctx, "%s\n", line);
}

static int write_conf(const char *root, const char *folder, const struct binfmt_entry *ours,
                      const struct binfmt_list *now, const struct binfmt_list *boot, struct err *e)
{
    struct path file = path_of(root, folder, CONF);
    char *text = NULL, line[BINFMT_LINE_MAX + 1];
    size_t size_bytes = 0;
    FILE *out = open_memstream(&text, &size_bytes);
    if (!out)
        abort();
    fprintf(out, "# Written by peng binfmt install; peng binfmt remove takes it away.\n");
    char *before = read_text(file.text);
    if (before)
        each_line(before, keep_comment, out);
    free(before);
    for (size_t i = 0; i < now->count; i++)
        if (!now->items[i].ours && now->items[i].entry.enabled &&
            binfmt_entry_line(&now->items[i].entry, line))
            fprintf(out, REPLACED "%s\n", line);
    for (size_t i = 0; i < boot->count; i++)
        if (!boot->items[i].ours)
            fprintf(out, MASKED "%s\n", strrchr(boot->items[i].file, '/') + 1);
    if (binfmt_entry_line(ours, line))
        fprintf(out, "%s\n", line);
    fclose(out);
    mkdir(path_of(root, folder, "").text, 0755);
    int rc = write_text(file.text, O_CREAT | O_TRUNC, text);
    free(text);
    return rc < 0 ? err_set_errno(e, rc, "%s", file.text) : 0;
}

static int mask(const char *root, const struct binfmt_list *boot, struct err *e)
{
    mkdir(path_of(root, MASKS, "").text, 0755);
    for (size_t i = 0; i < boot->count; i++) {
        if (boot->items[i].ours ||
            (i > 0 && strcmp(boot->items[i].file, boot->items[i - 1].file) == 0))
            continue;
        struct path link = path_of(root, MASKS, strrchr(boot->items[i].file, '/') + 1);
        if (symlink("/dev/null", link.text) < 0)
            return err_set_errno(e, errno, "%s", link.text);
    }
    return 0;
}

/* What the comments of a file of ours tell of comes back, as far as it can. */
static void bring_back(void *ctx, char *line)
{
    const char *root = ctx;
    struct binfmt_entry entry;
    char target[16];
    if (strncmp(line, REPLACED, strlen(REPLACED)) == 0 &&
        binfmt_entry_from_line(&entry, line + strlen(REPLACED)))
        (void)register_entry(root, &entry, NULL); /* its program may be gone by now */
    if (strncmp(line, MASKED, strlen(MASKED)) != 0)
        return;
    struct path link = path_of(root, MASKS, line + strlen(MASKED));
    ssize_t length = readlink(link.text, target, sizeof(target));
    if (length == 9 && memcmp(target, "/dev/null", 9) == 0)
        unlink(link.text);
}

int binfmt_remove(const char *root, struct err *e)
{
    int rc = make_ready(root, e);
    if (rc < 0)
        return rc;
    struct binfmt_list now;
    bool any = false;
    binfmt_list_now(root, &now);
    for (size_t i = 0; i < now.count && rc == 0; i++) {
        if (now.items[i].ours) {
            any = true;
            rc = unregister_entry(&now.items[i], e);
        }
    }
    binfmt_list_done(&now);
    for (size_t i = 0; i < ARRAY_SIZE(own_folders) && rc == 0; i++) {
        struct path file = path_of(root, own_folders[i], CONF);
        char *text = read_text(file.text);
        if (!text)
            continue;
        any = true;
        if (unlink(file.text) < 0)
            rc = err_set_errno(e, errno, "%s", file.text);
        else
            each_line(text, bring_back, (void *)root);
        free(text);
    }
    return rc < 0 || any ? rc : err_set(e, ENOENT, "peng-arm64 is not registered");
}

/* Everything that install changes, once all is known to be in order. */
static int change(const char *root, const struct binfmt_install *options,
                  const struct binfmt_list *now, const struct binfmt_list *boot, struct err *e)
{
    struct binfmt_entry ours;
    binfmt_entry_ours(&ours, options->binary);
    int rc = write_conf(root, own_folders[options->temporary ? 0 : 1], &ours, now, boot, e);
    if (rc == 0)
        rc = mask(root, boot, e);
    for (size_t i = 0; i < now->count && rc == 0; i++)
        if (now->items[i].ours || now->items[i].entry.enabled)
            rc = unregister_entry(&now->items[i], e);
    return rc == 0 ? register_entry(root, &ours, e) : rc;
}

int binfmt_install(const char *root, const struct binfmt_install *options, struct err *e)
{
    int rc = make_ready(root, e);
    if (rc == 0)
        rc = check_binary(options->binary, e);
    if (rc < 0)
        return rc;
    struct binfmt_list now, boot = {0};
    binfmt_list_now(root, &now);
    if (!options->temporary)
        binfmt_list_boot(root, &boot);
    rc = options->replace ? 0 : check_others(&now, &boot, e);
    if (rc == 0) {
        rc = change(root, options, &now, &boot, e);
        if (rc < 0)
            (void)binfmt_remove(root, NULL); /* what was done goes, what was replaced comes back */
    }
    binfmt_list_done(&now);
    binfmt_list_done(&boot);
    return rc;
}
