/* ipc.c: System V IPC and POSIX message queues. */
#include "tell.h"

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static bool lately(time_t when)
{
    return labs(time(NULL) - when) < 100;
}

static void semaphores(void)
{
    struct semid_ds ds;
    unsigned short values[3] = {4, 5, 6}, got[3] = {0};
    int id = semget(IPC_PRIVATE, 3, 0640 | IPC_CREAT);
    TELL_BOOL(id >= 0);
    TELL(semctl(id, 0, SETALL, (union semun){.array = values}));
    TELL(semctl(id, 0, GETALL, (union semun){.array = got}));
    printf("values %d %d %d\n", got[0], got[1], got[2]);
    memset(&ds, 0xee, sizeof(ds));
    TELL(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
    printf("nsems %lu mode %o owner %d otime %ld ctime lately %d\n", (unsigned long)ds.sem_nsems,
           ds.sem_perm.mode, ds.sem_perm.uid == getuid(), (long)ds.sem_otime, lately(ds.sem_ctime));
    ds.sem_perm.mode = 0600;
    TELL(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
    struct sembuf op[2] = {{0, -4, 0}, {2, 1, SEM_UNDO}};
    TELL(semop(id, op, 2));
    TELL(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
    printf("mode %o otime lately %d\n", ds.sem_perm.mode, lately(ds.sem_otime));
    TELL(semctl(id, 2, GETVAL));
    TELL(semctl(id, 0, GETPID) == getpid());
    TELL(semctl(id, 1, SETVAL, (union semun){.val = 17}));
    TELL(semctl(id, 1, GETVAL));
    TELL(semtimedop(id, op, 1, &(struct timespec){0, 20000000}));
    op[0].sem_flg = IPC_NOWAIT;
    TELL(semop(id, op, 1));
    TELL(semctl(id, 0, IPC_STAT, (union semun){.buf = (void *)8}));
    TELL(semctl(id, 0, IPC_SET, (union semun){.buf = (void *)8}));
    struct seminfo info;
    TELL_OK(semctl(0, 0, IPC_INFO, (union semun){.info = &info}));
    TELL_BOOL(info.semmsl > 0);
    TELL(semctl(id, 0, IPC_RMID));
    TELL(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
    TELL(semctl(id, 0, 0x100 | IPC_STAT, (union semun){.buf = &ds}));
}

static void messages(void)
{
    struct {
        long type;
        char text[32];
    } m = {5, "five"};
    struct msqid_ds ds;
    int id = msgget(IPC_PRIVATE, 0600);
    TELL_BOOL(id >= 0);
    TELL(msgsnd(id, &m, 5, 0));
    m.type = 3;
    strcpy(m.text, "three");
    TELL(msgsnd(id, &m, 6, IPC_NOWAIT));
    TELL(msgctl(id, IPC_STAT, &ds));
    printf("count %lu bytes %lu max %d sender %d mode %o lately %d\n", (unsigned long)ds.msg_qnum,
           (unsigned long)ds.__msg_cbytes, ds.msg_qbytes > 100, ds.msg_lspid == getpid(),
           ds.msg_perm.mode, lately(ds.msg_stime));
    TELL(msgrcv(id, &m, 2, 3, 0));
    TELL(msgrcv(id, &m, sizeof(m.text), 3, 0));
    TELL_TEXT(m.text);
    TELL(msgrcv(id, &m, sizeof(m.text), -9, MSG_NOERROR));
    TELL_TEXT(m.text);
    TELL(msgrcv(id, &m, sizeof(m.text), 0, IPC_NOWAIT));
    ds.msg_qbytes = 1000;
    TELL(msgctl(id, IPC_SET, &ds));
    TELL(msgctl(id, IPC_RMID, NULL));
}

static void segments(void)
{
    struct shmid_ds ds;
    int id = shmget(IPC_PRIVATE, 10000, 0600 | IPC_CREAT);
    TELL_BOOL(id >= 0);
    char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
    TELL_BOOL(p != (void *)-1 && q != (void *)-1);
    strcpy(p, "shared");
    TELL_TEXT(q);
    TELL(shmctl(id, IPC_STAT, &ds));
    printf("size %zu attached %lu creator %d mode %o\n", (size_t)ds.shm_segsz,
           (unsigned long)ds.shm_nattch, ds.shm_cpid == getpid(), ds.shm_perm.mode);
    TELL(shmctl(id, IPC_RMID, NULL));
    TELL(shmdt(q));
    TELL(shmdt(q));
    TELL_TEXT(p);
    TELL(shmdt(p));
    TELL((long)shmat(id, NULL, 0));
}

static void queues(void)
{
    char name[32], text[128] = "";
    unsigned priority = 0;
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 128}, got;
    snprintf(name, sizeof(name), "/peng-%d", (int)getpid());
    mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attr);
    if (q == (mqd_t)-1) {
        printf("no queues: %s\n", strerrorname_np(errno));
        return;
    }
    TELL(mq_getattr(q, &got));
    printf("flags %d max %ld size %ld now %ld\n", got.mq_flags == O_NONBLOCK, got.mq_maxmsg,
           got.mq_msgsize, got.mq_curmsgs);
    TELL(mq_receive(q, text, sizeof(text), &priority));
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    event.sigev_value.sival_int = 12;
    TELL(mq_notify(q, &event));
    TELL(mq_send(q, "low", 4, 1));
    siginfo_t info;
    TELL(sigwaitinfo(&set, &info));
    printf("code %d value %d\n", info.si_code, info.si_value.sival_int);
    TELL(mq_send(q, "high", 5, 9));
    TELL(mq_receive(q, text, sizeof(text), &priority));
    printf("%s at %u\n", text, priority);
    TELL(mq_receive(q, text, 5, &priority));
    got.mq_flags = 0;
    TELL(mq_setattr(q, &got, NULL));
    TELL(mq_receive(q, text, sizeof(text), &priority));
    TELL(mq_timedreceive(q, text, sizeof(text), &priority, &(struct timespec){1, 0}));
    TELL(mq_close(q));
    TELL(mq_unlink(name));
}

int main(void)
{
    semaphores();
    messages();
    segments();
    queues();
}
