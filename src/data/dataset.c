#include "data/dataset_reader.h"

#include "base/monitor.h"
#include <aimfair/names.h>
#include <string.h>

static const AimfDatasetKind KINDS[] = {
    { "celeba", "CelebA: img_align_celeba/ and list_attr_celeba.txt or .csv, or Img/ and Anno/", TRUE },
    { "utkface", "UTKFace: [age]_[gender]_[race]_[date].jpg", FALSE },
    { "groups", "group folders: target_protected, for instance 0_0, 0_1, 1_0, 1_1", FALSE },
    { "csv", "any CSV with columns for path, target and protected", FALSE },
};

static const AimfDatasetReader READERS[G_N_ELEMENTS(KINDS)] = {
    aimf_read_celeba,
    aimf_read_utkface,
    aimf_read_groups,
    aimf_read_csv,
};

const AimfDatasetKind *aimf_dataset_kinds(guint *n)
{
    *n = G_N_ELEMENTS(KINDS);
    return KINDS;
}

void aimf_dataset_free(AimfDataset *dataset)
{
    if (!dataset)
        return;
    aimf_manifest_free(dataset->samples);
    g_free(dataset->parts);
    g_free(dataset);
}

static AimfDatasetReader find_reader(const char *kind, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
        if (strcmp(KINDS[i].name, kind) == 0)
            return READERS[i];
    const char *names[G_N_ELEMENTS(KINDS) + 1] = { NULL };
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
        names[i] = KINDS[i].name;
    g_autofree char *list = g_strjoinv(", ", (char **)names);
    g_autofree char *hint = aimf_name_hint(kind, names);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "there is no dataset layout '%s'%s; there are: %s", kind, hint,
                list);
    return NULL;
}

AimfDataset *aimf_dataset_open(const char *kind, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                               GError **error)
{
    AimfDatasetReader read = find_reader(kind, error);
    if (!read)
        return NULL;
    g_autoptr(AimfDataset) dataset = g_new0(AimfDataset, 1);
    dataset->samples = aimf_manifest_new();
    if (!read(dataset, options, monitor, error))
        return NULL;
    if (dataset->n_missing)
        aimf_message(monitor, AIMF_LOG_WARNING, "%u labelled pictures are not on disk and are left out",
                     dataset->n_missing);
    return g_steal_pointer(&dataset);
}
