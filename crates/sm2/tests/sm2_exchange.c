/* SM2 key exchange by Tongsuo's own function, which its library has and its header directory of
 * installed files has not.
 *
 *   sm2_exchange 1|0 D PEER R PEER_R ID PEER_ID KLEN          1 for the initiator; prints the key
 *
 * Private keys and IDs in hexadecimal, points as 04 X Y, KLEN in bytes. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int SM2_compute_key(void *out, size_t outlen, int initiator, const uint8_t *peer_id,
                    size_t peer_id_len, const uint8_t *self_id, size_t self_id_len,
                    const EC_KEY *peer_ecdhe_key, const EC_KEY *self_ecdhe_key,
                    const EC_KEY *peer_pub_key, const EC_KEY *self_eckey, const EVP_MD *md,
                    OSSL_LIB_CTX *libctx, const char *propq);

#define CHECK(condition)                                       \
    do {                                                       \
        if (!(condition)) {                                    \
            fprintf(stderr, "%d: %s\n", __LINE__, #condition); \
            exit(2);                                           \
        }                                                      \
    } while (0)

static EC_KEY *private_key(const char *hex) {
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_sm2);
    const EC_GROUP *group = EC_KEY_get0_group(key);
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *d = NULL;
    CHECK(BN_hex2bn(&d, hex) > 0 && EC_KEY_set_private_key(key, d) == 1);
    CHECK(EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1);
    CHECK(EC_KEY_set_public_key(key, point) == 1);
    return key;
}

static EC_KEY *public_key(const char *hex) {
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_sm2);
    EC_POINT *point = EC_POINT_hex2point(EC_KEY_get0_group(key), hex, NULL, NULL);
    CHECK(point != NULL && EC_KEY_set_public_key(key, point) == 1);
    return key;
}

int main(int argc, char **argv) {
    CHECK(argc == 9);
    long id_len = 0, peer_id_len = 0;
    uint8_t *id = OPENSSL_hexstr2buf(argv[6], &id_len);
    uint8_t *peer_id = OPENSSL_hexstr2buf(argv[7], &peer_id_len);
    uint8_t key[256];
    const size_t klen = strtoul(argv[8], NULL, 10);
    CHECK(id != NULL && peer_id != NULL && klen <= sizeof key);
    CHECK(SM2_compute_key(key, klen, argv[1][0] == '1', peer_id, (size_t)peer_id_len, id,
                          (size_t)id_len, public_key(argv[5]), private_key(argv[4]),
                          public_key(argv[3]), private_key(argv[2]), EVP_sm3(), NULL, NULL) == (int)klen);
    for (size_t i = 0; i < klen; i++) {
        printf("%02x", key[i]);
    }
    puts("");
    return 0;
}
