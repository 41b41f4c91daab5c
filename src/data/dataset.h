/* What the readers of datasets share. A reader is a file of this folder and a row of the table in dataset.c. */
#pragma once

#include <aimfair/data.h>

/** AimfDatasetReader: fills @dataset, whose members are allocated and empty. FALSE with an error. */
typedef gboolean (*AimfDatasetReader)(AimfDataset *dataset, const AimfDatasetOptions *options,
                                      const AimfMonitor *monitor, GError **error);

gboolean aimf_read_celeba(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                          GError **error);
gboolean aimf_read_utkface(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                           GError **error);
gboolean aimf_read_groups(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                          GError **error);
gboolean aimf_read_csv(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                       GError **error);

/**
 * aimf_dataset_name_last: keeps what the newest sample's target and protected label are called, as its columns
 * target_name and protected_name.
 */
void aimf_dataset_name_last(AimfDataset *dataset, const char *target_name, const char *protected_name);

/** aimf_is_image_name: the name ends like that of a JPEG, PNG or WebP file. */
gboolean aimf_is_image_name(const char *name);

/** aimf_option_required: FALSE with INVALID when the option's value is missing or empty. */
gboolean aimf_option_required(const char *option, const char *value, GError **error);
