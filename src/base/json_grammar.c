#include "base/json_grammar.h"

#include "base/content.h"
#include "base/shown.h"

#include <string.h>

enum { MAX_DEPTH = 64, BINARY_BYTES = 512, SHOWN_BYTES = 24, INT64_DIGITS = 18 /* that always fit */ };

static gboolean not_json(GError **error, const char *text, gsize at, const char *why)
{
    guint line = 1;
    for (gsize i = 0; i < at; i++)
        line += text[i] == '\n';
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: line %u has %s", line, why);
    return FALSE;
}

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What no JSON begins with is another kind of file, whatever stands further down in it. */
static gboolean check_beginning(const char *text, gsize length, GError **error)
{
    gsize start = 0;
    const AimfContent *content = aimf_content_recognise(text, length);
    while (start < length && is_blank(text[start]))
        start++;
    if (start == length) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it is empty");
        return FALSE;
    }
    if (!content)
        content = aimf_content_of_others(text, length);
    if (content && text[start] != '{' && text[start] != '[') {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it is %s; %s", content->name, content->mend);
        return FALSE;
    }
    for (gsize i = start; i < MIN(length, start + BINARY_BYTES); i++) {
        if ((guchar)text[i] >= ' ' || strchr("\t\r\n\f\b\x1b", text[i] ? text[i] : 'x'))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it is binary");
        return FALSE;
    }
    static const char *const words[] = { "true", "false", "null" };
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (length - start >= strlen(words[i]) && memcmp(text + start, words[i], strlen(words[i])) == 0)
            return TRUE;
    if (strchr("{[\"-/'0123456789", text[start]))
        return TRUE;
    gsize n = 0;
    while (n < MIN(length - start, SHOWN_BYTES) && text[start + n] != '\r' && text[start + n] != '\n')
        n++;
    g_autofree char *first = g_strndup(text + start, n);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it %s\"%s\"",
                text[start] == '<' ? "is HTML or XML and begins with " : "begins with ", AIMF_SHOWN(first));
    return FALSE;
}

/* --- Tokens: each gives the bytes of the one at @text, 0 for none. --- */

/* Any bytes but a quote: they are known to be UTF-8. */
static gsize text_token(const char *text, gsize length)
{
    if (!length || *text != '"')
        return 0;
    for (gsize i = 1; i < length; i++) {
        if (text[i] == '"')
            return i + 1;
        if (text[i] != '\\')
            continue;
        if (++i == length || !strchr("\"\\/bfnrtu", text[i]))
            return 0;
        for (gsize k = 1; text[i] == 'u' && k <= 4; k++)
            if (i + k >= length || !g_ascii_isxdigit(text[i + k]))
                return 0;
    }
    return 0;
}

static gsize digits(const char *text, gsize length)
{
    gsize n = 0;
    while (n < length && g_ascii_isdigit(text[n]))
        n++;
    return n;
}

static gsize number_token(const char *text, gsize length)
{
    gsize at = length && *text == '-', n = digits(text + at, length - at);
    if (!n || (text[at] == '0' && n > 1))
        return 0;
    at += n;
    if (at < length && text[at] == '.') {
        n = digits(text + at + 1, length - at - 1);
        if (!n)
            return 0;
        at += 1 + n;
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at += at + 1 < length && (text[at + 1] == '+' || text[at + 1] == '-') ? 2 : 1;
        n = digits(text + at, length - at);
        return n ? at + n : 0;
    }
    return at;
}

static gsize word_token(const char *text, gsize length)
{
    static const char *const words[] = { "true", "false", "null" };
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize n = strlen(words[i]);
        if (length >= n && memcmp(text, words[i], n) == 0)
            return length > n && (g_ascii_isalnum(text[n]) || text[n] == '_') ? 0 : n;
    }
    return 0;
}

static const char *why_not(const char *text, gsize length)
{
    if (*text == '/')
        return length > 1 && (text[1] == '/' || text[1] == '*') ? "a comment, and JSON has no comments"
                                                                : "a '/' outside of a text";
    if (*text == '\'')
        return "a single quote, and JSON has no single quotes";
    if (*text == '"')
        return "a text without an end, or with an escape that is none";
    return g_ascii_isdigit(*text) || *text == '-' ? "a number that JSON does not have" : "something out of place";
}

/* --- The whole --- */

typedef enum {
    VALUE,
    VALUE_OR_END, /* of an array that has just begun */
    NAME,
    NAME_OR_END,
    COLON,
    COMMA_OR_END,
    NOTHING, /* behind the one value */
} Expected;

/* The brackets that are open, and what may come next. */
typedef struct {
    Expected expected;
    guint depth;
    char open[MAX_DEPTH];
} State;

static void value_over(State *state)
{
    state->expected = state->depth ? COMMA_OR_END : NOTHING;
}

