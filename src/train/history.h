/* What the epochs gave, as a log for people and programs, and as JSON in state files. */
#pragma once

#include <aimfair/train.h>
#include <json-glib/json-glib.h>

/**
 * aimf_history_log: all epochs of @result as CSV (if @path ends in .csv) or JSON lines, atomically, as
 * aimf_train_result_json.
 */
gboolean aimf_history_log(const AimfTrainResult *result, const char *path, GError **error);

/** aimf_history_json: (owned) the epochs without the start. */
char *aimf_history_json(const AimfTrainResult *result);
/**
 * aimf_history_parse: what aimf_history_json makes, or its like in older programs; appends to the epochs of @result,
 * whose groups must be those that are expected; FALSE with FORMAT.
 */
gboolean aimf_history_parse(const char *text, AimfTrainResult *result, GError **error);

/** aimf_start_json: (owned) the measured start and the right answers per group, now and then. */
char *aimf_start_json(const AimfTrainResult *result);
/**
 * aimf_start_parse: what aimf_start_json makes, into @result, whose groups must be the ones that are expected;
 * FALSE with FORMAT.
 */
gboolean aimf_start_parse(const char *text, AimfTrainResult *result, GError **error);
