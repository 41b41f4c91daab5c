/* Where a language model answers: the chat endpoint behind the address a user gave, and what may be sent there. */
#pragma once

#include <aimfair/error.h>

/** AimfEndpoint: @url: of the chat endpoint itself; @host: for people, with the port where one was given. All owned. */
typedef struct {
    char *url;
    char *host;
    gboolean encrypted;
    gboolean loopback; /* this machine: what is sent does not reach a network */
} AimfEndpoint;

void aimf_endpoint_clear(AimfEndpoint *endpoint);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfEndpoint, aimf_endpoint_clear)

/**
 * aimf_endpoint_parse:
 * @text: "http(s)://host[:port]/v1", or the same with "/chat/completions" at its end
 * Returns: FALSE with INVALID: no such address, or one with a user name, a query or a fragment, in which secrets
 * travel.
 */
gboolean aimf_endpoint_parse(const char *text, AimfEndpoint *endpoint, GError **error);

/**
 * aimf_endpoint_check_key:
 * @key: (nullable) what a request will carry; never quoted in an error
 * Returns: FALSE with INVALID: a key that no header can hold, or one that would cross a network unencrypted.
 */
gboolean aimf_endpoint_check_key(const AimfEndpoint *endpoint, const char *key, GError **error);
