/* The (target, protected) groups that a set has together with others, and how many pictures of each a set has. */
#pragma once

#include <aimfair/data.h>

/**
 * AimfGrid:
 * @labels: borrowed from the manifests, sorted, one of each spelling (aimf_spelling_key): those of the set, and of the
 *   sets that have one of them, and so on: what another set calls other things are not this one's groups. A set with a
 *   single label that no other set knows has no protected labels.
 * @keys: of the labels, in their order
 * @n: groups, target-major
 */
typedef struct {
    GPtrArray *labels;
    GPtrArray *keys;
    guint n_classes;
    guint n;
} AimfGrid;

/** aimf_grid_init: of the set @which of @sets (n), which must outlive it. aimf_grid_clear frees it. */
void aimf_grid_init(AimfGrid *grid, const AimfManifest *const *sets, guint n, guint which);
void aimf_grid_clear(AimfGrid *grid);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfGrid, aimf_grid_clear)

/** aimf_grid_has_labels: whether there is anything to be balanced: two protected labels or more. */
gboolean aimf_grid_has_labels(const AimfGrid *grid);
/** aimf_grid_knows: whether one label at least of @set is in the grid; of the grid's own set each is. */
gboolean aimf_grid_knows(const AimfGrid *grid, const AimfManifest *set);
/** aimf_grid_counts: (owned) (n) pictures of @set in each group; those with other labels are left out. */
guint *aimf_grid_counts(const AimfGrid *grid, const AimfManifest *set);
/** aimf_grid_text: (owned) "0_a: 50, 0_b: 450", with at most sixteen groups. */
char *aimf_grid_text(const AimfGrid *grid, const guint *counts);
/** aimf_grid_group: (owned) "1_a", or "class 1" where there are no protected labels. */
char *aimf_grid_group(const AimfGrid *grid, guint group);
/** aimf_grid_evenness: smallest group over largest, 0 where one is empty; NaN without pictures. */
double aimf_grid_evenness(const AimfGrid *grid, const guint *counts);
/**
 * aimf_grid_distance: total variation from groups of equal size: 0 for equal ones, 0.4 for a bias of 1/9. NaN
 * without pictures.
 */
double aimf_grid_distance(const AimfGrid *grid, const guint *counts);
