#include "data/attribute.h"

#include "base/shown.h"

#include <aimfair/data.h>
#include <aimfair/names.h>
#include <string.h>

/* A field of a dataset and the values it may have. */
typedef struct {
    const char *kind;
    const char *name;
    int low;
    int high;
    gboolean categorical; /* few values: can be a class or a group label as it is */
} Field;

/* CelebA: list_attr_celeba.txt, in its order; UTKFace: the parts of a file name. */
static const Field FIELDS[] = {
    { "celeba", "5_o_Clock_Shadow", 0, 1, TRUE },
    { "celeba", "Arched_Eyebrows", 0, 1, TRUE },
    { "celeba", "Attractive", 0, 1, TRUE },
    { "celeba", "Bags_Under_Eyes", 0, 1, TRUE },
    { "celeba", "Bald", 0, 1, TRUE },
    { "celeba", "Bangs", 0, 1, TRUE },
    { "celeba", "Big_Lips", 0, 1, TRUE },
    { "celeba", "Big_Nose", 0, 1, TRUE },
    { "celeba", "Black_Hair", 0, 1, TRUE },
    { "celeba", "Blond_Hair", 0, 1, TRUE },
    { "celeba", "Blurry", 0, 1, TRUE },
    { "celeba", "Brown_Hair", 0, 1, TRUE },
    { "celeba", "Bushy_Eyebrows", 0, 1, TRUE },
    { "celeba", "Chubby", 0, 1, TRUE },
    { "celeba", "Double_Chin", 0, 1, TRUE },
    { "celeba", "Eyeglasses", 0, 1, TRUE },
    { "celeba", "Goatee", 0, 1, TRUE },
    { "celeba", "Gray_Hair", 0, 1, TRUE },
    { "celeba", "Heavy_Makeup", 0, 1, TRUE },
    { "celeba", "High_Cheekbones", 0, 1, TRUE },
    { "celeba", "Male", 0, 1, TRUE },
    { "celeba", "Mouth_Slightly_Open", 0, 1, TRUE },
    { "celeba", "Mustache", 0, 1, TRUE },
    { "celeba", "Narrow_Eyes", 0, 1, TRUE },
    { "celeba", "No_Beard", 0, 1, TRUE },
    { "celeba", "Oval_Face", 0, 1, TRUE },
    { "celeba", "Pale_Skin", 0, 1, TRUE },
    { "celeba", "Pointy_Nose", 0, 1, TRUE },
    { "celeba", "Receding_Hairline", 0, 1, TRUE },
    { "celeba", "Rosy_Cheeks", 0, 1, TRUE },
    { "celeba", "Sideburns", 0, 1, TRUE },
    { "celeba", "Smiling", 0, 1, TRUE },
    { "celeba", "Straight_Hair", 0, 1, TRUE },
    { "celeba", "Wavy_Hair", 0, 1, TRUE },
    { "celeba", "Wearing_Earrings", 0, 1, TRUE },
    { "celeba", "Wearing_Hat", 0, 1, TRUE },
    { "celeba", "Wearing_Lipstick", 0, 1, TRUE },
    { "celeba", "Wearing_Necklace", 0, 1, TRUE },
    { "celeba", "Wearing_Necktie", 0, 1, TRUE },
    { "celeba", "Young", 0, 1, TRUE },
    { "utkface", "age", 0, 150, FALSE },
    { "utkface", "gender", 0, 1, TRUE },
    { "utkface", "race", 0, 4, TRUE },
};

static const struct {
    const char *kind;
    const char *alias;
    const char *expression;
} ALIASES[] = {
    { "celeba", "Female", "Male:0" },      { "celeba", "Old", "Young:0" },           { "celeba", "Smile", "Smiling" },
    { "celeba", "GreyHair", "Gray_Hair" }, { "celeba", "BlondeHair", "Blond_Hair" }, { "utkface", "sex", "gender" },
    { "utkface", "Male", "gender:0" },     { "utkface", "Female", "gender:1" },      { "utkface", "White", "race:0" },
    { "utkface", "Black", "race:1" },      { "utkface", "Asian", "race:2" },         { "utkface", "Indian", "race:3" },
    { "utkface", "Other", "race:4" },
};

/* Names agree when they do so without case, '_', '-' and blanks. */
static gboolean same_name(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, "_- ");
        b += strspn(b, "_- ");
        if (g_ascii_tolower(*a) != g_ascii_tolower(*b))
            return FALSE;
        if (!*a)
            return TRUE;
        a++;
        b++;
    }
}

