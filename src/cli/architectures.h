/* Options about architectures and their weights: --arch of train, import and plan, --rename of train and import. */
#pragma once

#include "cli.h"

/** AIMF_ARCHITECTURE_ENTRY: the option's row in a command's table; @variable receives the text. */
#define AIMF_ARCHITECTURE_ENTRY(variable)                                                                              \
    {                                                                                                                  \
        "arch", 0, 0, G_OPTION_ARG_STRING, variable, "architecture, or list: those there are (resnet18)", "NAME"       \
    }

/** AIMF_RENAME_ENTRY: the option's row in a command's table; @variable receives the name of a file of rules. */
#define AIMF_RENAME_ENTRY(variable)                                                                                    \
    {                                                                                                                  \
        "rename", 0, 0, G_OPTION_ARG_FILENAME, variable,                                                               \
            "rules for the names of the weights' tensors, a line each: PATTERN -> REPLACEMENT", "FILE"                 \
    }

/** aimf_cli_list_architectures: TRUE, and all of them printed, with what they take, where @name is "list". */
gboolean aimf_cli_list_architectures(AimfCli *cli, const char *name);
