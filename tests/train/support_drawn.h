/* A small set of drawn pictures that a network learns in seconds: bright or dark discs, on two kinds of ground. */
#pragma once

#include <aimfair/train.h>

/**
 * support_drawn_set: writes @n pictures of 32 x 32 and the manifest <@name>.csv into @folder; target = row mod 2.
 * @bias: share of rows whose protected label is the target by force; it is drawn for the others
 * Returns: (owned) the manifest's path.
 */
char *support_drawn_set(const char *folder, const char *name, guint n, double bias);
/** support_drawn_manifest: (owned) the same, opened, with half of the labels drawn. */
AimfManifest *support_drawn_manifest(const char *folder, const char *name, guint n);
/**
 * support_drawn_train: (owned) a network for these pictures after training; fails the test on errors. @result: the
 * caller's
 */
AimfModel *support_drawn_train(const AimfManifest *train, const AimfManifest *validation,
                               const AimfTrainOptions *options, AimfTrainResult *result);
/** support_drawn_folder: (owned) a new temporary folder. */
char *support_drawn_folder(void);
/** support_drawn_remove: a folder and the files in it. */
void support_drawn_remove(const char *folder);
