#include "data/celeba_folder.h"

#include "base/file.h"
#include <string.h>

enum { MAX_DEPTH = 4, MAX_DIGITS = 9 };

/* Kaggle's archive has two folders within one another, and in some downloads a folder named as the file in it. */
static const char *const FOLDERS[] = {
    "img_align_celeba", "img_align_celeba_png", "img_align_celeba_png.7z", "img", "anno", "eval", "celeba",
    "celeba-dataset",   "list_attr_celeba.csv", "list_eval_partition.csv", NULL
};

guint aimf_celeba_number(const char *name, gboolean picture)
{
    gsize digits = strspn(name, "0123456789");
    if (digits == 0 || digits > MAX_DIGITS)
        return 0;
    const char *rest = name + digits;
    if (picture ? (*rest != '.' || strchr(rest + 1, '.') || !aimf_is_image_name(name)) : (*rest && *rest != '.'))
        return 0;
    return (guint)g_ascii_strtoull(name, NULL, 10);
}

static void take_list(char **list, const char *folder, const char *name, gboolean text)
{
    if (*list && (!text || g_str_has_suffix(*list, ".txt"))) /* found further up, or better */
        return;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    AimfPathKind kind = aimf_path_kind(path, NULL);
    if (kind != AIMF_PATH_FILE && kind != AIMF_PATH_UNKNOWN) /* opening it will tell why it cannot be examined */
        return;
    g_free(*list);
    *list = g_steal_pointer(&path);
}

static void take_file(CelebaFolder *f, const char *folder, const char *name)
{
    guint number = aimf_celeba_number(name, TRUE);
    if (number && !g_hash_table_contains(f->pictures, GUINT_TO_POINTER(number)))
        g_hash_table_insert(f->pictures, GUINT_TO_POINTER(number), g_build_filename(folder, name, NULL));
    if (number)
        return;
    aimf_other_formats_note(&f->others, name);
    g_autofree char *lower = g_ascii_strdown(name, -1);
    gboolean text = g_str_has_suffix(lower, ".txt");
    if (strcmp(lower, "list_attr_celeba.txt") == 0 || strcmp(lower, "list_attr_celeba.csv") == 0)
        take_list(&f->attributes, folder, name, text);
    else if (strcmp(lower, "list_eval_partition.txt") == 0 || strcmp(lower, "list_eval_partition.csv") == 0)
        take_list(&f->partition, folder, name, text);
    else if (g_str_has_prefix(lower, "img_align_celeba") && (strstr(lower, ".zip") || strstr(lower, ".7z")) &&
             !f->archive)
        f->archive = g_build_filename(folder, name, NULL);
    else if (strcmp(lower, "img_celeba") == 0 && !f->wild)
        f->wild = g_build_filename(folder, name, NULL);
}

/* Files before folders, so that what lies further up is found first. */
static gboolean look_into(CelebaFolder *f, const char *folder, int depth, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++)
        take_file(f, folder, g_ptr_array_index(names, i));
    for (guint i = 0; i < names->len && depth < MAX_DEPTH; i++) {
        const char *name = g_ptr_array_index(names, i);
        if (!aimf_is_one_of(name, FOLDERS))
            continue;
        g_autofree char *inner = g_build_filename(folder, name, NULL);
        AimfPathKind kind = aimf_path_kind(inner, error);
        if (kind == AIMF_PATH_UNKNOWN || (kind == AIMF_PATH_FOLDER && !look_into(f, inner, depth + 1, error)))
            return FALSE;
    }
    return TRUE;
}

gboolean aimf_celeba_find(CelebaFolder *folder, const char *root, GError **error)
{
    folder->pictures = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return look_into(folder, root, 0, error);
}

void aimf_celeba_folder_clear(CelebaFolder *folder)
{
    g_clear_pointer(&folder->pictures, g_hash_table_unref);
    g_clear_pointer(&folder->attributes, g_free);
    g_clear_pointer(&folder->partition, g_free);
    g_clear_pointer(&folder->archive, g_free);
    g_clear_pointer(&folder->wild, g_free);
    aimf_other_formats_clear(&folder->others);
}
