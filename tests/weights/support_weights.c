#include "weights/support_weights.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *folder;

void support_assert_same_bytes(gconstpointer a, gsize a_bytes, gconstpointer b, gsize b_bytes)
{
    g_assert_cmpuint(a_bytes, ==, b_bytes);
    for (gsize i = 0; i < a_bytes; i++)
        if (((const guint8 *)a)[i] != ((const guint8 *)b)[i])
            g_error("byte %" G_GSIZE_FORMAT " is %u here and %u there", i, ((const guint8 *)a)[i],
                    ((const guint8 *)b)[i]);
}

void support_assert_error(GError **error, AimfErrorCode code, const char *says)
{
    g_assert_error(*error, AIMF_ERROR, (gint)code);
    if (!strstr((*error)->message, says))
        g_error("\"%s\" does not say \"%s\"", (*error)->message, says);
    g_clear_error(error);
}

const char *support_weights_path(const char *name)
{
    static char *recent[4];
    static guint turn;
    if (!folder)
        folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    char **slot = &recent[turn++ % G_N_ELEMENTS(recent)];
    g_free(*slot);
    return *slot = g_build_filename(folder, name, NULL);
}

const char *support_weights_write(const char *name, gconstpointer data, gsize bytes)
{
    const char *path = support_weights_path(name);
    /*
     * Not g_file_set_contents, and a new file each time: file systems sync what is replaced, and tests write thousands.
     */
    (void)!g_remove(path);
    FILE *file = fopen(path, "wb");
    g_assert_nonnull(file);
    g_assert_cmpuint(fwrite(data, 1, bytes, file), ==, bytes);
    g_assert_cmpint(fclose(file), ==, 0);
    return path;
}

void support_weights_remove(void)
{
    for (int i = 0; i < 4; i++)
        support_weights_path(""); /* also lets go of the paths handed out */
    GDir *files = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(files));)
        (void)!g_remove(support_weights_path(name));
    g_dir_close(files);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_clear_pointer(&folder, g_free);
}
