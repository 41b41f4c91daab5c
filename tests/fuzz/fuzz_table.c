/*
 * Tables of datasets: a CSV with a target and two attributes, as `data csv` reads it, or CelebA's list of attributes.
 */
#include "fuzz/support_fuzz.h"

#include <aimfair/data.h>
#include <glib/gstdio.h>

static void note(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)level, (void)user_data;
    fuzz_check_text(text);
}

static void open_csv(const uint8_t *data, size_t size, const AimfMonitor *monitor)
{
    static const char *const MAPS[] = { "f=female,m=male,*=other", "old=1,*=0", NULL };
    const AimfDatasetOptions options = { .file = fuzz_write("table.csv", data, size),
                                         .path_column = "file",
                                         .target = "smile",
                                         .protected_attributes = "sex,age",
                                         .split_column = "part",
                                         .target_map = "yes=1,no=0",
                                         .protected_maps = MAPS,
                                         .labels = { .missing = AIMF_MISSING_DROP } };
    GError *error = NULL;
    g_autoptr(AimfDataset) dataset = aimf_dataset_open("csv", &options, monitor, &error);
    fuzz_check(dataset != NULL, &error);
}

static void open_celeba(const uint8_t *data, size_t size, const AimfMonitor *monitor)
{
    fuzz_write("list_attr_celeba.txt", data, size);
    const AimfDatasetOptions options = { .root = fuzz_folder(), .target = "Smiling", .protected_attributes = "Male" };
    g_mkdir(fuzz_path("img_align_celeba"), 0700);
    GError *error = NULL;
    g_autoptr(AimfDataset) dataset = aimf_dataset_open("celeba", &options, monitor, &error);
    fuzz_check(dataset != NULL, &error);
    g_rmdir(fuzz_path("img_align_celeba"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const AimfMonitor monitor = { .message = note };
    (*data & 1 ? open_csv : open_celeba)(data + 1, size - 1, &monitor);
    return 0;
}
