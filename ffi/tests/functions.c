/* Every function of the header does what it says: known answers where the standards have them. */
#include "chain.h"
#include "check.h"

static void library(void) {
    CHECK(strcmp(gmkit_version(), EXPECTED_VERSION) == 0);
    CHECK(gmkit_abi_version() == GMKIT_ABI_VERSION);
    CHECK(strcmp(gmkit_backend(GMKIT_ALGORITHM_SM2), "unnamed") != 0);
    CHECK(strlen(gmkit_backend(GMKIT_ALGORITHM_SM3)) > 0);
    CHECK(strlen(gmkit_backend(GMKIT_ALGORITHM_SM4)) > 0);
    CHECK(gmkit_backend(99) == NULL);
    OK(gmkit_selftest());

    uint8_t one[32] = {0}, two[32] = {0};
    OK(gmkit_random(one, sizeof one));
    OK(gmkit_random(two, sizeof two));
    CHECK(memcmp(one, two, sizeof one) != 0);
}

static void errors_have_texts(void) {
    /* The numbers are a promise: they never change. */
    const struct {
        gmkit_error error;
        int number;
    } all[] = {
        {GMKIT_OK, 0},
        {GMKIT_ERR_NULL, 1},
        {GMKIT_ERR_ARGUMENT, 2},
        {GMKIT_ERR_BUFFER_TOO_SMALL, 3},
        {GMKIT_ERR_HANDLE, 4},
        {GMKIT_ERR_FINISHED, 5},
        {GMKIT_ERR_TOO_LONG, 6},
        {GMKIT_ERR_REJECTED, 10},
        {GMKIT_ERR_ENCODING, 11},
        {GMKIT_ERR_KEY, 12},
        {GMKIT_ERR_PASSPHRASE_NEEDED, 13},
        {GMKIT_ERR_PASSPHRASE_WRONG, 14},
        {GMKIT_ERR_KEY_ENCRYPTION, 15},
        {GMKIT_ERR_UNSUPPORTED, 16},
        {GMKIT_ERR_URI, 17},
        {GMKIT_ERR_UNTRUSTED, 18}, {GMKIT_ERR_TLS, 19}, {GMKIT_ERR_TIMEOUT, 21},
        {GMKIT_ERR_FULL, 22}, {GMKIT_ERR_LOCKED, 23}, {GMKIT_ERR_AUDIT, 24},
        {GMKIT_ERR_IO, 20},
        {GMKIT_ERR_RANDOM, 30},
        {GMKIT_ERR_SELF_TEST, 31},
        {GMKIT_ERR_DEVICE, 32},
        {GMKIT_ERR_INTERNAL, 99},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CHECK((int)all[i].error == all[i].number);
        CHECK(strcmp(gmkit_error_description(all[i].number), "unknown error") != 0);
    }
    CHECK(strcmp(gmkit_error_description(12345), "unknown error") == 0);
    CHECK(strcmp(gmkit_error_description(-1), "unknown error") == 0);
}

/* GB/T 32905-2016, A.1 */
static const uint8_t SM3_ABC[32] = {
    0x66, 0xc7, 0xf0, 0xf4, 0x62, 0xee, 0xed, 0xd9, 0xd1, 0xf2, 0xd4, 0x6b, 0xdc, 0x10, 0xe4, 0xe2,
    0x41, 0x67, 0xc4, 0x87, 0x5c, 0xf2, 0xf7, 0xa2, 0x29, 0x7d, 0xa0, 0x2b, 0x8f, 0x4b, 0xa8, 0xe0};

static void sm3(void) {
    uint8_t digest[GMKIT_SM3_SIZE];
    OK(gmkit_sm3_digest(BYTES("abc"), 3, digest));
    CHECK(memcmp(digest, SM3_ABC, 32) == 0);

    gmkit_sm3 *hash = NULL, *copy = NULL;
    OK(gmkit_sm3_new(&hash));
    OK(gmkit_sm3_update(hash, BYTES("ab"), 2));
    OK(gmkit_sm3_copy(hash, &copy));
    OK(gmkit_sm3_update(hash, BYTES("X"), 1));
    OK(gmkit_sm3_update(copy, BYTES("c"), 1));
    OK(gmkit_sm3_finish(copy, digest));
    CHECK(memcmp(digest, SM3_ABC, 32) == 0);
    OK(gmkit_sm3_finish(hash, digest));
    CHECK(memcmp(digest, SM3_ABC, 32) != 0);
    /* After the end comes another message. */
    OK(gmkit_sm3_update(hash, BYTES("abc"), 3));
    OK(gmkit_sm3_finish(hash, digest));
    CHECK(memcmp(digest, SM3_ABC, 32) == 0);
    gmkit_sm3_free(copy);
    gmkit_sm3_free(hash);
    gmkit_sm3_free(NULL);

    /* KDF: SM3(z || 00000001) || SM3(z || 00000002), cut. */
    uint8_t key[40], block[32];
    OK(gmkit_sm3_kdf(BYTES("secret"), 6, key, sizeof key));
    OK(gmkit_sm3_digest(BYTES("secret\0\0\0\1"), 10, block));
    CHECK(memcmp(key, block, 32) == 0);
    OK(gmkit_sm3_digest(BYTES("secret\0\0\0\2"), 10, block));
    CHECK(memcmp(key + 32, block, 8) == 0);
}

static void hmac(void) {
    /* HMAC-SM3 with a key of 32 bytes 0b: made with OpenSSL. */
    const uint8_t want[32] = {
        0xc0, 0xba, 0x18, 0xc6, 0x8b, 0x90, 0xc8, 0x8b, 0xc0, 0x7d, 0xe7,
        0x94, 0xbf, 0xc7, 0xd2, 0xc8, 0xd1, 0x9e, 0xc3, 0x1e, 0xd8, 0x77,
        0x3b, 0xc2, 0xb3, 0x90, 0xc9, 0x60, 0x4e, 0x0b, 0xe1, 0x1e};
    uint8_t key[32], mac[32];
    memset(key, 0x0b, sizeof key);
    OK(gmkit_hmac_sm3_mac(key, 32, BYTES("Hi There"), 8, mac));
    CHECK(memcmp(mac, want, 32) == 0);
    OK(gmkit_hmac_sm3_check(key, 32, BYTES("Hi There"), 8, mac));
    FAILS(GMKIT_ERR_REJECTED, gmkit_hmac_sm3_check(key, 32, BYTES("Hi there"), 8, mac));

    gmkit_hmac_sm3 *hmac = NULL;
    OK(gmkit_hmac_sm3_new(key, 32, &hmac));
    for (int round = 0; round < 2; round++) {
        OK(gmkit_hmac_sm3_update(hmac, BYTES("Hi "), 3));
        OK(gmkit_hmac_sm3_update(hmac, BYTES("There"), 5));
        OK(gmkit_hmac_sm3_finish(hmac, mac));
        CHECK(memcmp(mac, want, 32) == 0);
    }
    OK(gmkit_hmac_sm3_update(hmac, BYTES("Hi There"), 8));
    OK(gmkit_hmac_sm3_finish_check(hmac, want));
    FAILS(GMKIT_ERR_REJECTED, gmkit_hmac_sm3_finish_check(hmac, want)); /* the empty message */
    gmkit_hmac_sm3_free(hmac);
}

