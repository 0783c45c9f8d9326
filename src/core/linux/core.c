/* core.c: how a process ends by a signal: a core file where one is due, then the signal itself,
 * from the host, so that whoever waits is told the truth.
 *
 * The file is what the arm64 kernel would write: the guest's mappings alone, the guest's registers.
 * The kernel's own dump, of an x86-64 process, is suppressed; with it goes WCOREDUMP(). Rules are
 * the kernel's: RLIMIT_CORE, whether the process is dumpable, core_pattern. Where the pattern is a
 * pipe its program expects to be told by the kernel, so there is no dump.
 *
 * Other threads are asked to stop first; those that wait in a call have their registers at hand,
 * and one that does not stop within a second is taken as it is.
 *
 * Limits: coredump_filter counts as its default; madvise(MADV_DONTDUMP) is honoured.
 *
 * Source: Linux 6.1, fs/coredump.c, fs/binfmt_elf.c.
 */
#include "core/linux/core_int.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "core/linux/signal_int.h"

enum { MAPPINGS_MAX = 65536, STOP_MS = 1000, CLEAR_UP_MS = 10000 };

/* --- the guest's mappings -----------------------------------------------------------------------
 */

/* What smaps says of a mapping behind its first line. */
static void read_detail(const char *line, struct core_mapping *m, bool *anonymous)
{
    unsigned long kib;
    if (sscanf(line, "Anonymous: %lu", &kib) == 1)
        *anonymous = kib > 0;
    if (strncmp(line, "VmFlags:", 8) != 0)
        return;
    bool shared_file = m->inode && m->rights[3] == 's';
    m->dumped = *anonymous || (!m->inode && m->rights[3] == 's');
    if (!m->dumped && !shared_file && m->inode && !m->offset && m->rights[0] == 'r')
        m->dumped = m->header_only = true;
    if (strstr(line, " dd") || strstr(line, " io"))
        m->dumped = m->header_only = false;
}

static bool parse_head(char *line, struct core_mapping *m)
{
    unsigned long long start, end, offset, inode;
    int at = 0;
    if (sscanf(line, "%llx-%llx %4s %llx %*s %llu %n", &start, &end, m->rights, &offset, &inode,
               &at) < 5)
        return false;
    line[strcspn(line, "\n")] = 0;
    m->start = start;
    m->end = end;
    m->offset = offset;
    m->inode = inode;
    m->dumped = m->header_only = false;
    m->name[0] = 0;
    if (inode && at)
        snprintf(m->name, sizeof(m->name), "%s", line + at);
    return true;
}

/* Adds the parts of `whole` that are the guest's. */
static void add_owned(const struct linux_process *p, const struct core_mapping *whole,
                      struct core_bytes *list)
{
    uint64_t from = whole->start, start, end;
    while (from < whole->end && linux_memory_next(p, from, &start, &end) && start < whole->end) {
        struct core_mapping m = *whole;
        m.start = start > whole->start ? start : whole->start;
        m.end = end < whole->end ? end : whole->end;
        m.offset += m.start - whole->start;
        m.header_only = whole->header_only && m.start == whole->start;
        m.dumped = whole->dumped && (m.header_only || !whole->header_only);
        core_bytes_add(list, &m, sizeof(m));
        from = end;
    }
}

static void find_mappings(const struct linux_process *p, struct core_bytes *list)
{
    char line[4096 + 128], buffer[4096];
    FILE *in = fopen("/proc/self/smaps", "re");
    struct core_mapping m;
    bool anonymous = false;
    if (!in)
        return;
    setvbuf(in, buffer, _IOFBF, sizeof(buffer));
    while (list->size / sizeof(m) < MAPPINGS_MAX && fgets(line, sizeof(line), in)) {
        if (!isupper((unsigned char)line[0])) {
            parse_head(line, &m);
            continue;
        }
        read_detail(line, &m, &anonymous);
        if (strncmp(line, "VmFlags:", 8) == 0)
            add_owned(p, &m, list);
    }
    fclose(in);
}

/* --- the file ------------------------------------------------------------------------------------
 */

struct output {
    int fd, memory, pagemap; /* the last two: /proc/self/mem and pagemap, or -1 */
    uint64_t at, limit;
};

