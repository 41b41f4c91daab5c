#include "run/folder_files.h"

#include "base/file.h"
#include "base/monitor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64, MAX_ODD = 100000 };
static const gsize MAX_BYTES = (gsize)256 << 20; /* of all paths */

typedef struct {
    char *path; /* from the folder; "" for itself */
    guint depth;
} Below;

typedef struct {
    const char *folder;
    AimfFolderFiles *found;
    GQueue waiting; /* of Below, owned */
    gsize bytes;
    gboolean full;
} Walk;

static void below_free(gpointer data)
{
    Below *below = data;
    g_free(below->path);
    g_free(below);
}

static void odd_free(gpointer data)
{
    AimfOddFile *odd = data;
    g_free(odd->path);
    g_free(odd->why);
    g_free(odd);
}

void aimf_folder_files_free(AimfFolderFiles *files)
{
    if (!files)
        return;
    g_ptr_array_unref(files->files);
    g_ptr_array_unref(files->odd);
    g_free(files);
}

static void add_odd(Walk *walk, const char *path, const char *why)
{
    if (walk->found->odd->len >= MAX_ODD)
        return;
    AimfOddFile *odd = g_new(AimfOddFile, 1);
    *odd = (AimfOddFile){ g_strdup(path), g_strdup(why) };
    g_ptr_array_add(walk->found->odd, odd);
}

/* Takes @path. FALSE with errno. */
static gboolean take_entry(Walk *walk, int directory, const char *name, char *path, guint depth)
{
    struct stat info;
    g_autofree char *own = path;
    walk->bytes += strlen(path) + 1;
    if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT; /* it was removed meanwhile */
    if (S_ISREG(info.st_mode))
        g_ptr_array_add(walk->found->files, g_steal_pointer(&own));
    else if (S_ISLNK(info.st_mode))
        add_odd(walk, path, "is a link, and what it leads to is no part of the folder");
    else if (!S_ISDIR(info.st_mode))
        add_odd(walk, path, "is no regular file");
    else if (depth >= MAX_DEPTH)
        add_odd(walk, path, "is a folder too deep to be looked at");
    else {
        Below *below = g_new(Below, 1);
        *below = (Below){ g_steal_pointer(&own), depth + 1 };
        g_queue_push_tail(&walk->waiting, below);
    }
    return TRUE;
}

/* FALSE with errno. */
static gboolean list(Walk *walk, const Below *below, const char *path, const AimfMonitor *monitor)
{
    DIR *directory = opendir(path);
    if (!directory)
        return FALSE;
    errno = 0;
    for (const struct dirent *entry; !walk->full && (entry = readdir(directory)); errno = 0) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        char *own = *below->path ? g_strconcat(below->path, "/", name, NULL) : g_strdup(name);
        if (!take_entry(walk, dirfd(directory), name, own, below->depth))
            break;
        walk->full = walk->bytes > MAX_BYTES || !aimf_check_stop(monitor, "listing files", NULL);
    }
    int failure = errno;
    closedir(directory);
    errno = failure;
    return walk->full || failure == 0;
}

/* One that is gone, or whose path is too long, is odd; FALSE for @walk->folder itself, and where the machine fails. */
static gboolean look_into(Walk *walk, const Below *below, const AimfMonitor *monitor, GError **error)
{
    g_autofree char *path = *below->path ? g_build_filename(walk->folder, below->path, NULL) : g_strdup(walk->folder);
    GError *failure = NULL;
    if (list(walk, below, path, monitor))
        return TRUE;
    int number = errno;
    aimf_io_error(&failure, number, "list the folder", path);
    if (!*below->path || aimf_is_fault(failure)) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    g_error_free(failure);
    add_odd(walk, below->path, g_strerror(number));
    return TRUE;
}

static gint compare_files(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gint compare_odd(gconstpointer a, gconstpointer b)
{
    const AimfOddFile *x = *(AimfOddFile *const *)a, *y = *(AimfOddFile *const *)b;
    return strcmp(x->path, y->path);
}

AimfFolderFiles *aimf_folder_files(const char *folder, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfFolderFiles) found = g_new0(AimfFolderFiles, 1);
    found->files = g_ptr_array_new_with_free_func(g_free);
    found->odd = g_ptr_array_new_with_free_func(odd_free);
    Walk walk = { .folder = folder, .found = found, .waiting = G_QUEUE_INIT };
    const Below itself = { (char *)"", 0 };
    gboolean looked = look_into(&walk, &itself, monitor, error);
    for (Below *below; looked && !walk.full && (below = g_queue_pop_head(&walk.waiting)); below_free(below))
        looked = look_into(&walk, below, monitor, error);
    g_queue_clear_full(&walk.waiting, below_free);
    if (!looked)
        return NULL;
    if (!aimf_check_stop(monitor, "listing files", error))
        return NULL;
    g_ptr_array_sort(found->files, compare_files);
    g_ptr_array_sort(found->odd, compare_odd);
    if (walk.full)
        add_odd(&walk, ".", "has more files than can be looked at");
    return g_steal_pointer(&found);
}
