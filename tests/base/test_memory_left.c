/* What is left by files as the kernel writes them, in a folder that stands for the root. */
#include "base/memory_left.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const guint64 MB = 1 << 20;

typedef struct {
    char *root;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    f->root = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_assert_nonnull(f->root);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->root);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(f->root);
}

static void put(const Fixture *f, const char *path, const char *text)
{
    g_autofree char *full = g_build_filename(f->root, path, NULL), *folder = g_path_get_dirname(full);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
    g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void expect(const Fixture *f, guint64 mb, const char *says)
{
    AimfMemoryLeft left = aimf_memory_left(f->root);
    g_assert_cmpuint(left.bytes, ==, mb * MB);
    g_assert_nonnull(strstr(left.limit, says));
}

static void test_nothing_known(Fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpuint(aimf_memory_left(f->root).bytes, ==, G_MAXUINT64);
    put(f, "proc/self/cgroup", "nonsense\n0::\n\n");
    put(f, "proc/meminfo", "MemAvailable: many kB\n");
    g_assert_cmpuint(aimf_memory_left(f->root).bytes, ==, G_MAXUINT64);
}

static void test_machine(Fixture *f, gconstpointer data)
{
    (void)data;
    put(f, "proc/meminfo",
        "MemTotal:       99999999 kB\nMemFree:  1 kB\nMemAvailable:    1048576 kB\nSwapFree:         524288 kB\n");
    expect(f, 1536, "free memory");
}

/* The tightest of the groups on the way up; pages of files can be taken back. */
static void test_version_2(Fixture *f, gconstpointer data)
{
    (void)data;
    put(f, "proc/meminfo", "MemAvailable: 9048576 kB\n");
    put(f, "proc/self/cgroup", "0::/a.slice/b.scope\n");
    put(f, "sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n");
    put(f, "sys/fs/cgroup/a.slice/b.scope/memory.current", "104857600\n");
    put(f, "sys/fs/cgroup/a.slice/memory.max", "1073741824\n");
    put(f, "sys/fs/cgroup/a.slice/memory.current", "524288000\n");
    expect(f, 1024 - 500, "control group");
    put(f, "sys/fs/cgroup/a.slice/memory.stat", "anon 1\ninactive_file 104857600\nactive_file 104857600\nshmem 7\n");
    expect(f, 1024 - 300, "control group");
    put(f, "sys/fs/cgroup/memory.max", "209715200\n");
    put(f, "sys/fs/cgroup/memory.current", "209715201\n");
    expect(f, 0, "control group");
}

static void test_version_1(Fixture *f, gconstpointer data)
{
    (void)data;
    put(f, "proc/meminfo", "MemAvailable: 9048576 kB\n");
    put(f, "proc/self/cgroup", "4:cpu,cpuacct:/x\n3:blkio,memory:/docker/1\n1:name=systemd:/x\n");
    put(f, "sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    put(f, "sys/fs/cgroup/memory/memory.usage_in_bytes", "209715200\n");
    put(f, "sys/fs/cgroup/memory/memory.stat", "inactive_file 999\ntotal_inactive_file 104857600\n");
    expect(f, 1024 - 100, "control group");
}

static void test_address_space(Fixture *f, gconstpointer data)
{
    (void)data;
    struct rlimit before, limit, now;
    g_autofree char *statm = g_strdup_printf("%lu 1 1 1 0 1 0\n", (100ul << 20) / (gulong)sysconf(_SC_PAGESIZE));
    put(f, "proc/self/statm", statm);
    g_assert_cmpint(getrlimit(RLIMIT_AS, &before), ==, 0);
    limit = (struct rlimit){ 8192 * MB, before.rlim_max };
    /* Emulators promise it and do not keep it. */
    if (setrlimit(RLIMIT_AS, &limit) != 0 || getrlimit(RLIMIT_AS, &now) != 0 || now.rlim_cur != limit.rlim_cur) {
        g_test_skip("the limit of the address space cannot be set here");
        return;
    }
    AimfMemoryLeft left = aimf_memory_left(f->root);
    g_assert_cmpint(setrlimit(RLIMIT_AS, &before), ==, 0);
    g_assert_cmpuint(left.addresses, ==, 8092 * MB);
    g_assert_cmpuint(left.bytes, ==, G_MAXUINT64);
}

#define ADD(name, function) g_test_add("/memory-left/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("nothing-known", test_nothing_known);
    ADD("machine", test_machine);
    ADD("version-2", test_version_2);
    ADD("version-1", test_version_1);
    ADD("address-space", test_address_space);
    return g_test_run();
}
