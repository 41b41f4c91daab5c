#include "prompts/context_classes.h"

#include "prompts/task.h"
#include <string.h>

typedef struct {
    const char *dimension;
    const char *value;
    const char *words;
} Class;

/* Classes of a dimension stand together; the first that fits counts. */
static const Class CLASSES[] = {
    { "hair length", "none", "bald, shaved head, shaven head" },
    { "hair length", "medium", "chin length, shoulder length, medium length, bob" },
    { "hair length", "long", "long ~ hair, waist length, flowing ~ hair, long braid" },
    { "hair length", "short", "short ~ hair, cropped, crew cut, buzz cut, pixie cut, short haired" },
    { "hair style", "tied", "tied, ponytail, bun, braid, braided, updo, topknot, pulled back, swept back" },
    { "hair style", "curly", "curly, curl, coily, tightly curled, frizzy, afro" },
    { "hair style", "wavy", "wavy, wave" },
    { "hair style", "straight", "straight ~ hair, sleek, slicked" },
    { "hair style", "loose", "tousled, windswept, messy, layered, loose, parted, side parted, combed, fringe, bangs" },
    { "hair colour", "grey", "grey ~ hair, gray ~ hair, silver ~ hair, white ~ hair" },
    { "hair colour", "blond", "blond, blonde, golden ~ hair, sandy ~ hair" },
    { "hair colour", "red", "red ~ hair, auburn, copper, ginger, redhead" },
    { "hair colour", "brown", "brown ~ hair, chestnut, brunette" },
    { "hair colour", "black", "black ~ hair, dark ~ hair, raven" },
    { "face shape", "oval", "oval" },
    { "face shape", "round", "round ~ face, rounded, full cheeks, chubby" },
    { "face shape", "square", "square ~ face, square jaw, broad face, wide face" },
    { "face shape", "heart", "heart shaped, diamond shaped" },
    { "face shape", "long", "long ~ face, narrow ~ face" },
    { "face shape", "angular", "angular, cheekbones, chiselled, chiseled, pointed chin, defined ~ jaw" },
    { "skin details", "freckles", "freckle, freckled" },
    { "skin details", "mark", "mole, scar, birthmark, beauty mark" },
    { "skin details", "tanned", "tan, tanned, sun kissed" },
    { "skin details", "rosy", "rosy, flushed, blushing" },
    { "skin details", "clear", "clear skin, smooth ~ skin, flawless, even ~ skin, matte, glowing skin" },
    { "eyewear", "sunglasses", "sunglasses, shades" },
    { "eyewear", "glasses", "glasses, spectacles, eyeglasses" },
    { "headwear", "hat", "hat, cap, beanie, beret, bonnet, fedora" },
    { "headwear", "band", "headband, bandana, headscarf, hairband" },
    { "clothing", "jacket or coat", "jacket, coat, blazer, parka, raincoat, vest" },
    { "clothing", "sweater", "sweater, jumper, hoodie, sweatshirt, cardigan, turtleneck, fleece" },
    { "clothing", "shirt", "shirt, t shirt, polo, blouse, jersey, top, tee" },
    { "clothing", "formal", "suit, dress, gown, tie, uniform, tuxedo" },
    { "head pose", "towards one side",
      "three quarter, profile, to the left, to the right, to the side, sideways, over ~ shoulder, away, halfway" },
    { "head pose", "tilted", "tilt*, tilted, chin, resting" },
    { "head pose", "up or down", "upwards, upward, downwards, downward, looking up, looking down, lowered" },
    { "head pose", "frontal", "facing, camera, front facing, straight ahead, forward, head on" },
    { "light", "studio", "studio, softbox, flash, frontal light, ring light" },
    { "light", "window", "window" },
    { "light", "lamp", "lamp, lamplight, indoor, neon, candle, candlelight, tungsten, fluorescent, dim" },
    { "light", "low sun", "evening, morning, golden hour, sunset, sunrise, dusk, dawn, golden light" },
    { "light", "daylight", "daylight, sun, sunlight, sunny, midday, natural light" },
    { "light", "shade", "overcast, shade, cloudy, shadow, dappled, hazy, fog" },
    { "light", "from one side", "lit from, side light, backlight, backlit, light from" },
    { "background", "wall or backdrop", "wall, backdrop, plain background, neutral background, studio background" },
    { "background", "street", "street, city, market, platform, station, staircase, bridge, cityscape, urban" },
    { "background", "nature",
      "park, garden, forest, beach, river, field, mountain, harbour, hedge, tree, lake, sea, meadow, outdoors, snow, "
      "snowy, fence" },
    { "background", "room",
      "office, cafe, kitchen, living room, library, museum, bookshelf, bookshelves, room, restaurant, hallway, home" },
};