/* RFC 8998, A.1 */
static const uint8_t GCM_KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                    0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
static const uint8_t GCM_NONCE[12] = {0x00, 0x00, 0x12, 0x34, 0x56, 0x78,
                                      0x00, 0x00, 0x00, 0x00, 0xab, 0xcd};
static const uint8_t GCM_AAD[20] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                    0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const uint8_t GCM_TAG[16] = {0x83, 0xde, 0x35, 0x41, 0xe4, 0xc2, 0xb5, 0x81,
                                    0x77, 0xe0, 0x65, 0xa9, 0xbf, 0x7b, 0x62, 0xec};

static void gcm_plaintext(uint8_t out[64]) {
    const uint8_t bytes[8] = {0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa};
    for (int i = 0; i < 64; i++) {
        out[i] = bytes[i / 8];
    }
}

static void gcm(void) {
    gmkit_sm4_gcm *gcm = NULL;
    uint8_t plain[64], cipher[64], back[64], tag[16];
    gcm_plaintext(plain);
    OK(gmkit_sm4_gcm_new(GCM_KEY, &gcm));
    OK(gmkit_sm4_gcm_seal(gcm, GCM_NONCE, 12, GCM_AAD, 20, plain, cipher, 64, tag));
    CHECK(memcmp(tag, GCM_TAG, 16) == 0);
    OK(gmkit_sm4_gcm_open(gcm, GCM_NONCE, 12, GCM_AAD, 20, cipher, back, 64, tag, 16));
    CHECK(memcmp(back, plain, 64) == 0);
    /* In place, and with a shorter tag. */
    OK(gmkit_sm4_gcm_open(gcm, GCM_NONCE, 12, GCM_AAD, 20, cipher, cipher, 64, tag, 12));
    CHECK(memcmp(cipher, plain, 64) == 0);
    OK(gmkit_sm4_gcm_seal(gcm, GCM_NONCE, 12, GCM_AAD, 20, cipher, cipher, 64, tag));
    CHECK(memcmp(tag, GCM_TAG, 16) == 0);
    /* Nothing is written for a forgery. */
    memset(back, 0x55, 64);
    cipher[63] ^= 1;
    FAILS(GMKIT_ERR_REJECTED,
          gmkit_sm4_gcm_open(gcm, GCM_NONCE, 12, GCM_AAD, 20, cipher, back, 64, tag, 16));
    for (int i = 0; i < 64; i++) {
        CHECK(back[i] == 0x55);
    }
    cipher[63] ^= 1;

    gmkit_sm4_gcm_sealer *sealer = NULL;
    gmkit_sm4_gcm_opener *opener = NULL;
    OK(gmkit_sm4_gcm_sealer_new(gcm, GCM_NONCE, 12, GCM_AAD, 20, &sealer));
    OK(gmkit_sm4_gcm_opener_new(gcm, GCM_NONCE, 12, GCM_AAD, 20, &opener));
    gmkit_sm4_gcm_free(gcm); /* the streams go on without it */
    OK(gmkit_sm4_gcm_sealer_update(sealer, plain, back, 5));
    OK(gmkit_sm4_gcm_sealer_update(sealer, plain + 5, back + 5, 59));
    OK(gmkit_sm4_gcm_sealer_finish(sealer, tag));
    CHECK(memcmp(back, cipher, 64) == 0 && memcmp(tag, GCM_TAG, 16) == 0);
    OK(gmkit_sm4_gcm_opener_update_unverified(opener, back, back, 33));
    OK(gmkit_sm4_gcm_opener_update_unverified(opener, back + 33, back + 33, 31));
    OK(gmkit_sm4_gcm_opener_finish(opener, tag, 16));
    CHECK(memcmp(back, plain, 64) == 0);
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm4_gcm_sealer_update(sealer, plain, back, 1));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm4_gcm_opener_finish(opener, tag, 16));
    gmkit_sm4_gcm_sealer_free(sealer);
    gmkit_sm4_gcm_opener_free(opener);
}

static void secret_key(void) {
    gmkit_secret_key *key = NULL;
    uint8_t sealed[5 + GMKIT_SEAL_OVERHEAD], again[5 + GMKIT_SEAL_OVERHEAD], plain[5];
    size_t len = 0;
    OK(gmkit_secret_key_new_sm4(GCM_KEY, &key));
    OK(gmkit_secret_key_seal(key, NULL, 0, BYTES("hello"), 5, NULL, &len));
    CHECK(len == sizeof sealed);
    OK(gmkit_secret_key_seal(key, NULL, 0, BYTES("hello"), 5, sealed, &len));
    CHECK(len == sizeof sealed);
    OK(gmkit_secret_key_seal(key, NULL, 0, BYTES("hello"), 5, again, &len));
    CHECK(memcmp(sealed, again, 12) != 0); /* a nonce of its own */
    len = sizeof plain;
    OK(gmkit_secret_key_open(key, NULL, 0, sealed, sizeof sealed, plain, &len));
    CHECK(len == 5 && memcmp(plain, "hello", 5) == 0);
    FAILS(GMKIT_ERR_REJECTED,
          gmkit_secret_key_open(key, BYTES("x"), 1, sealed, sizeof sealed, plain, &len));
    gmkit_secret_key_free(key);
}

/* HMAC-SM3 behind the same handle, from bytes and from a file by its URI. */
static void secret_key_mac(void) {
    gmkit_secret_key *key = NULL, *by_uri = NULL;
    uint8_t mac[32], expected[32];
    const char hex[] = "3131313131313131313131313131313131";
    OK(gmkit_secret_key_new_hmac_sm3(BYTES("11111111111111111"), 17, &key));
    OK(gmkit_secret_key_mac(key, BYTES("hello"), 5, mac));
    OK(gmkit_hmac_sm3_mac(BYTES("11111111111111111"), 17, BYTES("hello"), 5, expected));
    CHECK(memcmp(mac, expected, sizeof mac) == 0);
    FILE *file = fopen("functions.key", "wb");
    CHECK(file != NULL && fwrite(hex, 1, strlen(hex), file) == strlen(hex) && fclose(file) == 0);
    OK(gmkit_secret_key_open_uri("file:functions.key", GMKIT_SECRET_MAC, NULL, 0, &by_uri));
    OK(gmkit_secret_key_mac(by_uri, BYTES("hello"), 5, mac));
    CHECK(memcmp(mac, expected, sizeof mac) == 0);
    CHECK(remove("functions.key") == 0);
    gmkit_secret_key_free(by_uri);
    gmkit_secret_key_free(key);
}

