#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void aimf_io_error(GError **error, int number, const char *doing, const char *path)
{
    gboolean input =
        number == ENOENT || number == EISDIR || number == ENOTDIR || number == ENAMETOOLONG || number == ELOOP;
    g_set_error(error, AIMF_ERROR, input ? AIMF_ERROR_NOT_FOUND : AIMF_ERROR_IO, "cannot %s '%s': %s", doing, path,
                g_strerror(number));
}

gboolean aimf_is_fault(const GError *error)
{
    return g_error_matches(error, AIMF_ERROR, AIMF_ERROR_IO) || g_error_matches(error, AIMF_ERROR, AIMF_ERROR_MEMORY);
}

AimfPathKind aimf_path_kind(const char *path, GError **error)
{
    struct stat info;
    if (stat(path, &info) == 0)
        return S_ISREG(info.st_mode) ? AIMF_PATH_FILE : S_ISDIR(info.st_mode) ? AIMF_PATH_FOLDER : AIMF_PATH_OTHER;
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP)
        return AIMF_PATH_MISSING;
    aimf_io_error(error, errno, "examine", path);
    return AIMF_PATH_UNKNOWN;
}

gboolean aimf_path_forbidden(const char *path)
{
    return access(path, R_OK) != 0 && errno == EACCES;
}

gboolean aimf_path_there(const char *path, gboolean *there, GError **error)
{
    AimfPathKind kind = aimf_path_kind(path, error);
    *there = kind > AIMF_PATH_MISSING;
    return kind != AIMF_PATH_UNKNOWN;
}

const char *aimf_path_below(const char *path, const char *folder)
{
    gsize n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

static AimfStamp stamp_of(const struct stat *info)
{
    return (AimfStamp){ .device = info->st_dev,
                        .inode = info->st_ino,
                        .bytes = info->st_size,
                        .modified_ns = info->st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + info->st_mtim.tv_nsec };
}

gboolean aimf_file_stamp(const char *path, AimfStamp *stamp, GError **error)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        aimf_io_error(error, errno, "examine", path);
        return FALSE;
    }
    *stamp = stamp_of(&info);
    return TRUE;
}

gboolean aimf_stamp_equal(const AimfStamp *a, const AimfStamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes && a->modified_ns == b->modified_ns;
}

/* Opens a regular file; what it is in *info. -1 with an error otherwise. */
static int open_regular(const char *path, struct stat *info, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* non-blocking: a FIFO must not hang us */
    if (fd < 0 && errno == EACCES) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "cannot open '%s': %s", path, g_strerror(EACCES));
        return -1;
    }
    if (fd < 0 && errno == ENXIO) { /* a socket */
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is not a regular file", path);
        return -1;
    }
    if (fd < 0) {
        aimf_io_error(error, errno, "open", path);
        return -1;
    }
    if (fstat(fd, info) != 0)
        aimf_io_error(error, errno, "examine", path);
    else if (S_ISDIR(info->st_mode))
        aimf_io_error(error, EISDIR, "read", path);
    else if (!S_ISREG(info->st_mode))
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is not a regular file", path);
    else
        return fd;
    close(fd);
    return -1;
}

int aimf_file_open(const char *path, AimfStamp *stamp, GError **error)
{
    struct stat info;
    int fd = open_regular(path, &info, error);
    if (fd >= 0)
        *stamp = stamp_of(&info);
    return fd;
}

/* --- Maps --- */

/*
 * All maps are on a list that a signal handler can walk. Maps are added in front and never taken away: one that is no
 * more has no name, and the next map takes its place.
 */
typedef struct Map Map;
struct Map {
    Map *next;
    void *address;
    gsize bytes;
    AimfStamp stamp;
    char *path; /* atomic; NULL: free */
};

static Map *maps;
static GMutex maps_lock; /* of those who change the list */

