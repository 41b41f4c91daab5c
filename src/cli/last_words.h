/* What the program says when it cannot go on and no error can be returned: in a signal handler, without memory. */
#pragma once

#include "cli.h"

/**
 * aimf_last_words_prepare:
 * Has the ends that no call reports told in words, once per process: no memory is left where GLib or oneDNN cannot do
 * without (status 1), a mapped file that was cut short (status 1), a fault of the program itself (its signal, so that
 * there is a core). @cli: borrowed for the rest of the process, for the command's name.
 */
void aimf_last_words_prepare(const AimfCli *cli);