static void ctr_and_cbc(void) {
    const uint8_t iv[16] = {0};
    uint8_t data[100], work[128], back[128];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)i;
    }
    gmkit_sm4_ctr *ctr = NULL;
    OK(gmkit_sm4_ctr_new(GCM_KEY, iv, &ctr));
    OK(gmkit_sm4_ctr_update(ctr, data, work, 33));
    OK(gmkit_sm4_ctr_update(ctr, data + 33, work + 33, 67));
    gmkit_sm4_ctr_free(ctr);
    OK(gmkit_sm4_ctr_new(GCM_KEY, iv, &ctr));
    OK(gmkit_sm4_ctr_update(ctr, work, work, 100));
    CHECK(memcmp(work, data, 100) == 0);
    gmkit_sm4_ctr_free(ctr);

    gmkit_sm4_cbc_encryptor *enc = NULL;
    gmkit_sm4_cbc_decryptor *dec = NULL;
    size_t len, total = 0, plain = 0;
    OK(gmkit_sm4_cbc_encryptor_new(GCM_KEY, iv, &enc));
    for (size_t at = 0; at < 100; at += 25) {
        len = sizeof work - total;
        OK(gmkit_sm4_cbc_encryptor_update(enc, data + at, 25, work + total, &len));
        total += len;
    }
    len = sizeof work - total;
    OK(gmkit_sm4_cbc_encryptor_finish(enc, work + total, &len));
    total += len;
    CHECK(total == 112);
    gmkit_sm4_cbc_encryptor_free(enc);

    OK(gmkit_sm4_cbc_decryptor_new(GCM_KEY, iv, &dec));
    len = sizeof back;
    OK(gmkit_sm4_cbc_decryptor_update(dec, work, total, back, &len));
    plain = len;
    len = sizeof back - plain;
    OK(gmkit_sm4_cbc_decryptor_finish(dec, back + plain, &len));
    CHECK(plain + len == 100 && memcmp(back, data, 100) == 0);
    gmkit_sm4_cbc_decryptor_free(dec);

    /* Over its own input, in pieces that end within blocks. */
    memcpy(back, data, 100);
    OK(gmkit_sm4_cbc_encryptor_new(GCM_KEY, iv, &enc));
    len = sizeof back;
    OK(gmkit_sm4_cbc_encryptor_update(enc, back, 5, back + 100, &len));
    CHECK(len == 0);
    len = sizeof back;
    OK(gmkit_sm4_cbc_encryptor_update(enc, back + 5, 95, back, &len));
    CHECK(len == 96 && memcmp(back, work, 96) == 0);
    gmkit_sm4_cbc_encryptor_free(enc);
}

/* Each format costs seconds of key derivation, and minutes under valgrind: `count` of them. */
static void keys(size_t count) {
    gmkit_private_key *key = NULL, *again = NULL;
    gmkit_public_key *pub = NULL, *other = NULL;
    uint8_t pem[GMKIT_PEM_MAX], point[GMKIT_POINT_SIZE], small[GMKIT_COMPRESSED_POINT_SIZE];
    size_t len;
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &pub));

    /* The first derives its key in a tenth of the others' time. */
    const uint32_t formats[] = {GMKIT_KEY_FORMAT_GMSSL, GMKIT_KEY_FORMAT_COMPAT,
                                GMKIT_KEY_FORMAT_OPENSSL4};
    for (size_t i = 0; i < count && i < 3; i++) {
        len = sizeof pem;
        OK(gmkit_private_key_to_encrypted_pem(key, formats[i], BYTES("pass"), 4, pem, &len));
        FAILS(GMKIT_ERR_PASSPHRASE_NEEDED, gmkit_private_key_read(pem, len, NULL, 0, &again));
        FAILS(GMKIT_ERR_PASSPHRASE_WRONG,
              gmkit_private_key_read(pem, len, BYTES("Pass"), 4, &again));
        OK(gmkit_private_key_read(pem, len, BYTES("pass"), 4, &again));
        OK(gmkit_private_key_public_key(again, &other));
        OK(gmkit_public_key_equal(pub, other));
        gmkit_public_key_free(other);
        gmkit_private_key_free(again);
    }
    len = sizeof pem;
    OK(gmkit_private_key_to_plain_pem(key, pem, &len));
    OK(gmkit_private_key_read(pem, len, NULL, 0, &again));
    gmkit_private_key_free(again);

    FILE *file = fopen("functions-key.pem", "wb");
    CHECK(file != NULL && fwrite(pem, 1, len, file) == len && fclose(file) == 0);
    OK(gmkit_private_key_open("file:functions-key.pem", NULL, 0, &again));
    OK(gmkit_private_key_public_key(again, &other));
    OK(gmkit_public_key_equal(pub, other));
    len = sizeof pem;
    FAILS(GMKIT_ERR_UNSUPPORTED, gmkit_private_key_to_plain_pem(again, pem, &len));
    gmkit_public_key_free(other);
    gmkit_private_key_free(again);
    remove("functions-key.pem");

    uint8_t d[32] = {0};
    d[31] = 1; /* then the public key is the generator */
    OK(gmkit_private_key_from_bytes(d, &again));
    OK(gmkit_private_key_public_key(again, &other));
    OK(gmkit_public_key_to_point(other, point));
    CHECK(point[0] == 4 && point[1] == 0x32 && point[2] == 0xc4 && point[64] == 0xa0);
    FAILS(GMKIT_ERR_REJECTED, gmkit_public_key_equal(pub, other));
    gmkit_public_key_free(other);
    gmkit_private_key_free(again);

    OK(gmkit_public_key_to_point(pub, point));
    OK(gmkit_public_key_from_point(point, sizeof point, &other));
    OK(gmkit_public_key_equal(pub, other));
    gmkit_public_key_free(other);
    OK(gmkit_public_key_to_compressed_point(pub, small));
    OK(gmkit_public_key_from_point(small, sizeof small, &other));
    OK(gmkit_public_key_equal(pub, other));
    gmkit_public_key_free(other);
    len = sizeof pem;
    OK(gmkit_public_key_to_der(pub, pem, &len));
    CHECK(len == 91);
    OK(gmkit_public_key_read(pem, len, &other));
    OK(gmkit_public_key_equal(pub, other));
    gmkit_public_key_free(other);
    len = sizeof pem;
    OK(gmkit_public_key_to_pem(pub, pem, &len));
    OK(gmkit_public_key_read(pem, len, &other));
    OK(gmkit_public_key_equal(pub, other));
    gmkit_public_key_free(other);
    gmkit_public_key_free(pub);
    gmkit_private_key_free(key);
}

/* GB/T 32918.5-2017, annex A: key, e, and the signature with the standard's k. */
static const uint8_t D[32] = {
    0x39, 0x45, 0x20, 0x8f, 0x7b, 0x21, 0x44, 0xb1, 0x3f, 0x36, 0xe3, 0x8a, 0xc6, 0xd3, 0x9f, 0x95,
    0x88, 0x93, 0x93, 0x69, 0x28, 0x60, 0xb5, 0x1a, 0x42, 0xfb, 0x81, 0xef, 0x4d, 0xf7, 0xc5, 0xb8};
static const uint8_t E[32] = {
    0xf0, 0xb4, 0x3e, 0x94, 0xba, 0x45, 0xac, 0xca, 0xac, 0xe6, 0x92, 0xed, 0x53, 0x43, 0x82, 0xeb,
    0x17, 0xe6, 0xab, 0x5a, 0x19, 0xce, 0x7b, 0x31, 0xf4, 0x48, 0x6f, 0xdf, 0xc0, 0xd2, 0x86, 0x40};