static const Field *find_field(const char *kind, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(FIELDS); i++)
        if (strcmp(FIELDS[i].kind, kind) == 0 && same_name(FIELDS[i].name, name))
            return &FIELDS[i];
    return NULL;
}

static const char *find_alias(const char *kind, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ALIASES); i++)
        if (strcmp(ALIASES[i].kind, kind) == 0 && same_name(ALIASES[i].alias, name))
            return ALIASES[i].expression;
    return NULL;
}

static gboolean unknown_attribute(const char *kind, const char *name, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    const char *names[G_N_ELEMENTS(FIELDS) + G_N_ELEMENTS(ALIASES) + 1] = { NULL };
    gsize n = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
        if (strcmp(FIELDS[i].kind, kind) != 0)
            continue;
        names[n++] = FIELDS[i].name;
        g_string_append_printf(list, "%s%s", list->len ? ", " : "", FIELDS[i].name);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(ALIASES); i++) {
        if (strcmp(ALIASES[i].kind, kind) != 0)
            continue;
        names[n++] = ALIASES[i].alias;
        g_string_append_printf(list, ", %s (%s)", ALIASES[i].alias, ALIASES[i].expression);
    }
    g_autofree char *hint = aimf_name_hint(name, names);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "%s has no attribute '%s'%s; it has: %s", kind,
                AIMF_SHOWN(name), hint, list->len ? list->str : "none");
    return FALSE;
}

/* The operator in @text, which begins at *@at; the name ends before it and the number begins *@length bytes on. */
static AimfAttributeRule find_rule(const char *text, gsize *at, gsize *length)
{
    static const struct {
        const char *sign;
        AimfAttributeRule rule;
    } RULES[] = { { ">=", AIMF_ATTRIBUTE_AT_LEAST }, { "<", AIMF_ATTRIBUTE_BELOW }, { ":", AIMF_ATTRIBUTE_EQUALS } };
    for (gsize i = 0; i < G_N_ELEMENTS(RULES); i++) {
        const char *sign = strstr(text, RULES[i].sign);
        if (sign) {
            *at = (gsize)(sign - text);
            *length = strlen(RULES[i].sign);
            return RULES[i].rule;
        }
    }
    *at = strlen(text);
    *length = 0;
    return AIMF_ATTRIBUTE_VALUE;
}

gboolean aimf_attribute_parse(const char *kind, const char *text, AimfAttribute *attribute, GError **error)
{
    const char *expression = find_alias(kind, text);
    if (!expression)
        expression = text;
    gsize at, length;
    AimfAttributeRule rule = find_rule(expression, &at, &length);
    g_autofree char *name = g_strstrip(g_strndup(expression, at));
    const char *alias = find_alias(kind, name); /* sex:1, greyhair:0 */
    const Field *field = find_field(kind, alias ? alias : name);
    if (!field)
        return unknown_attribute(kind, name, error);
    *attribute = (AimfAttribute){ .field = field->name, .rule = rule };
    if (rule == AIMF_ATTRIBUTE_VALUE) {
        if (!field->categorical)
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "'%s' has too many values for a class or a group; make two of them, as in '%s>=40'", text,
                        field->name);
        return field->categorical;
    }
    gint64 operand;
    g_autofree char *number = g_strstrip(g_strdup(expression + at + length));
    if (!g_ascii_string_to_signed(number, 10, field->low, field->high, &operand, NULL)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s': expected a whole number from %d to %d, found '%s'",
                    text, field->low, field->high, number);
        return FALSE;
    }
    attribute->operand = (int)operand;
    return TRUE;
}

GArray *aimf_attributes_parse(const char *kind, const char *list, GError **error)
{
    g_autoptr(GArray) attributes = g_array_new(FALSE, FALSE, sizeof(AimfAttribute));
    g_auto(GStrv) texts = g_strsplit(list, ",", -1);
    for (char **text = texts; *text; text++) {
        AimfAttribute attribute;
        if (!aimf_attribute_parse(kind, g_strstrip(*text), &attribute, error))
            return NULL;
        g_array_append_val(attributes, attribute);
    }
    if (attributes->len == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "no protected attribute is named");
        return NULL;
    }
    return g_steal_pointer(&attributes);
}

int aimf_attribute_evaluate(const AimfAttribute *attribute, int value)
{
    switch (attribute->rule) {
    case AIMF_ATTRIBUTE_EQUALS:
        return value == attribute->operand;
    case AIMF_ATTRIBUTE_AT_LEAST:
        return value >= attribute->operand;
    case AIMF_ATTRIBUTE_BELOW:
        return value < attribute->operand;
    case AIMF_ATTRIBUTE_VALUE:
        break;
    }
    return value;
}

