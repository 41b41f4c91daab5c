/*
 * Where CelebA's pictures and lists lie: Img, Anno and Eval as the original, nested as from Kaggle, or in one place.
 */
#pragma once

#include "data/dataset_reader.h"

/**
 * CelebaFolder:
 * @pictures: number → path (owned); the first found of a number that is there several times
 * @attributes, @partition: (owned, nullable) list_attr_celeba and list_eval_partition, .txt before .csv
 * @archive, @wild: (owned, nullable) an archive that was not unpacked; the folder of pictures that are not aligned
 * @others: pictures in formats that are not read
 */
typedef struct {
    GHashTable *pictures;
    char *attributes;
    char *partition;
    char *archive;
    char *wild;
    AimfOtherFormats others;
} CelebaFolder;

/**
 * aimf_celeba_find: looks into @root and known folders below; @folder begins as { 0 }. FALSE: one cannot be listed.
 */
gboolean aimf_celeba_find(CelebaFolder *folder, const char *root, GError **error);
void aimf_celeba_folder_clear(CelebaFolder *folder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CelebaFolder, aimf_celeba_folder_clear)

/** aimf_celeba_number: the number of "000001.jpg", "1.PNG" or, without @picture, "000001"; 0 if @name is none such. */
guint aimf_celeba_number(const char *name, gboolean picture);