static const uint8_t RS[64] = {
    0xf5, 0xa0, 0x3b, 0x06, 0x48, 0xd2, 0xc4, 0x63, 0x0e, 0xea, 0xc5, 0x13, 0xe1, 0xbb, 0x81, 0xa1,
    0x59, 0x44, 0xda, 0x38, 0x27, 0xd5, 0xb7, 0x41, 0x43, 0xac, 0x7e, 0xac, 0xee, 0xe7, 0x20, 0xb3,
    0xb1, 0xb6, 0xaa, 0x29, 0xdf, 0x21, 0x2f, 0xd8, 0x76, 0x31, 0x82, 0xbc, 0x0d, 0x42, 0x1c, 0xa1,
    0xbb, 0x90, 0x38, 0xfd, 0x1f, 0x7f, 0x42, 0xd4, 0x84, 0x0b, 0x69, 0xc4, 0x85, 0xbb, 0xc1, 0xaa};

static void signatures(void) {
    gmkit_private_key *key = NULL;
    gmkit_public_key *pub = NULL;
    gmkit_sm2_signer *signer = NULL;
    gmkit_sm2_verifier *verifier = NULL;
    uint8_t sig[GMKIT_SIGNATURE_MAX];
    size_t len;
    OK(gmkit_private_key_from_bytes(D, &key));
    OK(gmkit_private_key_public_key(key, &pub));
    OK(gmkit_sm2_verify(pub, NULL, 0, BYTES("message digest"), 14, GMKIT_SIGNATURE_RAW, RS, 64));
    OK(gmkit_sm2_verify(pub, BYTES("1234567812345678"), 16, BYTES("message digest"), 14,
                        GMKIT_SIGNATURE_RAW, RS, 64));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_verify(pub, BYTES(""), 0, BYTES("message digest"), 14,
                                               GMKIT_SIGNATURE_RAW, RS, 64));
    OK(gmkit_hazmat_sm2_verify_e(pub, E, GMKIT_SIGNATURE_RAW, RS, 64));
    len = sizeof sig;
    OK(gmkit_hazmat_sm2_sign_e(key, E, GMKIT_SIGNATURE_RAW, sig, &len));
    OK(gmkit_sm2_verify(pub, NULL, 0, BYTES("message digest"), 14, GMKIT_SIGNATURE_RAW, sig, len));

    for (uint32_t form = GMKIT_SIGNATURE_DER; form <= GMKIT_SIGNATURE_RAW; form++) {
        len = sizeof sig;
        OK(gmkit_sm2_sign(key, NULL, 0, BYTES("one two"), 7, form, sig, &len));
        OK(gmkit_sm2_verifier_new(pub, NULL, 0, &verifier));
        OK(gmkit_sm2_verifier_update(verifier, BYTES("one "), 4));
        OK(gmkit_sm2_verifier_update(verifier, BYTES("two"), 3));
        OK(gmkit_sm2_verifier_finish(verifier, form, sig, len));
        FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_verifier_finish(verifier, form, sig, len));
        gmkit_sm2_verifier_free(verifier);
    }

    OK(gmkit_sm2_signer_new(key, BYTES("alice"), 5, &signer));
    gmkit_private_key_free(key); /* the signer keeps what it needs */
    OK(gmkit_sm2_signer_update(signer, BYTES("one "), 4));
    OK(gmkit_sm2_signer_update(signer, BYTES("two"), 3));
    len = 0;
    OK(gmkit_sm2_signer_finish(signer, GMKIT_SIGNATURE_DER, NULL, &len));
    CHECK(len == GMKIT_SIGNATURE_MAX);
    OK(gmkit_sm2_signer_finish(signer, GMKIT_SIGNATURE_DER, sig, &len));
    OK(gmkit_sm2_verify(pub, BYTES("alice"), 5, BYTES("one two"), 7, GMKIT_SIGNATURE_DER, sig, len));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_verify(pub, NULL, 0, BYTES("one two"), 7,
                                               GMKIT_SIGNATURE_DER, sig, len));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_signer_update(signer, BYTES("x"), 1));
    gmkit_sm2_signer_free(signer);
    gmkit_public_key_free(pub);
}

static void encryption(void) {
    gmkit_private_key *key = NULL;
    gmkit_public_key *pub = NULL;
    uint8_t cipher[16 + GMKIT_CIPHERTEXT_OVERHEAD], plain[16];
    size_t len, plain_len;
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &pub));
    for (uint32_t form = GMKIT_CIPHERTEXT_DER; form <= GMKIT_CIPHERTEXT_C1C2C3; form++) {
        len = sizeof cipher;
        OK(gmkit_sm2_encrypt(pub, GCM_KEY, 16, form, cipher, &len));
        OK(gmkit_sm2_decrypt(key, cipher, len, form, NULL, &plain_len));
        CHECK(plain_len == 16);
        OK(gmkit_sm2_decrypt(key, cipher, len, form, plain, &plain_len));
        CHECK(plain_len == 16 && memcmp(plain, GCM_KEY, 16) == 0);
        cipher[len - 1] ^= 1;
        FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_decrypt(key, cipher, len, form, plain, &plain_len));
    }
    gmkit_public_key_free(pub);
    gmkit_private_key_free(key);
}

/* GB/T 32907-2016, A.1 */
static void blocks(void) {
    const uint8_t want[16] = {0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96, 0x5e,
                              0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46};
    uint8_t out[16];
    OK(gmkit_hazmat_sm4_encrypt_blocks(GCM_KEY, GCM_KEY, out, 16));
    CHECK(memcmp(out, want, 16) == 0);
    OK(gmkit_hazmat_sm4_decrypt_blocks(GCM_KEY, out, out, 16));
    CHECK(memcmp(out, GCM_KEY, 16) == 0);
}

