/*
 * A library for LD_PRELOAD under which one kind of calls fails from the program's main() on: memory, files, the disk.
 *
 *     FAULT_COUNTS=FILE    where the numbers of calls go, as FaultCounts; they outlive any end of the process
 *     FAULT_KIND=NAME      of fault_kinds
 *     FAULT_AT=N           the N-th call of that kind fails, counted from 1
 *     FAULT_FROM_THERE=1   and all that follow it
 *     FAULT_DO=COMMAND     in place of failing, the call waits for a shell command, which may do things to files
 *
 * What goes to the standard error never fails: messages are what is tested. Calls inside of the C library are not seen.
 */
#include "faults/fault_counts.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static FaultCounts nowhere, *counts = &nowhere;
static int chosen = -1, from_there;
static const char *deed;
static unsigned long at;
static volatile int counting;

/* The disk that is full, the table of files that is full, the device that is broken. */
static const int failures[FAULT_N_KINDS] = {
    [FAULT_ALLOC] = ENOMEM, [FAULT_WRITE] = ENOSPC, [FAULT_FSYNC] = EIO, [FAULT_RENAME] = EIO, [FAULT_OPEN] = EMFILE,
    [FAULT_CLOSE] = EIO,    [FAULT_MMAP] = ENOMEM,  [FAULT_STAT] = EIO,  [FAULT_READ] = EIO,
};

static int fails(FaultKind kind)
{
    if (!counting)
        return 0;
    unsigned long n = __atomic_add_fetch(&counts->calls[kind], 1, __ATOMIC_RELAXED);
    if ((int)kind != chosen || (from_there ? n < at : n != at))
        return 0;
    __atomic_add_fetch(&counts->failed, 1, __ATOMIC_RELAXED);
    if (deed) {
        (void)!system(deed);
        return 0;
    }
    errno = failures[kind];
    return 1;
}

/* --- From main() on --- */

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **environment)
{
    counting = 1;
    return real_main(argc, argv, environment);
}

static void open_counts(void)
{
    const char *path = getenv("FAULT_COUNTS"), *kind = getenv("FAULT_KIND"), *number = getenv("FAULT_AT");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        counts = map;
    for (int i = 0; kind && i < FAULT_N_KINDS; i++)
        if (strcmp(kind, fault_kinds[i]) == 0)
            chosen = i;
    at = number ? strtoul(number, NULL, 10) : 0;
    from_there = getenv("FAULT_FROM_THERE") != NULL;
    deed = getenv("FAULT_DO");
    if (deed)
        unsetenv("LD_PRELOAD"); /* the command is to be left alone */
    if (fd >= 0)
        close(fd);
}

int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    int (*real)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
    open_counts();
    real_main = program;
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

/* --- Memory: glibc's own functions have these names too, so that nothing needs to be looked up --- */

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *old, size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_realloc(old, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    if (fails(FAULT_ALLOC))
        return ENOMEM;
    *memory = __libc_memalign(alignment, bytes);
    return *memory ? 0 : ENOMEM;
}

/* --- Everything else --- */

/* Looked up at the first call; two threads that do so at once find the same. */
#define REAL(result, name, ...)                                                                                        \
    static result (*real)(__VA_ARGS__);                                                                                \
    if (!real)                                                                                                         \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

#define CALL(kind, result, failed, name, parameters, arguments)                                                        \
    result name parameters                                                                                             \
    {                                                                                                                  \
        static result(*real) parameters;                                                                               \
        if (!real)                                                                                                     \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                                                 \
        return fails(kind) ? (failed) : real arguments;                                                                \
    }