static bool put(struct output *o, const void *data, size_t size_bytes)
{
    if (o->at + size_bytes > o->limit)
        size_bytes = o->at < o->limit ? o->limit - o->at : 0;
    ssize_t n = size_bytes ? pwrite(o->fd, data, size_bytes, (off_t)o->at) : 0;
    o->at += size_bytes;
    return n == (ssize_t)size_bytes && o->at < o->limit;
}

/* Pages that were never touched read as zero: a hole in the file. */
static bool untouched(const struct output *o, const struct core_mapping *m, uint64_t page)
{
    uint64_t entry;
    if (m->inode || o->pagemap < 0)
        return false;
    return pread(o->pagemap, &entry, sizeof(entry), (off_t)(page / LINUX_PAGE * sizeof(entry))) ==
               sizeof(entry) &&
           !(entry >> 62);
}

static bool put_memory(struct output *o, const struct core_mapping *m, uint64_t size_bytes)
{
    uint8_t page[LINUX_PAGE];
    for (uint64_t done = 0; done < size_bytes; done += LINUX_PAGE) {
        uint64_t from = m->start + done;
        if (untouched(o, m, from) ||
            pread(o->memory, page, sizeof(page), (off_t)from) != sizeof(page))
            o->at += LINUX_PAGE;
        else if (!put(o, page, sizeof(page)))
            return false;
    }
    return true;
}

static uint64_t dumped_bytes(const struct core_mapping *m)
{
    return !m->dumped ? 0 : m->header_only ? LINUX_PAGE : m->end - m->start;
}

/* PT_NOTE, then a PT_LOAD for each mapping; contents follow on page boundaries. */
static void headers(struct core_bytes *b, const struct core_mapping *maps, size_t count,
                    size_t note_bytes)
{
    uint64_t at = sizeof(Elf64_Ehdr) + (count + 1) * sizeof(Elf64_Phdr);
    Elf64_Ehdr eh = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_AARCH64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(eh),
        .e_ehsize = sizeof(eh),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (uint16_t)(count + 1),
    };
    Elf64_Phdr ph = {.p_type = PT_NOTE, .p_offset = at, .p_filesz = note_bytes, .p_align = 4};
    core_bytes_add(b, &eh, sizeof(eh));
    core_bytes_add(b, &ph, sizeof(ph));
    at = align_up(at + note_bytes, LINUX_PAGE);
    for (size_t i = 0; i < count; i++) {
        const struct core_mapping *m = &maps[i];
        ph = (Elf64_Phdr){
            .p_type = PT_LOAD,
            .p_flags = (m->rights[0] == 'r' ? PF_R : 0) | (m->rights[1] == 'w' ? PF_W : 0) |
                       (m->rights[2] == 'x' ? PF_X : 0),
            .p_offset = at,
            .p_vaddr = m->start,
            .p_filesz = dumped_bytes(m),
            .p_memsz = m->end - m->start,
            .p_align = LINUX_PAGE,
        };
        core_bytes_add(b, &ph, sizeof(ph));
        at += ph.p_filesz;
    }
}

static void write_core(struct linux_thread *t, const siginfo_t *info, int fd, uint64_t limit)
{
    struct core_bytes list = {0}, head = {0}, notes = {0};
    find_mappings(t->process, &list);
    const struct core_mapping *maps = (const struct core_mapping *)list.data;
    size_t count = list.size / sizeof(*maps);
    count = count < PN_XNUM - 1 ? count : PN_XNUM - 2;
    core_notes(&notes, t, info, maps, count);
    headers(&head, maps, count, notes.size);
    struct output o = {
        .fd = fd,
        .memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC),
        .pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
        .limit = limit,
    };
    bool room = !list.failed && !head.failed && !notes.failed && put(&o, head.data, head.size) &&
                put(&o, notes.data, notes.size);
    o.at = align_up(o.at, LINUX_PAGE);
    for (size_t i = 0; room && i < count; i++)
        room = put_memory(&o, &maps[i], dumped_bytes(&maps[i]));
    if (room && ftruncate(fd, (off_t)o.at) < 0) /* a hole at the end counts, too */
        room = false;
    core_bytes_free(&list);
    core_bytes_free(&head);
    core_bytes_free(&notes);
    close(o.memory);
    close(o.pagemap);
}

