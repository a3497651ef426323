/* Strikes at the Nth system call that changes something below a folder: refuses it with an error, or sends a signal just before it.

   Loaded by LD_PRELOAD into the tool and into whatever it starts. All of them share one counter, so that N is a moment of the whole run.
   Variables: TORTURE_STATE (a file of sizeof(struct state) zero bytes), TORTURE_UNDER (folders, absolute, separated by colons), TORTURE_OPS (a comma
   before and after each kind that counts; unset: all), TORTURE_WHO (start of the program's short name; unset: all), TORTURE_AT (1 is the first; 0 only
   counts), TORTURE_TIMES, TORTURE_ERRNO or TORTURE_SIGNAL with TORTURE_TO (tool, all), TORTURE_LOG (where a strike is written down), TORTURE_EVERY
   (write down each call that counts). A call of open is of the kind "create" where it makes or opens for writing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIDS 256
struct state {
    long count, struck;
    int tool, pids_used;
    int pids[PIDS];
};
static struct state *shared;
static const char *under, *ops, *who, *log_path;
static long at, times;
static int refuse, number, every;
static int to_all;

static const char *variable(const char *name) {
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

__attribute__((constructor)) static void begin(void) {
    const char *file = variable("TORTURE_STATE"), *text;
    under = variable("TORTURE_UNDER");
    ops = variable("TORTURE_OPS");
    who = variable("TORTURE_WHO");
    log_path = variable("TORTURE_LOG");
    at = (text = variable("TORTURE_AT")) ? atol(text) : 0;
    times = (text = variable("TORTURE_TIMES")) ? atol(text) : 1;
    refuse = (text = variable("TORTURE_ERRNO")) ? atoi(text) : 0;
    number = (text = variable("TORTURE_SIGNAL")) ? atoi(text) : 0;
    every = variable("TORTURE_EVERY") != NULL;
    to_all = (text = variable("TORTURE_TO")) && !strcmp(text, "all");
    if (!file || !under)
        return;
    int handle = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
    if (handle < 0)
        return;
    void *found = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    close(handle);
    if (found == MAP_FAILED)
        return;
    shared = found;
    __sync_val_compare_and_swap(&shared->tool, 0, (int)getpid());
    int place = __sync_fetch_and_add(&shared->pids_used, 1);
    if (place < PIDS)
        shared->pids[place] = (int)getpid();
}

static void note(long n, const char *op, const char *path) {
    char line[PATH_MAX + 128];
    int size = snprintf(line, sizeof line, "%ld %s %s %s\n", n, program_invocation_short_name, op, path);
    int handle = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (handle >= 0) {
        syscall(SYS_write, handle, line, size < (int)sizeof line ? size : (int)sizeof line - 1);
        close(handle);
    }
}

static int is_under(const char *path) {
    const char *from = under;
    while (*from) {
        size_t size = strcspn(from, ":");
        if (size && !strncmp(path, from, size) && (path[size] == '/' || !path[size]))
            return 1;
        from += size + (from[size] == ':');
    }
    return 0;
}

/* Returns 1 where the call is to be refused; errno is set then. */
static int strike(const char *op, const char *path) {
    int before = errno;
    if (!shared || !is_under(path))
        return 0;
    if (who && strncmp(program_invocation_short_name, who, strlen(who)))
        return 0;
    if (ops) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, ",%s,", op);
        if (!strstr(ops, wanted))
            return 0;
    }
    long n = __sync_add_and_fetch(&shared->count, 1);
    int now = at && n >= at && n - at < times;
    if (log_path && (every || now))
        note(n, op, path);
    if (!now) {
        errno = before;
        return 0;
    }
    __sync_add_and_fetch(&shared->struck, 1);
    if (number && to_all)
        for (int place = 0; place < shared->pids_used && place < PIDS; place++)
            if (shared->pids[place] != getpid())
                kill(shared->pids[place], number);
    if (number && (to_all || getpid() == shared->tool))
        kill(getpid(), number);
    else if (number)
        kill(shared->tool, number);
    errno = refuse ? refuse : before;
    return refuse != 0;
}

static const char *absolute(int folder, const char *path, char *room) {
    char link[64];
    if (path[0] == '/')
        return path;
    ssize_t size;
    if (folder == AT_FDCWD)
        size = syscall(SYS_readlink, "/proc/self/cwd", room, PATH_MAX);
    else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        size = syscall(SYS_readlink, link, room, PATH_MAX);
    }
    if (size < 0)
        return path;
    if (path[0])
        snprintf(room + size, PATH_MAX, "/%s", path);
    else
        room[size] = 0;
    return room;
}

