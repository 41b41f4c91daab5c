/* Foreign text and numbers inside YAML and Markdown, where they can be nothing but text. */
#pragma once

#include <glib.h>

/**
 * aimf_yaml_append: @text, of any bytes and bounded as aimf_message_text does it, as one double-quoted scalar on one
 * line, in YAML 1.1 and 1.2.
 */
void aimf_yaml_append(GString *yaml, const char *text);
/**
 * aimf_yaml_append_number: a finite number that YAML 1.1 and 1.2 read as one: 1.0e-05, which without the point is
 * text.
 */
void aimf_yaml_append_number(GString *yaml, double value);

/**
 * aimf_markdown_append: @text, of any bytes and shortened as AIMF_SHOWN does it, on one line, so that nothing in it is
 * markup, HTML, a link or the end of a table's cell.
 */
void aimf_markdown_append(GString *markdown, const char *text);
