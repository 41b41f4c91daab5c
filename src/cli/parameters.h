/* Which parameters a command is to train: by the names the user gives. */
#pragma once

#include "cli.h"

#include <aimfair/model.h>

/**
 * aimf_parameter_names: (owned) NULL-terminated names of the model's parameters, in its order; @sizes: (nullable)
 * receives theirs.
 */
char **aimf_parameter_names(const AimfModel *model, GArray *sizes, GError **error);

/**
 * aimf_named_parameters:
 * @list: "all", or names of tensors ("fc.bias") and modules ("fc", "layer4.0"), separated by commas
 * Returns: (owned) NULL-terminated names in the model's order, or NULL with INVALID naming what fits nothing.
 */
char **aimf_named_parameters(const AimfModel *model, const char *option, const char *list, GError **error);

/**
 * aimf_prefixed_parameters: (owned) those whose name begins with one of the NULL-terminated @prefixes; NULL with
 * INVALID.
 */
char **aimf_prefixed_parameters(const AimfModel *model, char *const *prefixes, GError **error);