/* As do_coredump() opens it: a plain file of ours, with one name. */
static int open_core(struct linux_thread *t, int signal)
{
    char name[CORE_NAME_BYTES];
    struct stat st;
    if (!core_name(t, signal, name))
        return -1;
    int fd = open(name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid() ||
        ftruncate(fd, 0) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* --- the end -------------------------------------------------------------------------------------
 */

/* Waits until no other thread is in guest code. */
static void stop_others(struct linux_thread *t)
{
    struct linux_process *p = t->process;
    for (unsigned i = 0, busy = 1; busy && i < STOP_MS; i++) {
        busy = 0;
        pthread_mutex_lock(&p->threads_lock);
        for (struct linux_thread *other = p->threads; other; other = other->next) {
            if (other == t || other->vfork_child)
                continue;
            linux_thread_kick(other);
            busy += atomic_load(&other->cpu->signals.in_guest) != 0;
        }
        pthread_mutex_unlock(&p->threads_lock);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* True where there is a core file now. */
static bool dump(struct linux_thread *t, const siginfo_t *info)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur < LINUX_PAGE ||
        prctl(PR_GET_DUMPABLE) != 1)
        return false;
    int fd = open_core(t, info->si_signo);
    if (fd < 0)
        return false;
    if (!t->vfork_child)
        stop_others(t);
    write_core(t, info, fd, limit.rlim_cur);
    close(fd);
    return true;
}

/* The child: waits for the end of its parent, then clears up. Holds nothing of the parent's open.
 */
static void __attribute__((noreturn)) clear_up(int parent, const char *name, const char *folder)
{
    struct pollfd ended = {.fd = parent, .events = POLLIN};
    dup2(parent, 0);
    syscall(SYS_close_range, 1, UINT32_MAX, 0);
    ended.fd = 0;
    setsid();
    poll(&ended, 1, CLEAR_UP_MS);
    unlink(name);
    rmdir(folder);
    _exit(0);
}

/* Lets the kernel dump a page elsewhere. False: it cannot be. */
static bool divert_host_core(struct linux_thread *t, int signal)
{
    char folder[] = "/tmp/core-XXXXXX", name[CORE_NAME_BYTES];
    struct rlimit limit;
    if (t->vfork_child || !core_name(t, signal, name) || strchr(name, '/') ||
        getrlimit(RLIMIT_CORE, &limit) < 0)
        return false;
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self < 0)
        return false;
    if (!mkdtemp(folder))
        return false;
    limit.rlim_cur = LINUX_PAGE;
    pid_t child = chdir(folder) < 0 || setrlimit(RLIMIT_CORE, &limit) < 0
                      ? -1
                      : (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
    if (child == 0)
        clear_up(self, name, folder);
    if (child < 0)
        rmdir(folder);
    return child > 0;
}

/* Keeps the kernel from dumping this x86-64 process. Whether it may is a mark on memory, which the
 * child of a vfork shares; for that, the limit: 0 for files, 1 for pipes. */
static void suppress_host_core(const struct linux_thread *t)
{
    struct rlimit limit;
    if (!t->vfork_child)
        prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_CORE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max ? 1 : 0;
    setrlimit(RLIMIT_CORE, &limit);
}

void linux_die_info(struct linux_thread *t, const siginfo_t *info)
{
    int signal = info->si_signo;
    linux_host_mask_set(UINT64_MAX);
    struct linux_thread *nobody = NULL;
    if (!t->vfork_child && !atomic_compare_exchange_strong(&t->process->dying, &nobody, t))
        linux_park(t);
    bool dumped = LINUX_CORE_SIGNALS & linux_signal_bit(signal) && dump(t, info);
    if (t->process->strace)
        linux_strace_ended(t, signal);
    if (t->process->stats && !t->vfork_child)
        linux_stats_print(t->process);
    if (t->process->profile && !t->vfork_child)
        linux_profile_print(t->process);
    linux_debug_ended(t, signal);
    linux_debug_raise(t, signal);
    if (!dumped || !divert_host_core(t, signal))
        suppress_host_core(t);
    linux_signal_host_default(signal);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
    linux_host_mask_set(~linux_signal_bit(signal));
    for (;;)
        syscall(SYS_exit_group, 128 + signal);
}

void linux_die(struct linux_thread *t, int signal)
{
    linux_die_info(t, &(siginfo_t){.si_signo = signal, .si_code = SI_KERNEL});
}

/* Another thread ends the process: this one has nothing to do any more. */
void linux_park(struct linux_thread *t)
{
    linux_host_mask_set(UINT64_MAX);
    for (;;)
        pause();
}