/* Takes the token at @text. Returns: its bytes, 0 if it may not stand there. */
static gsize take(State *state, const char *text, gsize length)
{
    gboolean in_object = state->depth && state->open[state->depth - 1] == '{';
    char end = in_object ? '}' : ']';
    if (*text == end && state->depth &&
        (state->expected == VALUE_OR_END || state->expected == NAME_OR_END || state->expected == COMMA_OR_END)) {
        state->depth--;
        value_over(state);
        return 1;
    }
    gsize n;
    switch (state->expected) {
    case NAME:
    case NAME_OR_END:
        state->expected = COLON;
        return text_token(text, length);
    case COLON:
        state->expected = VALUE;
        return *text == ':';
    case COMMA_OR_END:
        state->expected = in_object ? NAME : VALUE;
        return *text == ',';
    case NOTHING:
        return 0;
    case VALUE:
    case VALUE_OR_END:
        break;
    }
    if (*text == '{' || *text == '[') {
        if (state->depth < MAX_DEPTH)
            state->open[state->depth] = *text;
        state->depth++;
        state->expected = *text == '{' ? NAME_OR_END : VALUE_OR_END;
        return 1;
    }
    n = *text == '"' ? text_token(text, length) : number_token(text, length);
    value_over(state);
    return n ? n : word_token(text, length);
}

static gboolean check(const char *text, gsize length, GError **error)
{
    State state = { .expected = VALUE };
    const char *invalid;
    if (!g_utf8_validate_len(text, length, &invalid))
        return not_json(error, text, (gsize)(invalid - text), "bytes that are no UTF-8");
    for (gsize at = 0;;) {
        while (at < length && is_blank(text[at]))
            at++;
        if (at == length && state.expected == NOTHING)
            return TRUE;
        if (at == length)
            return not_json(error, text, at, "the end of the file where more was expected (is it cut off?)");
        gboolean over = state.expected == NOTHING && text[at] != '/';
        gsize n = take(&state, text + at, length - at);
        if (state.depth > MAX_DEPTH) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "JSON nested deeper than %d levels", MAX_DEPTH);
            return FALSE;
        }
        if (!n)
            return not_json(error, text, at, over ? "more behind its end" : why_not(text + at, length - at));
        at += n;
    }
}

/* The 16 bits of the escape \uXXXX at the beginning of @text, which ends at @end; -1 if there is none. */
static int unit_at(const char *text, const char *end)
{
    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    int unit = 0;
    for (int i = 2; i < 6; i++)
        unit = unit << 4 | g_ascii_xdigit_value(text[i]);
    return unit;
}

/* In place, what json-glib would make no UTF-8, or the end of a text. */
static void mend_escapes(char *text, const char *end)
{
    for (char *at = text; (at = memchr(at, '\\', (gsize)(end - at)));) {
        int unit = unit_at(at, end);
        if (unit < 0) {
            at += 2; /* the other escapes */
            continue;
        }
        int next = unit_at(at + 6, end);
        if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000)
            at += 6;
        else if (unit == 0 || (unit >= 0xD800 && unit < 0xE000))
            memcpy(at, "\\ufffd", 6);
        at += 6;
    }
}

/* Whether the whole number of @length bytes at @text fits 64 bits. */
static gboolean fits(const char *text, gsize length)
{
    g_autofree char *number = length > INT64_DIGITS + 2 ? NULL : g_strndup(text, length);
    return length <= INT64_DIGITS ||
           (number && g_ascii_string_to_signed(number, 10, G_MININT64, G_MAXINT64, NULL, NULL));
}

/*
 * In place, 12345678901234567890 as 1.234567890123456e19: of the same length, and nearly as exact as a real number is.
 */
static void mend_numbers(char *text, const char *end)
{
    for (char *at = text; at < end;) {
        if (*at == '"') {
            at += text_token(at, (gsize)(end - at));
            continue;
        }
        gsize n = number_token(at, (gsize)(end - at)), sign = *at == '-';
        if (n && digits(at + sign, n - sign) == n - sign && !fits(at, n)) {
            g_autofree char *exponent = g_strdup_printf("e%zu", n - sign - 1);
            memmove(at + sign + 2, at + sign + 1, n - sign - 2);
            at[sign + 1] = '.';
            memcpy(at + n - strlen(exponent), exponent, strlen(exponent));
        }
        at += MAX(n, 1);
    }
}

char *aimf_json_prepare(const char *text, gsize length, GError **error)
{
    if (!check_beginning(text, length, error) || !check(text, length, error))
        return NULL;
    char *copy = g_try_malloc(length + 1);
    if (!copy) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for JSON of %" G_GSIZE_FORMAT " bytes", length);
        return NULL;
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    mend_escapes(copy, copy + length);
    mend_numbers(copy, copy + length);
    return copy;
}
