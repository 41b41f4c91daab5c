/*
 * The readers of datasets, and what they share. A reader is a file of this folder and a row of the table in dataset.c.
 */
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

/** aimf_is_image_name: the name ends like that of a JPEG, PNG or WebP file, in whatever case. */
gboolean aimf_is_image_name(const char *name);

enum { AIMF_MAX_OTHER_FORMATS = 24 };

/** AimfOtherFormats: pictures met in a listing whose format is not read, by format. Begins as { 0 }. */
typedef struct {
    struct {
        const char *name;
        guint n;
    } formats[AIMF_MAX_OTHER_FORMATS];
    char *first; /* owned */
} AimfOtherFormats;

/** aimf_other_formats_note: counts the file @name if it is such a picture. */
void aimf_other_formats_note(AimfOtherFormats *others, const char *name);
/** aimf_other_formats_tell: adds them to @dataset and warns of them. */
void aimf_other_formats_tell(const AimfOtherFormats *others, AimfDataset *dataset, const AimfMonitor *monitor);
void aimf_other_formats_clear(AimfOtherFormats *others);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfOtherFormats, aimf_other_formats_clear)

/** aimf_is_one_of: @name is one of @names (NULL-terminated), in whatever case. */
gboolean aimf_is_one_of(const char *name, const char *const *names);

/** aimf_option_required: FALSE with INVALID when the option's value is missing or empty. */
gboolean aimf_option_required(const char *option, const char *value, GError **error);
