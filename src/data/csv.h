/*
 * CSV as RFC 4180 has it (quoted fields, doubled quotes, line breaks inside quotes, LF or CRLF) and as spreadsheets
 * write: semicolons, tabs or bars between the fields, a first line "sep=;", a byte order mark, UTF-16, CR alone,
 * empty columns and rows at the end.
 */
#pragma once

#include <aimfair/error.h>
#include <aimfair/monitor.h>

/**
 * AimfCsv:
 * A CSV file being read, the header first. @n_columns fields make a row. @fields: (n_columns) of the current row,
 * valid until the next; @line: where that row begins, from 1. @separator: the first of , ; tab | in the header
 * outside quotes, or what a line "sep=;" before it says. Where it is no comma, a bare field that is a number with
 * one, 0,75, is read as 0.75; with a tab or a bar not where it may mean thousands, 1,234.
 */
typedef struct {
    char *path;
    char separator;
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

/**
 * aimf_csv_open: (owned) with the header read; columns without a name at its end are left out. NULL when there is no
 * header, it is broken, or a name is there twice, and for a file that is something else, which the message names.
 */
AimfCsv *aimf_csv_open(const char *path, GError **error);
void aimf_csv_free(AimfCsv *csv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfCsv, aimf_csv_free)

/** aimf_csv_tell: says how the table @csv (nullable) is read if its separator is no comma. */
void aimf_csv_tell(const AimfCsv *csv, const AimfMonitor *monitor);

/**
 * aimf_csv_next: the next row; lines of nothing but blanks and separators are passed over, and empty fields beyond
 * the last column dropped. FALSE with @error for a broken row, FALSE without at the end.
 */
gboolean aimf_csv_next(AimfCsv *csv, GError **error);

/** aimf_csv_column: index of the column @name, -1 if there is none. */
int aimf_csv_column(const AimfCsv *csv, const char *name);

/** aimf_csv_require: index of the column @name, or -1 with NOT_FOUND that lists the columns there are. */
int aimf_csv_require(const AimfCsv *csv, const char *name, GError **error);

const char *aimf_csv_field(const AimfCsv *csv, int column);

/**
 * aimf_csv_fail: sets an error of @code about the field in @column of the current row, as file:line: column 'name':
 * …; FALSE.
 */
gboolean aimf_csv_fail(const AimfCsv *csv, int column, AimfErrorCode code, GError **error, const char *format, ...)
    G_GNUC_PRINTF(5, 6);

/** aimf_csv_append: @field at the end of @line, quoted where needed. */
void aimf_csv_append(GString *line, const char *field);
