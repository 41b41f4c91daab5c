/* Parts of JSON by themselves, for who writes too much of it to hold it as a tree. */
#pragma once

#include <glib.h>

/** aimf_json_append_text: @value in quotes, escaped, as aimf_json_write has texts. */
void aimf_json_append_text(GString *text, const char *value);
