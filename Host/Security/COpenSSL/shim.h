// SPDX-License-Identifier: Apache-2.0
// Keys, certificates and chains of libcrypto, and what it has as macros only.
#ifndef BUSBAR_COPENSSL_X509_H
#define BUSBAR_COPENSSL_X509_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

static inline EVP_PKEY *busbar_p256(void) { return EVP_EC_gen("P-256"); }

// RFC 2253, with the letters of all languages as they are.
static inline unsigned long busbar_name_form(void) { return XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB; }

static inline long busbar_bio_bytes(BIO *bio, const unsigned char **bytes) {
  char *place = 0;
  long count = BIO_get_mem_data(bio, &place);
  *bytes = (const unsigned char *)place;
  return count;
}

static inline STACK_OF(X509) *busbar_chain(void) { return sk_X509_new_null(); }
static inline int busbar_chain_add(STACK_OF(X509) *chain, X509 *certificate) { return sk_X509_push(chain, certificate); }
// The certificates stay.
static inline void busbar_chain_free(STACK_OF(X509) *chain) { sk_X509_free(chain); }

static inline int busbar_request_extensions(X509_REQ *request, X509_EXTENSION *const *list, int count) {
  STACK_OF(X509_EXTENSION) *stack = sk_X509_EXTENSION_new_null();
  int good = stack != 0;
  for (int i = 0; good && i < count; i++) good = sk_X509_EXTENSION_push(stack, list[i]) > 0;
  good = good && X509_REQ_add_extensions(request, stack);
  sk_X509_EXTENSION_free(stack);
  return good;
}

// The text of the alternative name at this place, printed into `bio` as OpenSSL does it ("DNS:x", "IP Address:1.2.3.4").
static inline int busbar_alternative_names(X509 *certificate, BIO *bio) {
  GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, 0, 0);
  if (names == 0) return 0;
  int count = sk_GENERAL_NAME_num(names);
  for (int i = 0; i < count && i < 64; i++) {
    GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
    BIO_write(bio, "\n", 1);
  }
  GENERAL_NAMES_free(names);
  return count;
}

// 1 where one of the common names is exactly this.
static inline int busbar_name_is(const X509_NAME *subject, const char *name, size_t length) {
  int found = 0;
  for (int i = -1; !found && (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) {
    unsigned char *text = 0;
    int count = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
    found = count >= 0 && (size_t)count == length && memcmp(text, name, length) == 0;
    OPENSSL_free(text);
  }
  return found;
}

// 1 where the common name, or one of the DNS names, is exactly this; what is printed could hold several of them in one.
static inline int busbar_certificate_is_for(X509 *certificate, const char *name, size_t length) {
  int found = busbar_name_is(X509_get_subject_name(certificate), name, length);
  GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, 0, 0);
  for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
    GENERAL_NAME *each = sk_GENERAL_NAME_value(names, i);
    if (each->type != GEN_DNS) continue;
    found = (size_t)ASN1_STRING_length(each->d.dNSName) == length &&
            memcmp(ASN1_STRING_get0_data(each->d.dNSName), name, length) == 0;
  }
  GENERAL_NAMES_free(names);
  return found;
}

// A key that is encrypted is refused, not asked about on the terminal.
static inline int busbar_no_passphrase(char *buffer, int size, int writing, void *user) {
  (void)buffer, (void)size, (void)writing, (void)user;
  return -1;
}
static inline EVP_PKEY *busbar_read_key(BIO *bio) { return PEM_read_bio_PrivateKey(bio, 0, busbar_no_passphrase, 0); }

#endif
