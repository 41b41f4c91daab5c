#include "base/number.h"

#include <math.h>
#include <string.h>

/*
 * What a decimal of @sure digits always survives (DBL_DIG, FLT_DIG): a normal number that has a text so short has it
 * there already, without its zeros. @most digits tell any two numbers apart.
 */
typedef struct {
    gboolean single;
    double least_normal;
    int sure;
    int most;
} Kind;

static const Kind doubles = { FALSE, G_MINDOUBLE, 15, 17 };
static const Kind singles = { TRUE, (double)G_MINFLOAT, 6, 9 };

static gboolean reads_back(const Kind *kind, const char *text, double value)
{
    double read = g_ascii_strtod(text, NULL);
    return kind->single ? (float)read == (float)value : read == value;
}

static void format_number(char *text, int digits, char letter, double value)
{
    const char format[] = { '%', '.', (char)('0' + digits / 10), (char)('0' + digits % 10), letter, 0 };
    g_ascii_formatd(text, AIMF_NUMBER_SIZE, format, value);
}

/*
 * @text is d.ddde±dd; one more in its last digit, away from 0, and then no zeros at the end. FALSE if all digits are
 * 9.
 */
static gboolean raise_last_digit(char *text)
{
    char *exponent = strchr(text, 'e'), *last = exponent - 1;
    while (last > text && (*last == '9' || *last == '.'))
        last--;
    if (!g_ascii_isdigit(*last) || *last == '9')
        return FALSE;
    (*last)++;
    memmove(last + 1, exponent, strlen(exponent) + 1);
    return TRUE;
}

/*
 * Below a power of two numbers lie twice as close as above it: the nearest decimal of so many digits may fall short
 * of what reads back while the next one above does not (2^-1017). Every other number's neighbours are equally far.
 */
static gboolean raised(const Kind *kind, char *text, int digits, double value)
{
    int exponent;
    char above[AIMF_NUMBER_SIZE];
    if (fabs(frexp(value, &exponent)) != 0.5)
        return FALSE;
    format_number(above, digits - 1, 'e', value);
    if (!raise_last_digit(above) || !reads_back(kind, above, value))
        return FALSE;
    g_strlcpy(text, above, AIMF_NUMBER_SIZE);
    return TRUE;
}

static char *shortest(const Kind *kind, char *text, double value)
{
    int digits = fabs(value) < kind->least_normal ? 1 : kind->sure; /* subnormal numbers are sure of nothing */
    for (format_number(text, digits, 'g', value); digits < kind->most && isfinite(value);
         format_number(text, ++digits, 'g', value))
        if (reads_back(kind, text, value) || raised(kind, text, digits, value))
            break;
    return text;
}

char *aimf_number_text(char *text, double value)
{
    return shortest(&doubles, text, value);
}

char *aimf_number_text_single(char *text, float value)
{
    return shortest(&singles, text, (double)value);
}

double aimf_number_of_single(float value)
{
    char text[AIMF_NUMBER_SIZE];
    return g_ascii_strtod(aimf_number_text_single(text, value), NULL);
}
