#include "data/support_data.h"

#include <glib/gstdio.h>
#include <string.h>

char *data_folder_new(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("aimfair-data-XXXXXX", &error);
    g_assert_no_error(error);
    return folder;
}

static void remove_tree(const char *path)
{
    GDir *directory = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    if (directory) {
        for (const char *name; (name = g_dir_read_name(directory));) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            remove_tree(child);
        }
        g_dir_close(directory);
    }
    g_remove(path);
}

void data_folder_free(char *folder)
{
    remove_tree(folder);
    g_free(folder);
}

char *data_write_bytes(const char *folder, const char *name, const char *bytes, gsize n)
{
    char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0777), ==, 0);
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, bytes, (gssize)n, &error);
    g_assert_no_error(error);
    return path;
}

char *data_write(const char *folder, const char *name, const char *text)
{
    return data_write_bytes(folder, name, text, strlen(text));
}

void data_touch(const char *folder, const char *name)
{
    g_free(data_write(folder, name, ""));
}

char *data_draw(const char *folder, const char *name, guint index)
{
    g_autoptr(GError) error = NULL;
    int width = 12 + (int)(index % 5), height = 10 + (int)(index % 7);
    g_autoptr(AimfImage) image = aimf_image_new(width, height, &error);
    g_assert_no_error(error);
    for (int i = 0; i < width * height * 3; i++)
        image->data[i] = (guint8)((guint)i * 7 + index * 37 + (guint)(i % 3) * 50);
    char *path = data_write(folder, name, ""); /* makes the parents */
    aimf_image_save(image, path, &error);
    g_assert_no_error(error);
    return path;
}

void data_expect_error(GError **error, AimfErrorCode code, ...)
{
    g_assert_error(*error, AIMF_ERROR, (gint)code);
    va_list parts;
    va_start(parts, code);
    for (const char *part; (part = va_arg(parts, const char *));) {
        if (!strstr((*error)->message, part))
            g_error("'%s' is not in: %s", part, (*error)->message);
    }
    va_end(parts);
    g_clear_error(error);
}
