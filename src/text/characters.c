#include "text/characters.h"

typedef struct {
    gunichar first, last;
    AimfCharacterClass class;
} ClassRange;

/*
 * Letters and numbers of Unicode 15.1 and 16, because GLib 2.74 knows Unicode 15.0: what a prompt's tokens are shall
 * not depend on the version of GLib. Source: DerivedGeneralCategory.txt of Unicode 16.
 */
static const ClassRange later[] = {
    { 0x1c89, 0x1c8a, AIMF_LETTER },   { 0xa7cb, 0xa7cd, AIMF_LETTER },   { 0xa7da, 0xa7dc, AIMF_LETTER },
    { 0x105c0, 0x105f3, AIMF_LETTER }, { 0x10d40, 0x10d49, AIMF_NUMBER }, { 0x10d4a, 0x10d65, AIMF_LETTER },
    { 0x10d6f, 0x10d85, AIMF_LETTER }, { 0x10ec2, 0x10ec4, AIMF_LETTER }, { 0x11380, 0x11389, AIMF_LETTER },
    { 0x1138b, 0x1138b, AIMF_LETTER }, { 0x1138e, 0x1138e, AIMF_LETTER }, { 0x11390, 0x113b5, AIMF_LETTER },
    { 0x113b7, 0x113b7, AIMF_LETTER }, { 0x113d1, 0x113d1, AIMF_LETTER }, { 0x113d3, 0x113d3, AIMF_LETTER },
    { 0x116d0, 0x116e3, AIMF_NUMBER }, { 0x11bc0, 0x11be0, AIMF_LETTER }, { 0x11bf0, 0x11bf9, AIMF_NUMBER },
    { 0x13460, 0x143fa, AIMF_LETTER }, { 0x16100, 0x1611d, AIMF_LETTER }, { 0x16130, 0x16139, AIMF_NUMBER },
    { 0x16d40, 0x16d6c, AIMF_LETTER }, { 0x16d70, 0x16d79, AIMF_NUMBER }, { 0x18cff, 0x18cff, AIMF_LETTER },
    { 0x1ccf0, 0x1ccf9, AIMF_NUMBER }, { 0x1e5d0, 0x1e5ed, AIMF_LETTER }, { 0x1e5f0, 0x1e5f0, AIMF_LETTER },
    { 0x1e5f1, 0x1e5fa, AIMF_NUMBER }, { 0x2ebf0, 0x2ee5d, AIMF_LETTER },
};

typedef struct {
    gunichar first, last;
    gint32 to_lower;
} CaseRange;

/*
 * Capitals that are no letters, which g_unichar_tolower leaves, and those of Unicode 16 and 17. Source: their
 * UnicodeData.txt.
 */
static const CaseRange lower[] = {
    { 0x1c89, 0x1c89, 1 },      { 0x2160, 0x216f, 16 },
    { 0x24b6, 0x24cf, 26 },     { 0xa7cb, 0xa7cb, 0x264 - 0xa7cb },
    { 0xa7cc, 0xa7cc, 1 },      { 0xa7ce, 0xa7ce, 1 },
    { 0xa7d2, 0xa7d2, 1 },      { 0xa7d4, 0xa7d4, 1 },
    { 0xa7da, 0xa7da, 1 },      { 0xa7dc, 0xa7dc, 0x19b - 0xa7dc },
    { 0x10d50, 0x10d65, 0x20 }, { 0x16ea0, 0x16eb8, 0x1b },
};

static AimfCharacterClass class_of_unassigned(gunichar c)
{
    for (guint i = 0; i < G_N_ELEMENTS(later) && c >= later[i].first; i++)
        if (c <= later[i].last)
            return later[i].class;
    return AIMF_OTHER;
}

AimfCharacterClass aimf_character_class(gunichar c)
{
    if (c < 0x80) {
        if (g_ascii_isalpha((char)c))
            return AIMF_LETTER;
        return g_ascii_isdigit((char)c) ? AIMF_NUMBER : c == ' ' || (c >= '\t' && c <= '\r') ? AIMF_SPACE : AIMF_OTHER;
    }
    switch (g_unichar_type(c)) {
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
        return AIMF_LETTER;
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_OTHER_NUMBER:
        return AIMF_NUMBER;
    case G_UNICODE_SPACE_SEPARATOR:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return AIMF_SPACE;
    case G_UNICODE_UNASSIGNED:
        return class_of_unassigned(c);
    default:
        return c == 0x85 ? AIMF_SPACE : AIMF_OTHER;
    }
}

static gunichar lower_of(gunichar c)
{
    gunichar found = g_unichar_tolower(c);
    for (guint i = 0; found == c && i < G_N_ELEMENTS(lower) && c >= lower[i].first; i++)
        if (c <= lower[i].last)
            return (gunichar)((gint32)c + lower[i].to_lower);
    return found;
}

void aimf_character_append_lower(GString *out, gunichar c)
{
    if (c == 0x130) /* the one character whose lower case is two. Source: Unicode's SpecialCasing.txt */
        g_string_append(out, "i\xcc\x87");
    else
        g_string_append_unichar(out, lower_of(c));
}
