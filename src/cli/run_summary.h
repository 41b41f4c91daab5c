/* What a run came to, for 'aimfair run' and 'aimfair demo'. */
#pragma once

#include "cli.h"

#include <aimfair/run.h>

/** aimf_cli_run: configures as the common options say, runs, prints what came out, and sets the exit status. */
gboolean aimf_cli_run(AimfCli *cli, AimfConfig *config, const AimfRunOptions *options, GError **error);
/** aimf_cli_configure: --seed, --threads, --device and --precision, where they are given, change @config. */
gboolean aimf_cli_configure(AimfCli *cli, AimfConfig *config, GError **error);
