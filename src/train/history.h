/* What the epochs gave, as a log for people and programs, and as JSON in state files. */
#pragma once

#include <aimfair/train.h>
#include <json-glib/json-glib.h>

/** aimf_history_log: the whole of @history as CSV (if @path ends in .csv) or JSON lines, atomically. Epochs count from 1 there. */
gboolean aimf_history_log(const GArray *history, const char *path, GError **error);

/** aimf_history_parse: what aimf_history_json makes; appends to @history; FALSE with FORMAT. */
gboolean aimf_history_parse(const char *text, GArray *history, GError **error);