static Map *list_map(void *address, gsize bytes, const struct stat *file, const char *path)
{
    g_mutex_lock(&maps_lock);
    Map *map = maps;
    while (map && map->path)
        map = map->next;
    if (!map) {
        map = g_new0(Map, 1);
        map->next = maps;
        g_atomic_pointer_set(&maps, map);
    }
    map->address = address;
    map->bytes = bytes;
    map->stamp = stamp_of(file);
    g_atomic_pointer_set(&map->path, g_strdup(path));
    g_mutex_unlock(&maps_lock);
    return map;
}

static void map_free(gpointer data)
{
    Map *map = data;
    char *path = map->path;
    munmap(map->address, map->bytes);
    g_mutex_lock(&maps_lock);
    g_atomic_pointer_set(&map->path, NULL);
    g_mutex_unlock(&maps_lock);
    g_free(path);
}

static Map *find_map(const void *address)
{
    for (Map *map = g_atomic_pointer_get(&maps); map; map = map->next) {
        gsize offset = (gsize)((const char *)address - (const char *)map->address);
        if (g_atomic_pointer_get(&map->path) && offset < map->bytes)
            return map;
    }
    return NULL;
}

const char *aimf_file_mapped_at(const void *address)
{
    const Map *map = find_map(address);
    return map ? map->path : NULL;
}

gboolean aimf_file_map_unchanged(GBytes *bytes, GError **error)
{
    const Map *map = find_map(g_bytes_get_data(bytes, NULL));
    struct stat now;
    if (!map)
        return TRUE;
    if (stat(map->path, &now) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return TRUE;
        aimf_io_error(error, errno, "examine", map->path);
        return FALSE;
    }
    AimfStamp stamp = stamp_of(&now);
    gboolean same = stamp.device == map->stamp.device && stamp.inode == map->stamp.inode;
    if (!same || aimf_stamp_equal(&stamp, &map->stamp))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO,
                "'%s' was written to while it was in use, so that what was read of it does not belong together",
                map->path);
    return FALSE;
}

GBytes *aimf_file_map(const char *path, GError **error)
{
    struct stat info;
    int fd = open_regular(path, &info, error);
    if (fd < 0)
        return NULL;
    gsize size = (gsize)info.st_size;
    if (size == 0) {
        close(fd);
        return g_bytes_new_static("", 0);
    }
    void *address = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    int number = errno;
    close(fd);
    if (address == MAP_FAILED) {
        aimf_io_error(error, number, "map", path);
        return NULL;
    }
    return g_bytes_new_with_free_func(address, size, map_free, list_map(address, size, &info, path));
}

void aimf_file_map_release(GBytes *map)
{
    gsize bytes;
    const void *address = g_bytes_get_data(map, &bytes);
    if (bytes)
        madvise((void *)address, bytes, MADV_DONTNEED); /* mere advice: it may fail */
}

GBytes *aimf_file_read(const char *path, gsize limit_bytes, GError **error)
{
    struct stat info;
    int fd = open_regular(path, &info, error);
    if (fd < 0)
        return NULL;
    gsize size = (gsize)info.st_size;
    char *data = NULL;
    if (size > limit_bytes) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' has %" G_GSIZE_FORMAT " bytes; at most %" G_GSIZE_FORMAT " are accepted here", path, size,
                    limit_bytes);
    } else if (!(data = g_try_malloc(size + 1))) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the %" G_GSIZE_FORMAT " bytes of '%s'", size,
                    path);
    } else {
        gsize have = 0;
        while (have < size) {
            gssize n = read(fd, data + have, size - have);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0) {
                aimf_io_error(error, errno, "read", path);
                g_clear_pointer(&data, g_free);
                break;
            }
            if (n == 0)
                break; /* the file shrank meanwhile: what is there is what we take */
            have += (gsize)n;
        }
        size = have;
    }
    close(fd);
    if (!data)
        return NULL;
    data[size] = 0;
    return g_bytes_new_take(data, size);
}

