/* Runs that take seconds: pictures of 32 pixels, a small network, one thread. */
#pragma once

#include <glib.h>

/**
 * tiny_run_folder: (owned) a new temporary folder with data/{train,val,test}.csv, drawn/synthetic.csv and their
 * pictures, and with the configuration one.yaml: two seeds, three fairer models of each.
 */
char *tiny_run_folder(void);
/** tiny_run_remove: the folder and all in it; @folder is freed. */
void tiny_run_remove(char *folder);

/** TINY_RUN: a shell command that runs one.yaml in its folder, or what else is named behind it. */
#define TINY_RUN "\"$AIMFAIR\" run -q "

/** tiny_run_tree: (owned) lines with SHA-256 and name of all files of a run that have no time or machine in them. */
char *tiny_run_tree(const char *folder, const char *run);