static void exchange(void) {
    gmkit_private_key *a = NULL, *b = NULL;
    gmkit_public_key *pub_a = NULL, *pub_b = NULL;
    uint8_t r_a[65], r_b[65], s_a[32], s_b[32], k_a[48], k_b[48];
    OK(gmkit_private_key_generate(&a));
    OK(gmkit_private_key_generate(&b));
    OK(gmkit_private_key_public_key(a, &pub_a));
    OK(gmkit_private_key_public_key(b, &pub_b));
    /* Confirmed; not confirmed; and with another ID, which is found out. */
    for (int round = 0; round < 3; round++) {
        gmkit_sm2_exchange *x = NULL, *y = NULL;
        const uint8_t *id = round == 2 ? BYTES("Eve") : BYTES("Bob");
        OK(gmkit_sm2_exchange_new(a, GMKIT_ROLE_INITIATOR, NULL, 0, pub_b, id, 3, &x));
        OK(gmkit_sm2_exchange_new(b, GMKIT_ROLE_RESPONDER, BYTES("Bob"), 3, pub_a, NULL, 0, &y));
        OK(gmkit_sm2_exchange_ephemeral(x, r_a));
        OK(gmkit_sm2_exchange_ephemeral(y, r_b));
        OK(gmkit_sm2_exchange_agree(y, r_a, 65, 48, s_b));
        OK(gmkit_sm2_exchange_agree(x, r_b, 65, 48, s_a));
        memset(k_a, 0x55, sizeof k_a);
        if (round == 0) {
            OK(gmkit_sm2_exchange_confirm(x, s_b, k_a, 48));
            OK(gmkit_sm2_exchange_confirm(y, s_a, k_b, 48));
            CHECK(memcmp(k_a, k_b, 48) == 0);
        } else if (round == 1) {
            OK(gmkit_sm2_exchange_key_without_confirmation(x, k_a, 48));
            OK(gmkit_sm2_exchange_key_without_confirmation(y, k_b, 48));
            CHECK(memcmp(k_a, k_b, 48) == 0);
        } else {
            FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_exchange_confirm(x, s_b, k_a, 48));
            FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_exchange_confirm(y, s_a, k_b, 48));
            FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_exchange_key_without_confirmation(x, k_a, 48));
            CHECK(k_a[0] == 0x55 && k_a[47] == 0x55);
        }
        gmkit_sm2_exchange_free(x);
        gmkit_sm2_exchange_free(y);
    }
    gmkit_public_key_free(pub_a);
    gmkit_public_key_free(pub_b);
    gmkit_private_key_free(a);
    gmkit_private_key_free(b);
}

/* CFB, OFB and XTS by their first block, which is E(IV) or depends on both keys, and back. CCM is
 * RFC 8998, A.2. The vectors say more about all of them. */
static void other_modes(void) {
    const uint8_t block[16] = {0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96, 0x5e,
                               0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46};
    const uint8_t zero[100] = {0};
    uint8_t work[100], other[100], key[32], tag[16], mac[16];
    gmkit_sm4_cfb_encryptor *enc = NULL;
    gmkit_sm4_cfb_decryptor *dec = NULL;
    gmkit_sm4_ofb *ofb = NULL;
    gmkit_sm4_xts *gb = NULL, *ieee = NULL;
    OK(gmkit_sm4_cfb_encryptor_new(GCM_KEY, GCM_KEY, &enc));
    OK(gmkit_sm4_cfb_encryptor_update(enc, zero, work, 33));
    OK(gmkit_sm4_cfb_encryptor_update(enc, zero, work + 33, 67));
    CHECK(memcmp(work, block, 16) == 0);
    gmkit_sm4_cfb_encryptor_free(enc);
    OK(gmkit_sm4_cfb_decryptor_new(GCM_KEY, GCM_KEY, &dec));
    OK(gmkit_sm4_cfb_decryptor_update(dec, work, work, 10));
    OK(gmkit_sm4_cfb_decryptor_update(dec, work + 10, work + 10, 90));
    CHECK(memcmp(work, zero, 100) == 0);
    gmkit_sm4_cfb_decryptor_free(dec);
    OK(gmkit_sm4_ofb_new(GCM_KEY, GCM_KEY, &ofb));
    OK(gmkit_sm4_ofb_update(ofb, zero, work, 100));
    CHECK(memcmp(work, block, 16) == 0);
    gmkit_sm4_ofb_free(ofb);

    memcpy(key, GCM_KEY, 16);
    memset(key + 16, 7, 16);
    OK(gmkit_sm4_xts_new(key, GMKIT_XTS_GB, &gb));
    OK(gmkit_sm4_xts_new(key, GMKIT_XTS_IEEE, &ieee));
    OK(gmkit_sm4_xts_encrypt(gb, zero, zero, work, 100));
    OK(gmkit_sm4_xts_encrypt(ieee, zero, zero, other, 100));
    CHECK(memcmp(work, other, 16) == 0 && memcmp(work + 16, other + 16, 16) != 0);
    OK(gmkit_sm4_xts_decrypt(gb, zero, work, work, 100));
    OK(gmkit_sm4_xts_decrypt(ieee, zero, other, other, 100));
    CHECK(memcmp(work, zero, 100) == 0 && memcmp(other, zero, 100) == 0);
    gmkit_sm4_xts_free(gb);
    gmkit_sm4_xts_free(ieee);

    const uint8_t ccm_tag[16] = {0x16, 0x84, 0x2d, 0x4f, 0xa1, 0x86, 0xf5, 0x6a,
                                 0xb3, 0x32, 0x56, 0x97, 0x1f, 0xa1, 0x10, 0xf4};
    uint8_t plain[64], cipher[64];
    gmkit_sm4_ccm *ccm = NULL;
    gmkit_sm4_gcm_siv *siv = NULL;
    gcm_plaintext(plain);
    OK(gmkit_sm4_ccm_new(GCM_KEY, 16, &ccm));
    OK(gmkit_sm4_ccm_seal(ccm, GCM_NONCE, 12, GCM_AAD, 20, plain, cipher, 64, tag));
    CHECK(memcmp(tag, ccm_tag, 16) == 0);
    OK(gmkit_sm4_ccm_open(ccm, GCM_NONCE, 12, GCM_AAD, 20, cipher, cipher, 64, tag, 16));
    CHECK(memcmp(cipher, plain, 64) == 0);
    gmkit_sm4_ccm_free(ccm);
    OK(gmkit_sm4_gcm_siv_new(GCM_KEY, &siv));
    OK(gmkit_sm4_gcm_siv_seal(siv, GCM_NONCE, GCM_AAD, 20, plain, cipher, 64, tag));
    OK(gmkit_sm4_gcm_siv_open(siv, GCM_NONCE, GCM_AAD, 20, cipher, cipher, 64, tag));
    CHECK(memcmp(cipher, plain, 64) == 0);
    gmkit_sm4_gcm_siv_free(siv);

    gmkit_sm4_cmac *cmac = NULL;
    OK(gmkit_sm4_cmac_new(GCM_KEY, &cmac));
    OK(gmkit_sm4_cmac_update(cmac, zero, 40));
    OK(gmkit_sm4_cmac_finish(cmac, tag));
    OK(gmkit_sm4_cmac_update(cmac, zero, 15));
    OK(gmkit_sm4_cmac_update(cmac, zero, 25));
    OK(gmkit_sm4_cmac_finish_check(cmac, tag));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_cmac_finish_check(cmac, tag));
    gmkit_sm4_cmac_free(cmac);
    OK(gmkit_sm4_gmac(GCM_KEY, GCM_NONCE, 12, GCM_AAD, 20, mac));
    gmkit_sm4_gcm *gcm = NULL;
    OK(gmkit_sm4_gcm_new(GCM_KEY, &gcm));
    OK(gmkit_sm4_gcm_seal(gcm, GCM_NONCE, 12, GCM_AAD, 20, NULL, NULL, 0, tag));
    CHECK(memcmp(tag, mac, 16) == 0);
    gmkit_sm4_gcm_free(gcm);

    size_t len = sizeof work;
    OK(gmkit_sm4_wrap(GCM_KEY, key, 32, work, &len));
    CHECK(len == 40);
    len = sizeof other;
    OK(gmkit_sm4_unwrap(GCM_KEY, work, 40, other, &len));
    CHECK(len == 32 && memcmp(other, key, 32) == 0);
    len = sizeof work;
    OK(gmkit_sm4_wrap_padded(GCM_KEY, key, 21, work, &len));
    CHECK(len == 32);
    len = sizeof other;
    OK(gmkit_sm4_unwrap_padded(GCM_KEY, work, 32, other, &len));
    CHECK(len == 21 && memcmp(other, key, 21) == 0);
}

