#include "run/file_hash.h"

#include "base/monitor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 18, TRIES = 4 };

/* The @bytes that the file has, or what there is of them. */
static gboolean read_all(int file, const char *path, gint64 bytes, GChecksum *checksum, const AimfMonitor *monitor,
                         GError **error)
{
    g_autofree guint8 *buffer = g_malloc(BUFFER_BYTES);
    while (bytes > 0) {
        gssize n = read(file, buffer, (gsize)MIN(bytes, BUFFER_BYTES));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            aimf_io_error(error, errno, "read", path);
            return FALSE;
        }
        if (n == 0)
            return TRUE; /* it became shorter, which its stamp will say */
        g_checksum_update(checksum, buffer, n);
        bytes -= n;
        if (!aimf_check_stop(monitor, "hashing files", error))
            return FALSE;
    }
    return TRUE;
}

/* One reading; *@same: the file was the same before and after. */
static gboolean read_once(const char *path, const AimfMonitor *monitor, char *sha256, AimfStamp *stamp, gboolean *same,
                          GError **error)
{
    AimfStamp after;
    int file = aimf_file_open(path, stamp, error);
    if (file < 0)
        return FALSE;
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    gboolean done = read_all(file, path, stamp->bytes, checksum, monitor, error);
    close(file);
    if (!done || !aimf_file_stamp(path, &after, error))
        return FALSE;
    *same = aimf_stamp_equal(stamp, &after);
    g_strlcpy(sha256, g_checksum_get_string(checksum), AIMF_SHA256_SIZE);
    return TRUE;
}

gboolean aimf_hash_file(const char *path, const AimfMonitor *monitor, char *sha256, AimfStamp *stamp, GError **error)
{
    AimfStamp own;
    gboolean same = FALSE;
    for (int i = 0; i < TRIES && !same; i++)
        if (!read_once(path, monitor, sha256, stamp ? stamp : &own, &same, error))
            return FALSE;
    if (!same)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "'%s' was written to while it was read", path);
    return same;
}

gboolean aimf_sha256_valid(const char *text)
{
    return strlen(text) == AIMF_SHA256_SIZE - 1 && strspn(text, "0123456789abcdef") == AIMF_SHA256_SIZE - 1;
}

gboolean aimf_run_path_valid(const char *path)
{
    for (const char *part = path;; part++) {
        gsize length = strcspn(part, "/");
        if (length == 0 || (length <= 2 && strspn(part, ".") >= length))
            return FALSE;
        part += length;
        if (!*part)
            return TRUE;
    }
}
