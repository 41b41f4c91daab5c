/* The option --arch of train, import and plan. */
#pragma once

#include "cli.h"

/** AIMF_ARCHITECTURE_ENTRY: the option's row in a command's table; @variable receives the text. */
#define AIMF_ARCHITECTURE_ENTRY(variable)                                                                              \
    {                                                                                                                  \
        "arch", 0, 0, G_OPTION_ARG_STRING, variable, "architecture, or list: those there are (resnet18)", "NAME"       \
    }

/** aimf_cli_list_architectures: TRUE, and all of them printed, with what they take, where @name is "list". */
gboolean aimf_cli_list_architectures(AimfCli *cli, const char *name);