/*
 * Under which labels, ours and others', the contexts of a dimension are found; the colour before the hair, as in the
 * text.
 */
static const struct {
    const char *dimension;
    const char *const labels[8];
} LABELS[] = {
    { "hair length", { "hair", "hair length", "hair style", "hairstyle" } },
    { "hair style", { "hair", "hair style", "hairstyle", "hair texture" } },
    { "hair colour", { "hair colour", "hair color", "hair", "hair style", "hairstyle" } },
    { "face shape", { "face shape", "face" } },
    { "skin details", { "skin details", "skin detail", "skin" } },
    { "eyewear", { "accessories", "accessory", "eyewear" } },
    { "headwear", { "accessories", "accessory", "headwear" } },
    { "clothing", { "clothing", "clothes", "outfit" } },
    { "head pose", { "head pose", "pose" } },
    { "light", { "light", "lighting" } },
    { "background", { "background", "setting" } },
};

struct AimfClassifier {
    GPtrArray *patterns; /* of AimfPatterns *, one for each class */
};

/* Index of the first class of dimension @dimension, the number of classes for one too many. */
static guint first_class(guint dimension)
{
    guint i = 0;
    for (guint d = 0; i < G_N_ELEMENTS(CLASSES); i++) {
        if (i && strcmp(CLASSES[i].dimension, CLASSES[i - 1].dimension) != 0)
            d++;
        if (d == dimension)
            break;
    }
    return i;
}

guint aimf_class_dimensions(void)
{
    guint n = 1;
    for (guint i = 1; i < G_N_ELEMENTS(CLASSES); i++)
        n += strcmp(CLASSES[i].dimension, CLASSES[i - 1].dimension) != 0;
    return n;
}

const char *aimf_class_dimension(guint dimension)
{
    return CLASSES[first_class(dimension)].dimension;
}

static char *plain_label(const char *label)
{
    char *lower = g_ascii_strdown(label, -1);
    return g_strdelimit(lower, "_-", ' ');
}

gboolean aimf_class_covers(const char *label)
{
    g_autofree char *plain = plain_label(label);
    for (gsize i = 0; i < G_N_ELEMENTS(LABELS); i++)
        if (g_strv_contains(LABELS[i].labels, plain))
            return TRUE;
    return FALSE;
}

char *aimf_class_text(guint dimension, const AimfPrompt *prompt)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *name = aimf_class_dimension(dimension);
    for (gsize i = 0; i < G_N_ELEMENTS(LABELS); i++)
        for (const char *const *label = LABELS[i].labels; strcmp(LABELS[i].dimension, name) == 0 && *label; label++)
            for (guint c = 0; c < prompt->n_contexts; c++) {
                g_autofree char *plain = plain_label(prompt->dimensions[c]);
                if (strcmp(plain, *label) == 0)
                    g_string_append_printf(text, "%s%s", text->len ? " " : "", prompt->contexts[c]);
            }
    return g_utf8_make_valid(prompt->n_contexts ? text->str : prompt->text, -1);
}

AimfClassifier *aimf_classifier_new(void)
{
    AimfClassifier *classifier = g_new(AimfClassifier, 1);
    classifier->patterns = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (gsize i = 0; i < G_N_ELEMENTS(CLASSES); i++) {
        g_auto(GStrv) words = aimf_word_list(CLASSES[i].words);
        AimfPatterns *patterns = aimf_patterns_new();
        aimf_patterns_add(patterns, words);
        g_ptr_array_add(classifier->patterns, patterns);
    }
    return classifier;
}

void aimf_classifier_free(AimfClassifier *classifier)
{
    if (!classifier)
        return;
    g_ptr_array_unref(classifier->patterns);
    g_free(classifier);
}

const char *aimf_classify(const AimfClassifier *classifier, guint dimension, const AimfWords *words)
{
    guint end = first_class(dimension + 1);
    for (guint i = first_class(dimension); i < end; i++)
        if (aimf_patterns_find(g_ptr_array_index(classifier->patterns, i), words, NULL, NULL))
            return CLASSES[i].value;
    return NULL;
}