struct AimfWriter {
    FILE *stream;
    int lock;   /* of the temporary file, by which other writers know that it is not left over */
    char *path; /* with links resolved */
    char *temporary;
    int failure; /* errno of the first failed write */
};

/* (owned) What a new file may replace: the file that a link leads to, but no directory, and no device or pipe. */
static char *destination(const char *path, GError **error)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        if (errno == ENOENT)
            return g_strdup(path);
        aimf_io_error(error, errno, "write", path);
        return NULL;
    }
    gboolean link = S_ISLNK(info.st_mode);
    if (link && stat(path, &info) != 0) {
        aimf_io_error(error, errno, "write", path);
        return NULL;
    }
    if (S_ISDIR(info.st_mode)) {
        aimf_io_error(error, EISDIR, "write", path);
        return NULL;
    }
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "cannot write '%s': it is not a regular file, and a new file would take its place", path);
        return NULL;
    }
    if (!link)
        return g_strdup(path);
    char *target = realpath(path, NULL);
    char *copy = g_strdup(target);
    if (!target)
        aimf_io_error(error, errno, "write", path);
    free(target); /* of the C library, as GLib's own need not be */
    return copy;
}

char *aimf_part_of(const char *name)
{
    gsize length = strlen(name), ending = strlen(AIMF_PART_ENDING);
    if (length <= ending || name[length - ending] != '.' || !g_str_has_suffix(name, strrchr(AIMF_PART_ENDING, '.')))
        return NULL;
    for (const char *c = name + length - ending + 1; *c != '.'; c++)
        if (!g_ascii_isalnum(*c))
            return NULL;
    return g_strndup(name, length - ending);
}

/* Removes @path if it is a temporary file of ours that no writer holds. */
static void remove_leftover(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
        g_unlink(path);
    close(fd);
}

/* Removes what writers of @path that were killed left. */
static void remove_leftovers(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path), *base = g_path_get_basename(path);
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    for (const char *name; directory && (name = g_dir_read_name(directory));) {
        g_autofree char *whole = aimf_part_of(name), *leftover = g_build_filename(folder, name, NULL);
        if (g_strcmp0(whole, base) == 0)
            remove_leftover(leftover);
    }
}

/*
 * A new temporary file, locked: *@path, whose X are filled in, and *@lock, which outlives the stream until the file
 * has its name. Another writer may take it for left over before it is locked: then there is another. Negative: errno.
 */
static int open_temporary(char **path, int *lock)
{
    g_autofree char *pattern = g_strdup(*path);
    for (int tries = 0; tries < 10; tries++) {
        g_free(*path);
        *path = g_strdup(pattern);
        int fd = g_mkstemp_full(*path, O_WRONLY | O_CLOEXEC, 0666);
        if (fd < 0)
            return -errno;
        struct stat info;
        (void)!flock(fd, LOCK_EX | LOCK_NB); /* file systems without locks have no leftovers removed */
        *lock = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (*lock >= 0 && fstat(fd, &info) == 0 && info.st_nlink > 0)
            return fd;
        int failure = *lock < 0 ? errno : EAGAIN;
        close(fd);
        if (*lock >= 0)
            close(*lock);
        g_unlink(*path);
        if (failure != EAGAIN)
            return -failure;
    }
    return -EAGAIN;
}

static AimfWriter *open_writer(const char *name, gboolean cleans, GError **error)
{
    g_autofree char *path = destination(name, error);
    if (!path)
        return NULL;
    if (cleans)
        remove_leftovers(path);
    g_autofree char *temporary = g_strconcat(path, AIMF_PART_ENDING, NULL);
    int lock = -1, fd = open_temporary(&temporary, &lock);
    if (fd < 0) {
        aimf_io_error(error, -fd, "create", path);
        return NULL;
    }
    FILE *stream = fdopen(fd, "wb");
    if (!stream) {
        aimf_io_error(error, errno, "create", path);
        close(fd);
        close(lock);
        g_unlink(temporary);
        return NULL;
    }
    AimfWriter *writer = g_new0(AimfWriter, 1);
    writer->stream = stream;
    writer->lock = lock;
    writer->path = g_steal_pointer(&path);
    writer->temporary = g_steal_pointer(&temporary);
    return writer;
}

