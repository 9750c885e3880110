/* Tongsuo 8.5.0: also SM2 key exchange, by a function that its library has and the headers of its
 * installed files have not. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "evp.h"
#include <openssl/ec.h>

int SM2_compute_key(void *out, size_t outlen, int initiator, const uint8_t *peer_id,
                    size_t peer_id_len, const uint8_t *self_id, size_t self_id_len,
                    const EC_KEY *peer_ecdhe_key, const EC_KEY *self_ecdhe_key,
                    const EC_KEY *peer_pub_key, const EC_KEY *self_eckey, const EVP_MD *md,
                    OSSL_LIB_CTX *libctx, const char *propq);

static EC_KEY *private_key(bytes d) {
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_sm2);
    const EC_GROUP *group = EC_KEY_get0_group(key);
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *n = BN_bin2bn(d.data, (int)d.len, NULL);
    CHECK(EC_KEY_set_private_key(key, n) == 1);
    CHECK(EC_POINT_mul(group, point, n, NULL, NULL, NULL) == 1);
    CHECK(EC_KEY_set_public_key(key, point) == 1);
    return key;
}

static EC_KEY *public_key(bytes octets) {
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_sm2);
    const EC_GROUP *group = EC_KEY_get0_group(key);
    EC_POINT *point = EC_POINT_new(group);
    CHECK(EC_POINT_oct2point(group, point, octets.data, octets.len, NULL) == 1);
    CHECK(EC_KEY_set_public_key(key, point) == 1);
    return key;
}

/* sm2-exchange 1|0 D PEER R PEER_R ID PEER_ID KLEN: 1 for the initiator */
static int more(void) {
    if (strcmp(text[0], "sm2-exchange") != 0) {
        return 0;
    }
    const size_t klen = number(8);
    const int initiator = text[1][0] == '1';
    CHECK(SM2_compute_key(out, klen, initiator, word[7].data, word[7].len, word[6].data,
                          word[6].len, public_key(word[5]), private_key(word[4]),
                          public_key(word[3]), private_key(word[2]), EVP_sm3(), NULL,
                          NULL) == (int)klen);
    ok(out, klen);
    return 1;
}