/* (owned) the attribute without aliases */
static char *expression_of(const AimfAttribute *attribute)
{
    static const char *const SIGNS[] = {
        [AIMF_ATTRIBUTE_EQUALS] = ":",
        [AIMF_ATTRIBUTE_AT_LEAST] = ">=",
        [AIMF_ATTRIBUTE_BELOW] = "<",
    };
    if (attribute->rule == AIMF_ATTRIBUTE_VALUE)
        return g_strdup(attribute->field);
    return g_strdup_printf("%s%s%d", attribute->field, SIGNS[attribute->rule], attribute->operand);
}

/* Whether two attributes differ for just the same values, whatever their numbers. */
static gboolean divide_alike(const AimfAttribute *a, const AimfAttribute *b)
{
    const Field *field = FIELDS;
    if (a->field != b->field)
        return FALSE;
    while (field->name != a->field)
        field++;
    for (int x = field->low; x <= field->high; x++)
        for (int y = x + 1; y <= field->high; y++)
            if ((aimf_attribute_evaluate(a, x) == aimf_attribute_evaluate(a, y)) !=
                (aimf_attribute_evaluate(b, x) == aimf_attribute_evaluate(b, y)))
                return FALSE;
    return TRUE;
}

gboolean aimf_attributes_check(const AimfAttribute *target, const GArray *attributes, GError **error)
{
    for (guint i = 0; i < attributes->len; i++) {
        const AimfAttribute *attribute = &g_array_index(attributes, AimfAttribute, i), *same = NULL;
        for (guint k = 0; k < i && !same; k++)
            if (divide_alike(attribute, &g_array_index(attributes, AimfAttribute, k)))
                same = &g_array_index(attributes, AimfAttribute, k);
        gboolean is_target = divide_alike(attribute, target);
        if (!same && !is_target)
            continue;
        g_autofree char *text = expression_of(attribute), *other = expression_of(is_target ? target : same);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    is_target
                        ? "the protected attribute '%s' and the target '%s' say the same of every picture: each "
                          "class would be one group"
                        : "the protected attributes '%s' and '%s' say the same of every picture; name one of them",
                    text, other);
        return FALSE;
    }
    return TRUE;
}

/* What the values of fields are called where it is not the field's own name or "not" that, in their order. */
static const struct {
    const char *field;
    const char *const names[5];
} VALUE_NAMES[] = {
    { "gender", { "male", "female" } },
    { "race", { "White", "Black", "Asian", "Indian", "Other" } },
    { "Male", { "female", "male" } },
    { "Young", { "old", "young" } },
};

/* (owned) */
static char *value_name(const char *field, int value, gboolean other)
{
    for (gsize i = 0; i < G_N_ELEMENTS(VALUE_NAMES); i++) {
        if (strcmp(VALUE_NAMES[i].field, field) != 0)
            continue;
        if (!other)
            return g_strdup(VALUE_NAMES[i].names[value]);
        return VALUE_NAMES[i].names[2] ? g_strdup_printf("not %s", VALUE_NAMES[i].names[value])
                                       : g_strdup(VALUE_NAMES[i].names[1 - value]);
    }
    gboolean yes = (value == 1) != other;
    return yes ? g_strdup(field) : g_strdup_printf("not %s", field);
}

char *aimf_attribute_name_of(const AimfAttribute *attribute, int number)
{
    if (attribute->rule == AIMF_ATTRIBUTE_VALUE)
        return value_name(attribute->field, number, FALSE);
    if (attribute->rule == AIMF_ATTRIBUTE_EQUALS && strcmp(attribute->field, "age") != 0)
        return value_name(attribute->field, attribute->operand, !number);
    static const char *const signs[][2] = {
        [AIMF_ATTRIBUTE_EQUALS] = { "not ", ":" },
        [AIMF_ATTRIBUTE_AT_LEAST] = { "<", ">=" },
        [AIMF_ATTRIBUTE_BELOW] = { ">=", "<" },
    };
    const char *sign = signs[attribute->rule][number != 0];
    if (attribute->rule == AIMF_ATTRIBUTE_EQUALS)
        return g_strdup_printf("%s%s:%d", number ? "" : sign, attribute->field, attribute->operand);
    return g_strdup_printf("%s%s%d", attribute->field, sign, attribute->operand);
}

char *aimf_attribute_canonical(const char *kind, const char *text, GError **error)
{
    AimfAttribute attribute;
    if (!aimf_attribute_parse(kind, text, &attribute, error))
        return NULL;
    return expression_of(&attribute);
}
