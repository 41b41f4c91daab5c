/* What may be asked of a picture's way into a network, and how it is said. */
#include "base/shown.h"

#include <aimfair/image.h>
#include <aimfair/names.h>

#include <math.h>
#include <stddef.h>
#include <string.h>

#define NO_PIXELS "none"

/* @MAX_SQUARE: the side of the largest square that a picture may have (image.c). */
enum { MAX_INPUT_SIDE = 16384, MAX_SQUARE = 13377, MAX_CHOICES = 4 };

/*
 * Members are ints, enumerations or booleans: choice number @i stands for the value i. Without choices it is a number
 * of pixels, or 0, which is called "none".
 */
typedef struct {
    const char *name;
    gsize offset;
    const char *choices[MAX_CHOICES + 1];
} Member;

static const Member members[] = {
    { "crop_first", offsetof(AimfPreprocess, crop_first), { NULL } },
    { "resize", offsetof(AimfPreprocess, resize), { NULL } },
    { "interpolation", offsetof(AimfPreprocess, filter), { "bilinear", "bicubic" } },
    { "resizer", offsetof(AimfPreprocess, resizing), { "pillow", "tensor", "tensor-v2", "float" } },
    { "antialias", offsetof(AimfPreprocess, aliased), { "yes", "no" } },
    { "channel_order", offsetof(AimfPreprocess, bgr), { "rgb", "bgr" } },
    { "value_range", offsetof(AimfPreprocess, full_range), { "1", "255" } },
};
G_STATIC_ASSERT(sizeof(AimfFilter) == sizeof(int) && sizeof(AimfResizing) == sizeof(int));

const char *const *aimf_preprocess_names(void)
{
    static const char *names[G_N_ELEMENTS(members) + 1];
    static gsize once;
    if (g_once_init_enter(&once)) {
        for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
            names[i] = members[i].name;
        g_once_init_leave(&once, 1);
    }
    return names;
}

static const Member *find_member(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        if (g_str_equal(members[i].name, name))
            return &members[i];
    g_assert_not_reached();
}

static int get(const AimfPreprocess *p, const Member *member)
{
    int value;
    memcpy(&value, (const char *)p + member->offset, sizeof value);
    return value;
}

static const char *choice(const AimfPreprocess *p, const char *name)
{
    const Member *member = find_member(name);
    return member->choices[CLAMP(get(p, member), 0, MAX_CHOICES)];
}

gboolean aimf_preprocess_set(AimfPreprocess *p, const char *name, const char *value, GError **error)
{
    const Member *member = find_member(name);
    gboolean number = member->choices[0] == NULL;
    gint64 found = number ? -1 : MAX_CHOICES;
    if (number && g_str_equal(value, NO_PIXELS))
        found = 0;
    else if (number)
        g_ascii_string_to_signed(value, 10, 1, MAX_INPUT_SIDE, &found, NULL);
    for (int i = 0; i < MAX_CHOICES && member->choices[i]; i++)
        if (g_str_equal(member->choices[i], value))
            found = i;
    if (found >= 0 && (number || found < MAX_CHOICES)) {
        int chosen = (int)found;
        memcpy((char *)p + member->offset, &chosen, sizeof chosen);
        return TRUE;
    }
    g_autofree char *list = g_strjoinv(", ", (char **)member->choices);
    g_autofree char *hint = aimf_name_hint(value, member->choices);
    if (number)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' is not a number of pixels from 1 to %d, nor " NO_PIXELS, AIMF_SHOWN(value), MAX_INPUT_SIDE);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is none of %s%s", AIMF_SHOWN(value), list, hint);
    return FALSE;
}

char *aimf_preprocess_get(const AimfPreprocess *p, const char *name)
{
    const Member *member = find_member(name);
    int value = get(p, member);
    if (value == 0)
        return NULL;
    return member->choices[0] ? g_strdup(choice(p, name)) : g_strdup_printf("%d", value);
}

static gboolean invalid(GError **error, const char *text)
{
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, text);
    return FALSE;
}

static gboolean check_normalisation(const AimfPreprocess *p, GError **error)
{
    for (int c = 0; c < 3; c++) {
        if (isfinite(p->mean[c]) && isfinite(p->std[c]) && p->std[c] != 0)
            continue;
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "cannot normalise channel %d with mean %g and standard deviation %g: finite numbers are needed, and "
            "a deviation that is not 0",
            c, (double)p->mean[c], (double)p->std[c]);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_side(const char *what, int pixels, int most, GError **error)
{
    if (pixels >= 0 && pixels <= most)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "pictures %s of %d pixels; it may be from 1 to %d, or 0 for none", what, pixels, most);
    return FALSE;
}

void aimf_preprocess_resize_input(AimfPreprocess *p, int width, int height)
{
    double across = (double)width / p->width, down = (double)height / p->height;
    if (p->resize)
        p->resize = (int)CLAMP(rint(p->resize * MAX(across, down)), 1, MAX_INPUT_SIDE);
    p->width = width;
    p->height = height;
}

gboolean aimf_preprocess_check(const AimfPreprocess *p, GError **error)
{
    if (p->width < 1 || p->height < 1 || p->width > MAX_INPUT_SIDE || p->height > MAX_INPUT_SIDE) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "an input of %d x %d pixels: sides are from 1 to %d",
                    p->width, p->height, MAX_INPUT_SIDE);
        return FALSE;
    }
    if (!check_side("resized to a shorter side", p->resize, MAX_INPUT_SIDE, error) ||
        !check_side("cut to a square with a side", p->crop_first, MAX_SQUARE, error))
        return FALSE;
    if (p->filter != AIMF_BILINEAR && p->filter != AIMF_BICUBIC)
        return invalid(error, "the interpolation must be bilinear or bicubic");
    if (p->resizing < AIMF_RESIZE_PILLOW || p->resizing > AIMF_RESIZE_FLOAT)
        return invalid(error, "there is no such way of resizing");
    if (p->aliased && p->resizing == AIMF_RESIZE_PILLOW)
        return invalid(error, "Pillow always resizes with antialiasing; resizing without it is for torchvision's "
                              "tensors: tensor, tensor-v2 or float");
    return check_normalisation(p, error);
}

static void append_triple(GString *text, const char *name, const float values[3])
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(text, ", %s ", name);
    for (int c = 0; c < 3; c++) {
        g_ascii_formatd(number, sizeof number, "%.6g", (double)values[c]);
        g_string_append_printf(text, "%s%s", c ? "," : "", number);
    }
}

char *aimf_preprocess_text(const AimfPreprocess *p)
{
    GString *text = g_string_new(NULL);
    if (p->crop_first)
        g_string_append_printf(text, "of the middle %dx%d: ", p->crop_first, p->crop_first);
    if (p->resize)
        g_string_append_printf(text, "shorter side to %d pixels, the middle %dx%d of it", p->resize, p->width,
                               p->height);
    else
        g_string_append_printf(text, "%dx%d pixels", p->width, p->height);
    g_string_append_printf(text, ", %s (%s%s), %s from 0 to %s", choice(p, "interpolation"), choice(p, "resizer"),
                           p->aliased ? ", not antialiased" : "", p->bgr ? "BGR" : "RGB", choice(p, "value_range"));
    append_triple(text, "mean", p->mean);
    append_triple(text, "std", p->std);
    return g_string_free(text, FALSE);
}
