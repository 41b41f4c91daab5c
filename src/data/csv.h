/* CSV as RFC 4180 has it: quoted fields, doubled quotes, line breaks inside quotes, LF or CRLF, an optional UTF-8 BOM. */
#pragma once

#include <aimfair/error.h>

/**
 * AimfCsv:
 * A CSV file being read, the header first. @n_columns fields make a row. @fields: (n_columns) of the current row, valid until the
 * next; @line: where that row begins, from 1.
 */
typedef struct {
    char *path;
    GBytes *bytes;
    const char *next;
    const char *end;
    guint64 line;
    guint64 next_line;
    GString *text;      /* the current row's fields, each ended by a 0 */
    GArray *offsets;    /* of gsize, into text */
    GPtrArray *fields;  /* of const char *, into text */
    GPtrArray *columns; /* of char *: the header */
} AimfCsv;

/** aimf_csv_open: (owned) with the header read; NULL when there is none, it is broken, or a name is empty or there twice. */
AimfCsv *aimf_csv_open(const char *path, GError **error);
void aimf_csv_free(AimfCsv *csv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfCsv, aimf_csv_free)

/** aimf_csv_next: the next row, blank lines passed over. FALSE with @error for a broken row, FALSE without at the end. */
gboolean aimf_csv_next(AimfCsv *csv, GError **error);

/** aimf_csv_column: index of the column @name, -1 if there is none. */
int aimf_csv_column(const AimfCsv *csv, const char *name);

/** aimf_csv_require: index of the column @name, or -1 with NOT_FOUND that lists the columns there are. */
int aimf_csv_require(const AimfCsv *csv, const char *name, GError **error);

const char *aimf_csv_field(const AimfCsv *csv, int column);

/** aimf_csv_fail: sets an error of @code about the field in @column of the current row, as file:line: column 'name': …; FALSE. */
gboolean aimf_csv_fail(const AimfCsv *csv, int column, AimfErrorCode code, GError **error, const char *format, ...)
    G_GNUC_PRINTF(5, 6);

/** aimf_csv_append: @field at the end of @line, quoted where needed. */
void aimf_csv_append(GString *line, const char *field);
