/* The metadata of a saved model, shared by those that write and read them. */
#pragma once

#include "model/model.h"

#define AIMF_SAVED_KEY(name) "aimfair." name
/* Versions of the format, which save.c explains. */
#define AIMF_SAVED_PLAIN "1"
#define AIMF_SAVED_EXTENDED "2"

/** aimf_saved_architecture: (borrowed, nullable) what a saved model says that it is. */
const char *aimf_saved_architecture(const AimfTensors *tensors);

/** aimf_saved_refuse: FALSE with FORMAT: @key has @value (nullable), where it should have what is @expected. */
gboolean aimf_saved_refuse(const char *key, const char *value, const char *expected, GError **error);

/** aimf_saved_double: whether @text is a finite number and nothing else. */
gboolean aimf_saved_double(const char *text, double *value);
