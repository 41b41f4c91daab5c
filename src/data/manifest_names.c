/* What classes and labels are called, from the columns that readers of datasets write beside the numbers. */
#include <aimfair/data.h>

#include <string.h>

static int target_of(const AimfManifest *manifest, guint row)
{
    return aimf_manifest_at(manifest, row).target;
}

static int group_of(const AimfManifest *manifest, guint row)
{
    return aimf_manifest_at(manifest, row).group;
}

/*
 * (owned) (n, then NULL) the texts of @column, by what @index_of says of a row; NULL where one thing has several names
 * or none.
 */
static char **names_of(const AimfManifest *manifest, const char *column, guint n,
                       int (*index_of)(const AimfManifest *, guint))
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_set_size(names, (gint)n + 1);
    gboolean good = n > 0 && aimf_manifest_count(manifest) > 0;
    for (guint row = 0; good && row < aimf_manifest_count(manifest); row++) {
        const char *name = aimf_manifest_get(manifest, row, column);
        char **known = (char **)&names->pdata[index_of(manifest, row)];
        good = name && *name && (!*known || strcmp(*known, name) == 0);
        if (good && !*known)
            *known = g_strdup(name);
    }
    return good ? (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE) : NULL;
}

char **aimf_manifest_class_names(const AimfManifest *manifest)
{
    guint n = (guint)aimf_manifest_classes(manifest);
    char **names = names_of(manifest, "target_name", n, target_of);
    for (guint i = 0; names && i < n; i++)
        if (!names[i])
            names[i] = g_strdup_printf("%u", i);
    return names;
}

char **aimf_manifest_group_names(const AimfManifest *manifest)
{
    guint n;
    const char *const *labels = aimf_manifest_groups(manifest, &n);
    char **names = names_of(manifest, "protected_name", n, group_of);
    for (guint i = 0; names && i < n; i++)
        if (!names[i])
            names[i] = g_strdup(labels[i]);
    return names;
}
