/* The part of `aimfair data` that looks at manifests instead of writing them. */
#pragma once

#include "cli.h"

#include <aimfair/data.h>

extern const AimfCommand AIMF_COMMAND_DATA_CHECK;

/** data_print_groups: a table of the images per (target, protected) group on stdout. */
void data_print_groups(AimfCli *cli, const AimfManifest *manifest);
/** data_json_groups: the same as members "images" and "groups" of the object that @builder is in. */
void data_json_groups(JsonBuilder *builder, const AimfManifest *manifest);