AimfWriter *aimf_writer_open(const char *path, GError **error)
{
    return open_writer(path, TRUE, error);
}

void aimf_writer_write(AimfWriter *writer, const void *data, gsize bytes)
{
    if (!writer->failure && bytes && fwrite(data, 1, bytes, writer->stream) != bytes)
        writer->failure = errno ? errno : EIO;
}

void aimf_writer_printf(AimfWriter *writer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!writer->failure && vfprintf(writer->stream, format, args) < 0)
        writer->failure = errno ? errno : EIO;
    va_end(args);
}

/* The rename itself must survive a power cut, so the directory is synced too; file systems without that may refuse. */
static void sync_directory(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
}

static gboolean write_failed(const AimfWriter *writer, GError **error)
{
    if (writer->failure)
        aimf_io_error(error, writer->failure, "write", writer->path);
    return writer->failure != 0;
}

gboolean aimf_writer_finish(AimfWriter *writer, GError **error)
{
    FILE *stream = g_steal_pointer(&writer->stream);
    if (!writer->failure && (ferror(stream) || fflush(stream) != 0 || fsync(fileno(stream)) != 0))
        writer->failure = errno ? errno : EIO;
    if (fclose(stream) != 0 && !writer->failure)
        writer->failure = errno ? errno : EIO;
    return !write_failed(writer, error);
}

gboolean aimf_writer_commit(AimfWriter *writer, GError **error)
{
    if (writer->stream && !aimf_writer_finish(writer, error))
        return FALSE;
    if (!writer->failure && g_rename(writer->temporary, writer->path) != 0)
        writer->failure = errno;
    if (write_failed(writer, error))
        return FALSE;
    g_clear_pointer(&writer->temporary, g_free);
    sync_directory(writer->path);
    return TRUE;
}

void aimf_writer_free(AimfWriter *writer)
{
    if (!writer)
        return;
    if (writer->stream)
        fclose(writer->stream);
    if (writer->temporary)
        g_unlink(writer->temporary);
    close(writer->lock);
    g_free(writer->temporary);
    g_free(writer->path);
    g_free(writer);
}

gboolean aimf_file_write(const char *path, const void *data, gsize bytes, GError **error)
{
    g_autoptr(AimfWriter) writer = open_writer(path, FALSE, error);
    if (!writer)
        return FALSE;
    aimf_writer_write(writer, data, bytes);
    return aimf_writer_commit(writer, error);
}

gboolean aimf_directory_make(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0777) == 0)
        return TRUE;
    int number = errno; /* ENOTDIR also where GLib could not examine it */
    AimfPathKind kind = number == ENOTDIR ? aimf_path_kind(path, error) : AIMF_PATH_MISSING;
    if (kind == AIMF_PATH_FOLDER || kind == AIMF_PATH_UNKNOWN)
        return kind == AIMF_PATH_FOLDER;
    aimf_io_error(error, number, "create the folder", path);
    return FALSE;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *aimf_directory_list(const char *path, GError **error)
{
    errno = 0;
    GDir *directory = g_dir_open(path, 0, NULL);
    if (!directory) {
        aimf_io_error(error, errno ? errno : ENOENT, "list the folder", path);
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    errno = 0;
    for (const char *name; (name = g_dir_read_name(directory)); errno = 0)
        if (name[0] != '.')
            g_ptr_array_add(names, g_strdup(name));
    int number = errno;
    g_dir_close(directory);
    if (number) { /* half a list would be taken for a smaller folder */
        aimf_io_error(error, number, "list the folder", path);
        g_ptr_array_unref(names);
        return NULL;
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}
