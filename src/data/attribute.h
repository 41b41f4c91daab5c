/* Attributes: what the datasets say about a picture, under one registry of names and aliases. */
#pragma once

#include <aimfair/error.h>

typedef enum {
    AIMF_ATTRIBUTE_VALUE,    /* the number itself */
    AIMF_ATTRIBUTE_EQUALS,   /* 1 where it is @operand, else 0 */
    AIMF_ATTRIBUTE_AT_LEAST, /* 1 where it is @operand or more */
    AIMF_ATTRIBUTE_BELOW,    /* 1 where it is less than @operand */
} AimfAttributeRule;

/** AimfAttribute: a number made of one field of a dataset. @field: (borrowed) the dataset's own spelling. */
typedef struct {
    const char *field;
    AimfAttributeRule rule;
    int operand;
} AimfAttribute;

/**
 * aimf_attribute_parse:
 * @kind: "celeba" or "utkface"; @text: NAME, NAME:K, NAME>=N, NAME<N or an alias; case, '_', '-' and blanks in names
 *   do not matter
 * Returns: FALSE with NOT_FOUND (no such attribute; lists those there are) or INVALID (a number is missing or out of
 * range).
 */
gboolean aimf_attribute_parse(const char *kind, const char *text, AimfAttribute *attribute, GError **error);

/** aimf_attributes_parse: (owned) array of AimfAttribute from a comma-separated list of at least one. */
GArray *aimf_attributes_parse(const char *kind, const char *list, GError **error);

/**
 * aimf_attributes_check: FALSE with INVALID if two of @target and @attributes (of AimfAttribute) divide pictures
 * alike, as Male and Male:0 do.
 */
gboolean aimf_attributes_check(const AimfAttribute *target, const GArray *attributes, GError **error);

int aimf_attribute_evaluate(const AimfAttribute *attribute, int value);

/**
 * aimf_attribute_name_of: (owned) what the number that @attribute gives is called: "female", "White", "not
 * Blond_Hair", "age>=40".
 */
char *aimf_attribute_name_of(const AimfAttribute *attribute, int number);