/* GB/T 17964-2021: HCTR, BC and OFBNLF by the values that independent implementations agree on,
 * and FF1 there and back. */
static void rare_modes(void) {
    const uint8_t key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                             0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    const uint8_t plain[32] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e,
                               0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03,
                               0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51};
    const uint8_t bc[4] = {0xac, 0x52, 0x9a, 0xf9}, ofbnlf[4] = {0x00, 0xa5, 0xb5, 0xc9};
    uint8_t iv[16], work[32], other[32];
    for (int i = 0; i < 16; i++) {
        iv[i] = (uint8_t)i;
    }
    OK(gmkit_sm4_bc_encrypt(key, iv, plain, work, 32));
    CHECK(memcmp(work, bc, 4) == 0);
    OK(gmkit_sm4_bc_decrypt(key, iv, work, work, 32));
    CHECK(memcmp(work, plain, 32) == 0);
    OK(gmkit_sm4_ofbnlf_encrypt(key, iv, plain, work, 32));
    CHECK(memcmp(work, ofbnlf, 4) == 0);
    OK(gmkit_sm4_ofbnlf_decrypt(key, iv, work, work, 32));
    CHECK(memcmp(work, plain, 32) == 0);

    gmkit_sm4_hctr *hctr = NULL;
    OK(gmkit_sm4_hctr_new(key, iv, &hctr));
    OK(gmkit_sm4_hctr_encrypt(hctr, iv, plain, work, 29));
    memcpy(other, plain, 32);
    other[28] ^= 1;
    OK(gmkit_sm4_hctr_encrypt(hctr, iv, other, other, 29));
    for (int i = 0; i < 24; i += 4) { /* one bit changes all of it */
        CHECK(memcmp(work + i, other + i, 4) != 0);
    }
    OK(gmkit_sm4_hctr_decrypt(hctr, iv, work, work, 29));
    CHECK(memcmp(work, plain, 29) == 0);
    gmkit_sm4_hctr_free(hctr);

    gmkit_sm4_ff1 *ff1 = NULL;
    uint8_t text[64], back[64];
    size_t len = sizeof text, back_len = sizeof back;
    OK(gmkit_sm4_ff1_new(key, "0123456789", &ff1));
    OK(gmkit_sm4_ff1_encrypt(ff1, BYTES("card"), 4, BYTES("6222021234567894"), 16, text, &len));
    CHECK(len == 16 && memcmp(text, "6222021234567894", 16) != 0);
    for (size_t i = 0; i < len; i++) {
        CHECK(text[i] >= '0' && text[i] <= '9');
    }
    OK(gmkit_sm4_ff1_decrypt(ff1, BYTES("card"), 4, text, len, back, &back_len));
    CHECK(back_len == 16 && memcmp(back, "6222021234567894", 16) == 0);
    gmkit_sm4_ff1_free(ff1);
}

static void many_at_once(void) {
    const gmkit_bytes messages[3] = {{BYTES("one"), 3}, {NULL, 0}, {BYTES("three 16-byte blocks, or "
                                                                          "48 bytes in all..."), 40}};
    uint8_t digests[96], digest[32], tags[48], tag[16], out[64], one[64];
    gmkit_sm4_cmac *cmac = NULL;
    OK(gmkit_sm3_digest_many(messages, 3, digests));
    OK(gmkit_sm4_cmac_many(GCM_KEY, messages, 3, tags));
    OK(gmkit_sm4_cmac_new(GCM_KEY, &cmac));
    for (int i = 0; i < 3; i++) {
        OK(gmkit_sm3_digest(messages[i].data, messages[i].len, digest));
        CHECK(memcmp(digest, digests + 32 * i, 32) == 0);
        OK(gmkit_sm4_cmac_update(cmac, messages[i].data, messages[i].len));
        OK(gmkit_sm4_cmac_finish(cmac, tag));
        CHECK(memcmp(tag, tags + 16 * i, 16) == 0);
    }
    gmkit_sm4_cmac_free(cmac);

    /* CBC without padding is what the padding encryptor does but for the last block. */
    const gmkit_bytes blocks[2] = {{GCM_KEY, 16}, {messages[2].data, 32}};
    const gmkit_bytes ivs[2] = {{GCM_KEY, 16}, {digests, 16}};
    size_t at = 0;
    OK(gmkit_sm4_cbc_encrypt_many(GCM_KEY, ivs, blocks, 2, out));
    for (int i = 0; i < 2; i++) {
        gmkit_sm4_cbc_encryptor *enc = NULL;
        size_t len = sizeof one;
        OK(gmkit_sm4_cbc_encryptor_new(GCM_KEY, ivs[i].data, &enc));
        OK(gmkit_sm4_cbc_encryptor_update(enc, blocks[i].data, blocks[i].len, one, &len));
        CHECK(len == blocks[i].len && memcmp(one, out + at, len) == 0);
        at += len;
        gmkit_sm4_cbc_encryptor_free(enc);
    }
}

static void many_signatures(void) {
    enum { COUNT = 30 };
    gmkit_private_key *key = NULL;
    gmkit_public_key *pub = NULL;
    gmkit_sm2_prepared_key *prepared = NULL;
    uint8_t text[COUNT][4], raw[64 * COUNT];
    gmkit_bytes messages[COUNT], signatures[COUNT];
    int32_t verdicts[COUNT];
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &pub));
    for (int i = 0; i < COUNT; i++) {
        memset(text[i], 'a' + i, 4);
        messages[i].data = text[i];
        messages[i].len = (size_t)(i % 5);
        signatures[i].data = raw + 64 * i;
        signatures[i].len = 64;
    }
    OK(gmkit_sm2_sign_many(key, NULL, 0, messages, COUNT, raw));
    OK(gmkit_sm2_prepared_key_new(pub, NULL, 0, &prepared));
    for (int i = 0; i < COUNT; i++) {
        OK(gmkit_sm2_verify(pub, NULL, 0, messages[i].data, messages[i].len, GMKIT_SIGNATURE_RAW,
                            raw + 64 * i, 64));
        OK(gmkit_sm2_prepared_key_verify(prepared, messages[i].data, messages[i].len,
                                         GMKIT_SIGNATURE_RAW, raw + 64 * i, 64));
        FAILS(GMKIT_ERR_REJECTED,
              gmkit_sm2_prepared_key_verify(prepared, BYTES("other"), 5, GMKIT_SIGNATURE_RAW,
                                            raw + 64 * i, 64));
    }
    /* Few and many: the second prepares the key itself. */
    for (size_t count = 10; count <= COUNT; count += 10) {
        memset(verdicts, 0x55, sizeof verdicts);
        OK(gmkit_sm2_verify_many(pub, NULL, 0, messages, GMKIT_SIGNATURE_RAW, signatures, count,
                                 verdicts));
        for (size_t i = 0; i < count; i++) {
            CHECK(verdicts[i] == GMKIT_OK);
        }
    }
    /* One wrong, one malformed, one out of range: the others still fit. */
    raw[64 * 3 + 40] ^= 1;
    signatures[7].len = 63;
    memset(raw + 64 * 11, 0xff, 64);
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_verify_many(pub, NULL, 0, messages, GMKIT_SIGNATURE_RAW,
                                                    signatures, COUNT, verdicts));
    for (int i = 0; i < COUNT; i++) {
        const int32_t want = i == 3               ? GMKIT_ERR_REJECTED
                                 : i == 7 || i == 11 ? GMKIT_ERR_ENCODING
                                                      : GMKIT_OK;
        CHECK(verdicts[i] == want);
    }
    gmkit_sm2_prepared_key_free(prepared);
    gmkit_public_key_free(pub);
    gmkit_private_key_free(key);
}

