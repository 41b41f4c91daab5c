/*
 * The commands and their options as tables: what completion and manual pages are made of, so that they cannot go
 * stale.
 */
#pragma once

#include "cli.h"

/**
 * Description: of one command. @options: all of them, ended by G_OPTION_ENTRY_NULL; @n_own: those before the common
 * ones
 */
typedef struct {
    const AimfCommand *command;
    GOptionEntry *options;
    gsize n_own;
} Description;

/** describe_commands: (owned) array of Description: every command, each followed by its subcommands. */
GArray *describe_commands(AimfCli *cli);

/**
 * describe_argument: (owned, nullable) the name of an option's argument without its range, "FILE"; NULL for an option
 * without.
 */
char *describe_argument(const GOptionEntry *option);

/** describe_range: (owned, nullable) "1 to 65536". */
char *describe_range(const GOptionEntry *option);
