#include "base/memory_left.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* (owned, nullable) The file, none of which is large. */
static char *contents(const char *root, const char *path)
{
    g_autofree char *full = g_strconcat(root, path, NULL);
    char *text = NULL;
    g_file_get_contents(full, &text, NULL, NULL);
    return text;
}

/*
 * The number behind @key at the beginning of a line, or of the text where @key is empty; @otherwise if there is none.
 */
static guint64 number_of(const char *text, const char *key, guint64 otherwise)
{
    gsize length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char *end;
        if (strncmp(line, key, length) != 0)
            continue;
        guint64 number = g_ascii_strtoull(line + length, &end, 10);
        return end > line + length ? number : otherwise;
    }
    return otherwise;
}

static void lower(AimfMemoryLeft *left, guint64 limit, guint64 used, const char *what)
{
    guint64 bytes = limit > used ? limit - used : 0;
    if (bytes < left->bytes)
        *left = (AimfMemoryLeft){ left->addresses, bytes, what };
}

static void see_address_space(AimfMemoryLeft *left, const char *root)
{
    struct rlimit limit;
    g_autofree char *pages = contents(root, "/proc/self/statm");
    if (!pages || getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return;
    guint64 taken = number_of(pages, "", 0) * (guint64)sysconf(_SC_PAGESIZE);
    left->addresses = limit.rlim_cur > taken ? limit.rlim_cur - taken : 0;
}

static void see_machine(AimfMemoryLeft *left, const char *root)
{
    g_autofree char *text = contents(root, "/proc/meminfo");
    guint64 available = number_of(text, "MemAvailable:", G_MAXUINT64);
    if (available != G_MAXUINT64)
        lower(left, (available + number_of(text, "SwapFree:", 0)) * 1024, 0, "the machine's free memory");
}

/* What files of a version of control groups are called. */
typedef struct {
    const char *folder, *limit, *used, *inactive_file, *active_file;
} CgroupNames;

static void see_cgroup(AimfMemoryLeft *left, const char *root, const CgroupNames *names, const char *group)
{
    g_autofree char *at = g_strconcat(names->folder, group, "/", NULL);
    g_autofree char *limit_path = g_strconcat(at, names->limit, NULL), *used_path = g_strconcat(at, names->used, NULL);
    g_autofree char *stat_path = g_strconcat(at, "memory.stat", NULL);
    g_autofree char *limit = contents(root, limit_path), *used = contents(root, used_path);
    g_autofree char *stat = contents(root, stat_path);
    guint64 most = number_of(limit, "", G_MAXUINT64); /* "max": none */
    if (!used || most == G_MAXUINT64)
        return;
    guint64 of_files = number_of(stat, names->inactive_file, 0) + number_of(stat, names->active_file, 0) +
                       number_of(stat, "slab_reclaimable ", 0);
    guint64 taken = number_of(used, "", 0);
    lower(left, most, taken - MIN(of_files, taken), "the memory limit of the control group");
}

/* The group and those above it. In a container its own files are at the top, whatever name it has outside. */
static void see_cgroups(AimfMemoryLeft *left, const char *root, const CgroupNames *names, const char *group)
{
    g_autofree char *at = g_strdup(group);
    for (;;) {
        see_cgroup(left, root, names, at);
        char *slash = strrchr(at, '/');
        if (!slash)
            return;
        *slash = 0;
    }
}

/* "0::/user.slice" of version 2, "7:memory:/docker/1" or "4:cpu,memory:/" of version 1. */
static void see_all_cgroups(AimfMemoryLeft *left, const char *root)
{
    static const CgroupNames v2 = { "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file ",
                                    "active_file " };
    static const CgroupNames v1 = { "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                    "total_inactive_file ", "total_active_file " };
    g_autofree char *text = contents(root, "/proc/self/cgroup");
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    for (guint i = 0; lines && lines[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(lines[i], ":", 3);
        if (g_strv_length(parts) != 3)
            continue;
        g_auto(GStrv) controllers = g_strsplit(parts[1], ",", -1);
        if (!*parts[1])
            see_cgroups(left, root, &v2, parts[2]);
        else if (g_strv_contains((const char *const *)controllers, "memory"))
            see_cgroups(left, root, &v1, parts[2]);
    }
}

AimfMemoryLeft aimf_memory_left(const char *root)
{
    AimfMemoryLeft left = { G_MAXUINT64, G_MAXUINT64, "no limit" };
    see_address_space(&left, root);
    see_all_cgroups(&left, root);
    see_machine(&left, root);
    return left;
}
