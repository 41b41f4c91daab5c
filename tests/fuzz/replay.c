/* The ordinary builds' main of a fuzz target: it takes every file of the folders it is given, in order, once. */
#include "fuzz/support_fuzz.h"

#include <stdio.h>
#include <string.h>

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static guint replay(const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) entries = g_dir_open(folder, 0, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(entries));)
        g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(paths, compare_paths);
    for (guint i = 0; i < paths->len; i++) {
        g_autofree char *data = NULL;
        gsize bytes;
        printf("%s\n", (const char *)paths->pdata[i]);
        fflush(stdout); /* the last line is the culprit's name */
        g_assert_true(g_file_get_contents(paths->pdata[i], &data, &bytes, NULL));
        /* A copy of just its size: what reads beyond the end is found. */
        g_autofree uint8_t *exact = g_memdup2(data, bytes);
        LLVMFuzzerTestOneInput(exact, bytes);
    }
    return paths->len;
}

int main(int argc, char **argv)
{
    guint n = 0;
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    printf("%u inputs\n", n);
    return n ? 0 : 1;
}
