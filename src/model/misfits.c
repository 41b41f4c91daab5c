#include "model/misfits.h"

#include "weights/element.h"

#include <aimfair/error.h>

enum { MAX_LISTED = 8 };

void aimf_misfits_init(AimfMisfits *misfits)
{
    misfits->missing = g_ptr_array_new_with_free_func(g_free);
    misfits->surplus = g_ptr_array_new_with_free_func(g_free);
    misfits->wrong = g_ptr_array_new_with_free_func(g_free);
}

void aimf_misfits_clear(AimfMisfits *misfits)
{
    g_clear_pointer(&misfits->missing, g_ptr_array_unref);
    g_clear_pointer(&misfits->surplus, g_ptr_array_unref);
    g_clear_pointer(&misfits->wrong, g_ptr_array_unref);
}

guint aimf_misfits_count(const AimfMisfits *misfits)
{
    return misfits->missing->len + misfits->surplus->len + misfits->wrong->len;
}

void aimf_misfits_add(GPtrArray *list, const char *name)
{
    g_ptr_array_add(list, g_strdup(name));
}

void aimf_misfits_compare(AimfMisfits *misfits, const char *name, AimfDtype dtype, const AimfShape *shape,
                          const AimfTensor *found)
{
    if (!found) {
        if (dtype != AIMF_I64)
            aimf_misfits_add(misfits->missing, name);
        return;
    }
    gboolean fits = dtype == AIMF_I64 ? found->dtype == AIMF_I64 : aimf_dtype_is_float(found->dtype);
    if (fits && aimf_shape_equal(shape, &found->shape))
        return;
    g_autofree char *expected = aimf_shape_text(shape), *there = aimf_shape_text(&found->shape);
    g_ptr_array_add(misfits->wrong,
                    g_strdup_printf("%s is %s %s in place of %s %s", found->name, aimf_dtype_name(found->dtype), there,
                                    aimf_dtype_name(dtype), expected));
}

void aimf_misfits_append(GString *text, const char *title, const GPtrArray *names)
{
    if (names->len == 0)
        return;
    g_string_append_printf(text, "%s%s (%u): ", text->len ? "; " : "", title, names->len);
    for (guint i = 0; i < MIN(names->len, MAX_LISTED); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)names->pdata[i]);
    if (names->len > MAX_LISTED)
        g_string_append_printf(text, " and %u more", names->len - MAX_LISTED);
}

void aimf_misfits_complain(const AimfMisfits *misfits, const char *prefix, const char *architecture, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "these are not the weights of a %s", architecture);
    if (*prefix)
        g_string_append_printf(text, " (those below '%s' come nearest)", prefix);
    aimf_misfits_append(text, "missing", misfits->missing);
    aimf_misfits_append(text, "surplus", misfits->surplus);
    aimf_misfits_append(text, "of the wrong shape or type", misfits->wrong);
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, text->str);
}