static void derivation(void) {
    /* HKDF: inputs of RFC 5869, A.1; PBKDF2 and TLCP's PRF: published values. */
    const uint8_t hkdf[4] = {0xc6, 0x9f, 0xe9, 0x1b}, pbkdf2[4] = {0x30, 0x53, 0x0b, 0x86};
    uint8_t ikm[22], salt[13], info[10], out[64], again[64];
    memset(ikm, 0x0b, sizeof ikm);
    for (int i = 0; i < 13; i++) {
        salt[i] = (uint8_t)i;
    }
    for (int i = 0; i < 10; i++) {
        info[i] = (uint8_t)(0xf0 + i);
    }
    OK(gmkit_hkdf_sm3(ikm, 22, salt, 13, info, 10, out, 42));
    CHECK(memcmp(out, hkdf, 4) == 0);
    OK(gmkit_pbkdf2_sm3(BYTES("passwd"), 6, BYTES("salt"), 4, 1, out, 64));
    CHECK(memcmp(out, pbkdf2, 4) == 0);
    OK(gmkit_tls12_prf_sm3(ikm, 22, BYTES("label"), 5, salt, 13, out, 64));
    OK(gmkit_tls12_prf_sm3(ikm, 22, BYTES("lab"), 3, BYTES("el\0\1\2\3\4\5\6\7\10\11\12\13\14"), 15,
                           again, 64));
    CHECK(memcmp(out, again, 64) == 0); /* label and seed are one string */
    OK(gmkit_tls13_expand_label_sm3(out, 32, BYTES("key"), 3, NULL, 0, again, 16));
    /* The same by HKDF-Expand's definition: one block of HMAC. */
    OK(gmkit_hmac_sm3_mac(out, 32, BYTES("\0\20\11tls13 key\0\1"), 14, out + 32));
    CHECK(memcmp(again, out + 32, 16) == 0);
}

static void generators(void) {
    for (uint32_t mechanism = GMKIT_DRNG_SM3; mechanism <= GMKIT_DRNG_SM4; mechanism++) {
        gmkit_drng *one = NULL, *two = NULL;
        uint8_t a[100], b[100];
        OK(gmkit_drng_new(mechanism, 1, NULL, 0, &one));
        OK(gmkit_drng_new(mechanism, 2, BYTES("two"), 3, &two));
        OK(gmkit_drng_fill(one, a, sizeof a));
        OK(gmkit_drng_fill(two, b, sizeof b));
        CHECK(memcmp(a, b, 16) != 0);
        OK(gmkit_drng_reseed(one, BYTES("more"), 4));
        OK(gmkit_drng_fill(one, b, sizeof b));
        CHECK(memcmp(a, b, 16) != 0);
        gmkit_drng_free(one);
        gmkit_drng_free(two);
    }
}

static void envelopes(void) {
    gmkit_private_key *owner = NULL, *made = NULL, *received = NULL;
    gmkit_public_key *pub = NULL, *made_pub = NULL, *received_pub = NULL;
    uint8_t envelope[GMKIT_ENVELOPE_MAX], a[65], b[65];
    size_t len = sizeof envelope;
    OK(gmkit_private_key_generate(&owner));
    OK(gmkit_private_key_generate(&made));
    OK(gmkit_private_key_public_key(owner, &pub));
    OK(gmkit_envelope_seal(made, pub, envelope, &len));
    OK(gmkit_envelope_open(owner, envelope, len, &received));
    OK(gmkit_private_key_public_key(made, &made_pub));
    OK(gmkit_private_key_public_key(received, &received_pub));
    OK(gmkit_public_key_to_point(made_pub, a));
    OK(gmkit_public_key_to_point(received_pub, b));
    CHECK(memcmp(a, b, 65) == 0);
    gmkit_private_key_free(received);
    received = NULL;
    FAILS(GMKIT_ERR_REJECTED, gmkit_envelope_open(made, envelope, len, &received));
    envelope[len - 1] ^= 1; /* another d: not the private key of the public key beside it */
    FAILS(GMKIT_ERR_REJECTED, gmkit_envelope_open(owner, envelope, len, &received));
    CHECK(received == NULL);
    gmkit_private_key_free(owner);
    gmkit_private_key_free(made);
    gmkit_public_key_free(pub);
    gmkit_public_key_free(made_pub);
    gmkit_public_key_free(received_pub);
}

/* Outputs with exactly the promised room, on the heap, where valgrind and the sanitizer see a byte
 * too many. */
static gmkit_certificate *certificate_of(const char *pem) {
    gmkit_certificate *certificate = NULL;
    OK(gmkit_certificate_read(BYTES(pem), strlen(pem), 0, &certificate));
    return certificate;
}

static void certificates(void) {
    gmkit_certificate *server = certificate_of(SERVER);
    char text[256];
    uint8_t bytes[2048], fingerprint[32], digest[32];
    size_t len = sizeof text;
    OK(gmkit_certificate_subject(server, (uint8_t *)text, &len));
    CHECK(len == LEN("C=CN, O=t, CN=localhost") && memcmp(text, "C=CN, O=t, CN=localhost", len) == 0);
    len = sizeof text;
    OK(gmkit_certificate_issuer(server, (uint8_t *)text, &len));
    CHECK(len == LEN("C=CN, O=t, CN=sub") && memcmp(text, "C=CN, O=t, CN=sub", len) == 0);
    len = sizeof bytes;
    OK(gmkit_certificate_serial(server, bytes, &len));
    CHECK(len > 0 && len <= 20 && bytes[0] != 0);
    CHECK(gmkit_certificate_not_before(server) < CHAIN_TIME);
    CHECK(gmkit_certificate_not_after(server) - gmkit_certificate_not_before(server) == 300 * 86400);

    /* DER and PEM are one certificate, and the fingerprint is over the DER. */
    gmkit_certificate *again = NULL;
    len = sizeof bytes;
    OK(gmkit_certificate_to_der(server, bytes, &len));
    OK(gmkit_certificate_read(bytes, len, 0, &again));
    OK(gmkit_certificate_fingerprint_sm3(again, fingerprint));
    OK(gmkit_sm3_digest(bytes, len, digest));
    CHECK(memcmp(fingerprint, digest, 32) == 0);
    gmkit_certificate_free(again);

    gmkit_public_key *key = NULL;
    OK(gmkit_certificate_public_key(server, &key));
    gmkit_public_key_free(key);
    gmkit_certificate_free(server);
    gmkit_certificate_free(NULL);
}

