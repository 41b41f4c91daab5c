/*
 * Rules of --rename, and behind them the names of tensors, a line each: the n-th has the value n, and those that begin
 * with "!" are of a kind that is not read. What is renamed keeps its order and its values, under names that can be.
 */
#include "fuzz/support_fuzz.h"
#include "weights/tensors.h"

#include <string.h>

enum { MAX_NAMES = 8 };

static void note(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)level, (void)user_data;
    fuzz_check_text(text);
}

static AimfTensors *tensors_of(const char *names)
{
    AimfTensors *tensors = aimf_tensors_new();
    g_auto(GStrv) lines = g_strsplit(names ? names : "conv1.weight", "\n", MAX_NAMES);
    for (guint i = 0; lines[i]; i++) {
        GError *error = NULL;
        float value = (float)aimf_tensors_count(tensors);
        if (!g_utf8_validate(lines[i], -1, NULL))
            continue;
        if (lines[i][0] == '!')
            aimf_tensors_note_unreadable(tensors, lines[i] + 1, "kind");
        else
            fuzz_check(aimf_tensors_add(tensors, lines[i], AIMF_F32, &AIMF_SHAPE(1), &value, &error) >= 0, &error);
    }
    return tensors;
}

static void check_view(const AimfTensors *view, const AimfTensors *tensors)
{
    g_assert_cmpuint(aimf_tensors_count(view), ==, aimf_tensors_count(tensors));
    for (guint i = 0; i < aimf_tensors_count(view); i++) {
        const char *name = aimf_tensors_at(view, i)->name;
        float value = -1;
        g_assert_true(g_utf8_validate(name, -1, NULL) && *name && strlen(name) <= AIMF_MAX_NAME_BYTES);
        g_assert_cmpint(aimf_tensors_find(view, name), ==, (int)i);
        g_assert_true(aimf_tensors_read(view, i, AIMF_F32, &value, NULL) && value == (float)i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzPart parts[2];
    fuzz_split(data, size, parts, 2);
    const AimfMonitor monitor = { .message = note };
    GError *error = NULL;
    g_autoptr(AimfTensors) tensors = tensors_of(parts[1].text);
    const char *path = fuzz_write("rules.rename", parts[0].text, parts[0].bytes);
    g_autoptr(AimfTensors) view = aimf_tensors_rename(tensors, path, &monitor, &error);
    if (fuzz_check(view != NULL, &error))
        check_view(view, tensors);
    fuzz_parts_clear(parts, 2);
    return 0;
}
