#include "base/lock.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct AimfLock {
    int fd;
    char *path;
};

/* Whoever had the lock may have removed its file between our opening and our locking it. */
static gboolean is_removed(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && info.st_nlink == 0;
}

AimfLock *aimf_lock_take(const char *path, GError **error)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0) {
            aimf_io_error(error, errno, "open", path);
            return NULL;
        }
        gboolean held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (!held && !is_removed(fd)) {
            AimfLock *lock = g_new(AimfLock, 1);
            *lock = (AimfLock){ fd, g_strdup(path) };
            return lock;
        }
        close(fd);
        if (held)
            return NULL;
    }
}

void aimf_lock_free(AimfLock *lock)
{
    if (!lock)
        return;
    g_unlink(lock->path);
    close(lock->fd);
    g_free(lock->path);
    g_free(lock);
}