static void chains(void) {
    gmkit_certificate *root = certificate_of(ROOT), *authority = certificate_of(AUTHORITY);
    gmkit_certificate *server = certificate_of(SERVER), *revoked = certificate_of(REVOKED);
    gmkit_verifier *verifier = NULL;
    const uint8_t *host = BYTES("localhost");
    OK(gmkit_verifier_new(&verifier));
    OK(gmkit_verifier_set_time(verifier, CHAIN_TIME));
    OK(gmkit_verifier_add_anchor(verifier, root, NULL, 0));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_ANY, NULL, 0));
    OK(gmkit_verifier_add_intermediate(verifier, authority));
    OK(gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_ANY, NULL, 0));
    OK(gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_SERVER, host, 9));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_SERVER, host, 8));
    CHECK(strstr(gmkit_last_error_message(), "not for localhos") != NULL);
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_CLIENT, NULL, 0));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_ENCRYPT, NULL, 0));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_SIGN, NULL, 0));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_OCSP, NULL, 0));
    OK(gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    OK(gmkit_verifier_verify(verifier, revoked, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    OK(gmkit_verifier_add_crls(verifier, BYTES(CRL), LEN(CRL)));
    OK(gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, revoked, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    OK(gmkit_verifier_check_all_revocation(verifier));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    gmkit_verifier_free(verifier);

    OK(gmkit_verifier_new(&verifier));
    OK(gmkit_verifier_set_time(verifier, CHAIN_TIME));
    OK(gmkit_verifier_add_anchor(verifier, root, NULL, 0));
    OK(gmkit_verifier_add_intermediate(verifier, authority));
    OK(gmkit_verifier_add_ocsp(verifier, SERVER_OCSP, sizeof SERVER_OCSP));
    OK(gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, revoked, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    OK(gmkit_verifier_add_ocsp(verifier, REVOKED_OCSP, sizeof REVOKED_OCSP));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, revoked, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    CHECK(strstr(gmkit_last_error_message(), "revoked") != NULL);
    OK(gmkit_verifier_set_time(verifier, CHAIN_TIME + (int64_t)4000 * 86400));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_TLS_SERVER, NULL, 0));
    CHECK(strstr(gmkit_last_error_message(), "expired") != NULL);
    gmkit_verifier_free(verifier);

    /* Under another ID the signatures are not good. */
    OK(gmkit_verifier_new(&verifier));
    OK(gmkit_verifier_set_time(verifier, CHAIN_TIME));
    OK(gmkit_verifier_add_anchor(verifier, authority, BYTES("alice"), 5));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_ANY, NULL, 0));
    OK(gmkit_verifier_add_anchor(verifier, authority, BYTES("1234567812345678"), 16));
    OK(gmkit_verifier_verify(verifier, server, GMKIT_PURPOSE_ANY, NULL, 0));
    gmkit_verifier_free(verifier);
    gmkit_verifier_free(NULL);
    gmkit_certificate_free(root);
    gmkit_certificate_free(authority);
    gmkit_certificate_free(server);
    gmkit_certificate_free(revoked);
}

static void requests(void) {
    gmkit_private_key *key = NULL;
    gmkit_public_key *own = NULL, *asked = NULL;
    gmkit_request *request = NULL;
    static uint8_t pem[GMKIT_REQUEST_MAX];
    char text[64];
    size_t len = 0;
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &own));
    OK(gmkit_request_make(key, "CN=a.example,C=CN", BYTES("DNS:a.example"), 13, NULL, &len));
    CHECK(len == GMKIT_REQUEST_MAX);
    OK(gmkit_request_make(key, "CN=a.example,C=CN", BYTES("DNS:a.example"), 13, pem, &len));
    OK(gmkit_request_read(pem, len, &request));
    OK(gmkit_request_public_key(request, &asked));
    OK(gmkit_public_key_equal(own, asked));
    len = sizeof text;
    OK(gmkit_request_subject(request, (uint8_t *)text, &len));
    CHECK(len == LEN("CN=a.example, C=CN") && memcmp(text, "CN=a.example, C=CN", len) == 0);
    gmkit_request_free(request);
    gmkit_request_free(NULL);
    gmkit_public_key_free(asked);
    gmkit_public_key_free(own);
    gmkit_private_key_free(key);
}

static void exact_room(void) {
    gmkit_private_key *key = NULL;
    gmkit_public_key *pub = NULL;
    gmkit_sm4_cbc_encryptor *enc = NULL;
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &pub));
    const size_t rooms[] = {32, 64, 72, GMKIT_PEM_MAX, 1 + GMKIT_CIPHERTEXT_OVERHEAD, 20 + 15};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        size_t len = rooms[i];
        uint8_t *out = (uint8_t *)malloc(len);
        CHECK(out != NULL);
        switch (i) {
        case 0:
            OK(gmkit_sm3_digest(BYTES("x"), 1, out));
            break;
        case 1:
            OK(gmkit_sm2_sign(key, NULL, 0, BYTES("x"), 1, GMKIT_SIGNATURE_RAW, out, &len));
            break;
        case 2:
            OK(gmkit_sm2_sign(key, NULL, 0, BYTES("x"), 1, GMKIT_SIGNATURE_DER, out, &len));
            break;
        case 3:
            OK(gmkit_private_key_to_plain_pem(key, out, &len));
            break;
        case 4:
            OK(gmkit_sm2_encrypt(pub, BYTES("x"), 1, GMKIT_CIPHERTEXT_DER, out, &len));
            break;
        default:
            OK(gmkit_sm4_cbc_encryptor_new(GCM_KEY, GCM_KEY, &enc));
            OK(gmkit_sm4_cbc_encryptor_update(enc, BYTES("12345678901234567890"), 20, out, &len));
            gmkit_sm4_cbc_encryptor_free(enc);
        }
        CHECK(len <= rooms[i]);
        free(out);
    }
    gmkit_public_key_free(pub);
    gmkit_private_key_free(key);
}

/* functions [FORMATS]: how many formats of encrypted keys are written and read, all by default. */
int main(int argc, char **argv) {
    library();
    errors_have_texts();
    sm3();
    hmac();
    gcm();
    secret_key();
    secret_key_mac();
    ctr_and_cbc();
    keys(argc > 1 ? strtoul(argv[1], NULL, 10) : 3);
    signatures();
    encryption();
    exchange();
    blocks();
    other_modes();
    rare_modes();
    many_at_once();
    many_signatures();
    derivation();
    generators();
    envelopes();
    certificates();
    chains();
    requests();
    exact_room();
    puts("functions: ok");
    return 0;
}