CALL(FAULT_MMAP, void *, MAP_FAILED, mmap, (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o))
CALL(FAULT_MMAP, void *, MAP_FAILED, mmap64, (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o))
CALL(FAULT_FSYNC, int, -1, fsync, (int fd), (fd))
CALL(FAULT_FSYNC, int, -1, fdatasync, (int fd), (fd))
CALL(FAULT_RENAME, int, -1, rename, (const char *from, const char *to), (from, to))
CALL(FAULT_RENAME, int, -1, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
CALL(FAULT_STAT, int, -1, stat, (const char *restrict path, struct stat *restrict info), (path, info))
CALL(FAULT_STAT, int, -1, stat64, (const char *restrict path, struct stat64 *restrict info), (path, info))
CALL(FAULT_STAT, int, -1, lstat, (const char *restrict path, struct stat *restrict info), (path, info))
CALL(FAULT_STAT, int, -1, lstat64, (const char *restrict path, struct stat64 *restrict info), (path, info))
CALL(FAULT_STAT, int, -1, fstat, (int fd, struct stat *info), (fd, info))
CALL(FAULT_STAT, int, -1, fstat64, (int fd, struct stat64 *info), (fd, info))
CALL(FAULT_STAT, int, -1, access, (const char *path, int mode), (path, mode))
CALL(FAULT_READ, ssize_t, -1, read, (int fd, void *data, size_t n), (fd, data, n))
CALL(FAULT_READ, ssize_t, -1, pread, (int fd, void *data, size_t n, off_t o), (fd, data, n, o))
CALL(FAULT_READ, ssize_t, -1, pread64, (int fd, void *data, size_t n, off_t o), (fd, data, n, o))
CALL(FAULT_WRITE, ssize_t, -1, pwrite, (int fd, const void *data, size_t n, off_t o), (fd, data, n, o))
CALL(FAULT_WRITE, ssize_t, -1, pwrite64, (int fd, const void *data, size_t n, off_t o), (fd, data, n, o))
CALL(FAULT_OPEN, FILE *, NULL, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
CALL(FAULT_OPEN, FILE *, NULL, fopen64, (const char *restrict path, const char *restrict mode), (path, mode))
CALL(FAULT_OPEN, DIR *, NULL, opendir, (const char *path), (path))

/* A file whose closing fails is closed all the same. */
int close(int fd)
{
    REAL(int, close, int);
    int failed = fd > STDERR_FILENO && fails(FAULT_CLOSE), result = real(fd);
    if (failed)
        errno = failures[FAULT_CLOSE];
    return failed ? -1 : result;
}

int fclose(FILE *stream)
{
    REAL(int, fclose, FILE *);
    int failed = fails(FAULT_CLOSE), result = real(stream);
    if (failed)
        errno = failures[FAULT_CLOSE];
    return failed ? EOF : result;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        REAL(int, name, const char *, int, ...);                                                                       \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = mode_of(flags, arguments);                                                                       \
        va_end(arguments);                                                                                             \
        return fails(FAULT_OPEN) ? -1 : real(path, flags, mode);                                                       \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
    int name(int folder, const char *path, int flags, ...)                                                             \
    {                                                                                                                  \
        REAL(int, name, int, const char *, int, ...);                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = mode_of(flags, arguments);                                                                       \
        va_end(arguments);                                                                                             \
        return fails(FAULT_OPEN) ? -1 : real(folder, path, flags, mode);                                               \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t);
    return fd != STDERR_FILENO && fails(FAULT_WRITE) ? -1 : real(fd, data, n);
}

size_t fwrite(const void *restrict data, size_t size, size_t n, FILE *restrict stream)
{
    REAL(size_t, fwrite, const void *restrict, size_t, size_t, FILE *restrict);
    return stream != stderr && fails(FAULT_WRITE) ? 0 : real(data, size, n, stream);
}

int fputs(const char *restrict text, FILE *restrict stream)
{
    REAL(int, fputs, const char *restrict, FILE *restrict);
    return stream != stderr && fails(FAULT_WRITE) ? EOF : real(text, stream);
}

int fflush(FILE *stream)
{
    REAL(int, fflush, FILE *);
    return stream != stderr && fails(FAULT_WRITE) ? EOF : real(stream);
}

int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
    REAL(int, vfprintf, FILE *restrict, const char *restrict, va_list);
    return stream != stderr && fails(FAULT_WRITE) ? -1 : real(stream, format, arguments);
}
