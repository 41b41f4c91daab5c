/*
 * A pickle as it stands in a checkpoint's archive, without the archive's checksums around it, and its dict of tensors.
 */
#include "fuzz/support_fuzz.h"
#include "weights/pickle.h"
#include "weights/state_dict.h"

/* Is a tensor, one that is not read, or a text: just one of them. */
static void check_entry(const AimfStateEntry *entry)
{
    g_assert_true(g_utf8_validate(entry->name, -1, NULL));
    g_assert_cmpint((entry->text != NULL) + (entry->view != NULL) + (entry->unreadable != NULL), ==, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(AimfPickle) pickle = aimf_pickle_new();
    gsize used = 0;
    const AimfPickleValue *root = aimf_pickle_load(pickle, data, size, &used, &error);
    if (!fuzz_check(root != NULL, &error))
        return 0;
    g_assert_cmpuint(used, <=, size);
    const char *wrapper;
    g_autoptr(GArray) entries = aimf_state_dict(pickle, root, &wrapper, &error);
    if (fuzz_check(entries != NULL, &error))
        for (guint i = 0; i < entries->len; i++)
            check_entry(&g_array_index(entries, AimfStateEntry, i));
    return 0;
}
