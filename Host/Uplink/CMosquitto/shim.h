// SPDX-License-Identifier: Apache-2.0
#ifndef BUSBAR_CMOSQUITTO_SHIM_H
#define BUSBAR_CMOSQUITTO_SHIM_H

#include <mosquitto.h>
#include <mqtt_protocol.h>

// The three calls of OpenSSL that libmosquitto has no words for: what is decrypted and not read yet, and why a
// certificate was not believed. Declared here because <openssl/ssl.h> costs more to import than all of the rest.
struct ssl_st;
int SSL_pending(const struct ssl_st *ssl);
long SSL_get_verify_result(const struct ssl_st *ssl);
const char *X509_verify_cert_error_string(long code);

#endif
