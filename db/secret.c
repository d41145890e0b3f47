#include "db/secret.h"

#include <sodium.h>
#include <string.h>

_Static_assert(DB_SECRET_HASH >= crypto_pwhash_STRBYTES, "room for the hash");
_Static_assert(DB_DIGEST == crypto_hash_sha256_BYTES, "SHA-256");

enum { SECRET_BYTES = 32 };
_Static_assert(DB_SECRET_TEXT >=
                   sodium_base64_ENCODED_LEN(SECRET_BYTES,
                                             sodium_base64_VARIANT_URLSAFE_NO_PADDING),
               "room for a secret");

enum walras_status db_secret_init(struct walras_err *err)
{
    return sodium_init() < 0 ? walras_fail(err, WALRAS_INTERNAL, "libsodium finds no randomness")
                             : WALRAS_OK;
}

void db_secret_make(char text[DB_SECRET_TEXT])
{
    unsigned char bytes[SECRET_BYTES];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(text, DB_SECRET_TEXT, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

enum walras_status db_secret_hash(const char *secret, char hash[DB_SECRET_HASH],
                                  struct walras_err *err)
{
    if (crypto_pwhash_str(hash, secret, strlen(secret), crypto_pwhash_OPSLIMIT_MIN,
                          crypto_pwhash_MEMLIMIT_MIN) != 0)
        return walras_fail(err, WALRAS_NOMEM, "no memory to hash a secret");
    return WALRAS_OK;
}

bool db_secret_matches(const char *secret, const char *hash)
{
    return crypto_pwhash_str_verify(hash, secret, strlen(secret)) == 0;
}

void db_secret_pretend(const char *secret)
{
    char hash[DB_SECRET_HASH];

    if (db_secret_hash(secret, hash, NULL) == WALRAS_OK)
        sodium_memzero(hash, sizeof(hash));
}

void db_secret_forget(void *text, size_t size)
{
    sodium_memzero(text, size);
}

void db_digest_text(const void *bytes, size_t size, char text[DB_DIGEST_TEXT])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, bytes, size);
    sodium_bin2hex(text, DB_DIGEST_TEXT, hash, sizeof(hash));
}