static int on_path(const char *op, int folder, const char *path) {
    char room[2 * PATH_MAX];
    return shared && path && strike(op, absolute(folder, path, room));
}

static int on_handle(const char *op, int handle) {
    struct stat found;
    if (!shared || fstat(handle, &found) || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)))
        return 0;
    return on_path(op, handle, "");
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define CHANGES (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)
#define OPEN(name, ...) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    } \
    REAL(name)

int open(const char *path, int flags, ...) {
    OPEN(open);
    return (flags & CHANGES) && on_path("create", AT_FDCWD, path) ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    OPEN(open64);
    return (flags & CHANGES) && on_path("create", AT_FDCWD, path) ? -1 : real(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    OPEN(openat);
    return (flags & CHANGES) && on_path("create", folder, path) ? -1 : real(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    OPEN(openat64);
    return (flags & CHANGES) && on_path("create", folder, path) ? -1 : real(folder, path, flags, mode);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return on_path("rename", AT_FDCWD, from) ? -1 : real(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL(renameat);
    return on_path("rename", a, from) ? -1 : real(a, from, b, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(renameat2);
    return on_path("rename", a, from) ? -1 : real(a, from, b, to, flags);
}
int link(const char *from, const char *to) {
    REAL(link);
    return on_path("link", AT_FDCWD, to) ? -1 : real(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(linkat);
    return on_path("link", b, to) ? -1 : real(a, from, b, to, flags);
}
int symlink(const char *target, const char *path) {
    REAL(symlink);
    return on_path("symlink", AT_FDCWD, path) ? -1 : real(target, path);
}
int symlinkat(const char *target, int folder, const char *path) {
    REAL(symlinkat);
    return on_path("symlink", folder, path) ? -1 : real(target, folder, path);
}
int unlink(const char *path) {
    REAL(unlink);
    return on_path("unlink", AT_FDCWD, path) ? -1 : real(path);
}
int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat);
    return on_path(flags & AT_REMOVEDIR ? "rmdir" : "unlink", folder, path) ? -1 : real(folder, path, flags);
}
int rmdir(const char *path) {
    REAL(rmdir);
    return on_path("rmdir", AT_FDCWD, path) ? -1 : real(path);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return on_path("mkdir", AT_FDCWD, path) ? -1 : real(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(mkdirat);
    return on_path("mkdir", folder, path) ? -1 : real(folder, path, mode);
}
int chmod(const char *path, mode_t mode) {
    REAL(chmod);
    return on_path("chmod", AT_FDCWD, path) ? -1 : real(path, mode);
}
int fchmod(int handle, mode_t mode) {
    REAL(fchmod);
    return on_handle("chmod", handle) ? -1 : real(handle, mode);
}
int fchmodat(int folder, const char *path, mode_t mode, int flags) {
    REAL(fchmodat);
    return on_path("chmod", folder, path) ? -1 : real(folder, path, mode, flags);
}
int ftruncate(int handle, off_t size) {
    REAL(ftruncate);
    return on_handle("write", handle) ? -1 : real(handle, size);
}
int ftruncate64(int handle, off64_t size) {
    REAL(ftruncate64);
    return on_handle("write", handle) ? -1 : real(handle, size);
}
ssize_t write(int handle, const void *from, size_t size) {
    REAL(write);
    return on_handle("write", handle) ? -1 : real(handle, from, size);
}
ssize_t pwrite(int handle, const void *from, size_t size, off_t place) {
    REAL(pwrite);
    return on_handle("write", handle) ? -1 : real(handle, from, size, place);
}
ssize_t pwrite64(int handle, const void *from, size_t size, off64_t place) {
    REAL(pwrite64);
    return on_handle("write", handle) ? -1 : real(handle, from, size, place);
}
ssize_t writev(int handle, const struct iovec *from, int count) {
    REAL(writev);
    return on_handle("write", handle) ? -1 : real(handle, from, count);
}
ssize_t copy_file_range(int in, off64_t *a, int out, off64_t *b, size_t size, unsigned flags) {
    REAL(copy_file_range);
    return on_handle("write", out) ? -1 : real(in, a, out, b, size, flags);
}
int fsync(int handle) {
    REAL(fsync);
    return on_handle("sync", handle) ? -1 : real(handle);
}
int fdatasync(int handle) {
    REAL(fdatasync);
    return on_handle("sync", handle) ? -1 : real(handle);
}
