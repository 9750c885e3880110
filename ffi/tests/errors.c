/* Every way to be refused: NULL for each pointer, lengths, choices, states, types, overlap,
 * malformed input. Outputs stay as they were: FAILS looks at all of `out` and at `len`. */
#include "chain.h"
#include "check.h"

#define HUGE ((size_t)-1)

static const uint8_t K[16] = {1}, IV[16] = {2}, M[64] = {3};
static uint8_t out[2048], shadow[2048];
static size_t len, shadow_len;

static void remember(void) {
    memcpy(shadow, out, sizeof out);
    shadow_len = len;
}

#undef FAILS
#define FAILS(code, call)                                                               \
    do {                                                                                \
        remember();                                                                     \
        CHECK((call) == (code));                                                        \
        CHECK(memcmp(shadow, out, sizeof out) == 0 && shadow_len == len);               \
    } while (0)
#define REFUSES_NULL(call) FAILS(GMKIT_ERR_NULL, call)

static void sm3(void) {
    gmkit_sm3 *h = NULL;
    REFUSES_NULL(gmkit_sm3_digest(NULL, 1, out));
    REFUSES_NULL(gmkit_sm3_digest(M, 1, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm3_digest(M, HUGE, out));
    OK(gmkit_sm3_digest(NULL, 0, out));
    REFUSES_NULL(gmkit_sm3_new(NULL));
    REFUSES_NULL(gmkit_sm3_update(NULL, M, 1));
    REFUSES_NULL(gmkit_sm3_finish(NULL, out));
    REFUSES_NULL(gmkit_sm3_copy(NULL, &h));
    OK(gmkit_sm3_new(&h));
    REFUSES_NULL(gmkit_sm3_update(h, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm3_update(h, M, HUGE));
    REFUSES_NULL(gmkit_sm3_finish(h, NULL));
    REFUSES_NULL(gmkit_sm3_copy(h, NULL));
    REFUSES_NULL(gmkit_sm3_kdf(NULL, 1, out, 1));
    REFUSES_NULL(gmkit_sm3_kdf(M, 1, NULL, 1));
    OK(gmkit_sm3_kdf(M, 1, NULL, 0));
    FAILS(GMKIT_ERR_HANDLE, gmkit_sm2_verifier_update((gmkit_sm2_verifier *)(void *)h, M, 1));
    CHECK(strstr(gmkit_last_error_message(), "another type") != NULL);
    /* No handle at all, and one at an odd address: read, never followed. */
    uint64_t junk[8] = {0};
    FAILS(GMKIT_ERR_HANDLE, gmkit_sm3_update((gmkit_sm3 *)(void *)junk, M, 1));
    FAILS(GMKIT_ERR_HANDLE, gmkit_sm3_update((gmkit_sm3 *)(void *)((char *)junk + 1), M, 1));
    gmkit_sm3_free((gmkit_sm3 *)(void *)junk);
    gmkit_sm3_free(h);
    REFUSES_NULL(gmkit_random(NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_random(out, HUGE));
    OK(gmkit_random(NULL, 0));
}

static void hmac(void) {
    gmkit_hmac_sm3 *h = NULL;
    REFUSES_NULL(gmkit_hmac_sm3_mac(NULL, 1, M, 1, out));
    REFUSES_NULL(gmkit_hmac_sm3_mac(K, 16, NULL, 1, out));
    REFUSES_NULL(gmkit_hmac_sm3_mac(K, 16, M, 1, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_hmac_sm3_mac(NULL, 0, M, 1, out));
    REFUSES_NULL(gmkit_hmac_sm3_check(NULL, 1, M, 1, out));
    REFUSES_NULL(gmkit_hmac_sm3_check(K, 16, NULL, 1, out));
    REFUSES_NULL(gmkit_hmac_sm3_check(K, 16, M, 1, NULL));
    REFUSES_NULL(gmkit_hmac_sm3_new(NULL, 1, &h));
    REFUSES_NULL(gmkit_hmac_sm3_new(K, 16, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_hmac_sm3_new(K, 0, &h));
    CHECK(h == NULL);
    REFUSES_NULL(gmkit_hmac_sm3_update(NULL, M, 1));
    REFUSES_NULL(gmkit_hmac_sm3_finish(NULL, out));
    REFUSES_NULL(gmkit_hmac_sm3_finish_check(NULL, M));
    OK(gmkit_hmac_sm3_new(K, 16, &h));
    REFUSES_NULL(gmkit_hmac_sm3_update(h, NULL, 1));
    REFUSES_NULL(gmkit_hmac_sm3_finish(h, NULL));
    REFUSES_NULL(gmkit_hmac_sm3_finish_check(h, NULL));
    gmkit_hmac_sm3_free(h);
}

static void gcm(void) {
    gmkit_sm4_gcm *g = NULL;
    gmkit_sm4_gcm_sealer *s = NULL;
    gmkit_sm4_gcm_opener *o = NULL;
    REFUSES_NULL(gmkit_sm4_gcm_new(NULL, &g));
    REFUSES_NULL(gmkit_sm4_gcm_new(K, NULL));
    OK(gmkit_sm4_gcm_new(K, &g));
    REFUSES_NULL(gmkit_sm4_gcm_seal(NULL, IV, 12, NULL, 0, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_seal(g, NULL, 12, NULL, 0, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_seal(g, IV, 12, NULL, 1, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, NULL, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, M, NULL, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, M, out, 8, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_seal(g, IV, 0, NULL, 0, M, out, 8, out + 64));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, out, out + 7, 8, out + 64));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, out + 7, out, 8, out + 64));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, M, out, HUGE, out + 64));
    /* Outputs over other arguments, or over each other. */
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_seal(g, out + 4, 12, NULL, 0, M, out, 8, out + 64));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_seal(g, IV, 12, out + 7, 1, M, out, 8, out + 64));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, M, out, 8, out + 7));
    FAILS(GMKIT_ERR_ARGUMENT,
          gmkit_sm4_gcm_open(g, IV, 12, NULL, 0, out, out, 64, out + 48, 16));
    OK(gmkit_sm4_gcm_seal(g, IV, 12, NULL, 0, NULL, NULL, 0, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_open(NULL, IV, 12, NULL, 0, M, out, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_gcm_open(g, NULL, 12, NULL, 0, M, out, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_gcm_open(g, IV, 12, NULL, 1, M, out, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_gcm_open(g, IV, 12, NULL, 0, NULL, out, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_gcm_open(g, IV, 12, NULL, 0, M, NULL, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_gcm_open(g, IV, 12, NULL, 0, M, out, 8, NULL, 16));
    for (size_t tag = 0; tag < 20; tag++) {
        FAILS(tag < 12 || tag > 16 ? GMKIT_ERR_ARGUMENT : GMKIT_ERR_REJECTED,
              gmkit_sm4_gcm_open(g, IV, 12, NULL, 0, M, out, 8, M, tag));
    }
    REFUSES_NULL(gmkit_sm4_gcm_sealer_new(NULL, IV, 12, NULL, 0, &s));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_new(g, NULL, 12, NULL, 0, &s));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_new(g, IV, 12, NULL, 1, &s));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_new(g, IV, 12, NULL, 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_sealer_new(g, IV, 0, NULL, 0, &s));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_update(NULL, M, out, 8));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_finish(NULL, out));
    OK(gmkit_sm4_gcm_sealer_new(g, IV, 12, NULL, 0, &s));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_update(s, NULL, out, 8));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_update(s, M, NULL, 8));
    REFUSES_NULL(gmkit_sm4_gcm_sealer_finish(s, NULL));
    OK(gmkit_sm4_gcm_sealer_finish(s, out));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm4_gcm_sealer_finish(s, out));
    gmkit_sm4_gcm_sealer_free(s);
    REFUSES_NULL(gmkit_sm4_gcm_opener_new(NULL, IV, 12, NULL, 0, &o));
    REFUSES_NULL(gmkit_sm4_gcm_opener_new(g, NULL, 12, NULL, 0, &o));
    REFUSES_NULL(gmkit_sm4_gcm_opener_new(g, IV, 12, NULL, 1, &o));
    REFUSES_NULL(gmkit_sm4_gcm_opener_new(g, IV, 12, NULL, 0, NULL));
    REFUSES_NULL(gmkit_sm4_gcm_opener_update_unverified(NULL, M, out, 8));
    REFUSES_NULL(gmkit_sm4_gcm_opener_finish(NULL, M, 16));
    OK(gmkit_sm4_gcm_opener_new(g, IV, 12, NULL, 0, &o));
    REFUSES_NULL(gmkit_sm4_gcm_opener_update_unverified(o, NULL, out, 8));
    REFUSES_NULL(gmkit_sm4_gcm_opener_update_unverified(o, M, NULL, 8));
    REFUSES_NULL(gmkit_sm4_gcm_opener_finish(o, NULL, 16));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_gcm_opener_finish(o, M, 16));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm4_gcm_opener_update_unverified(o, M, out, 8));
    gmkit_sm4_gcm_opener_free(o);
    gmkit_sm4_gcm_free(g);
}

static void secret_key(void) {
    gmkit_secret_key *k = NULL;
    REFUSES_NULL(gmkit_secret_key_new_sm4(NULL, &k));
    REFUSES_NULL(gmkit_secret_key_new_sm4(K, NULL));
    OK(gmkit_secret_key_new_sm4(K, &k));
    len = sizeof out;
    REFUSES_NULL(gmkit_secret_key_seal(NULL, NULL, 0, M, 8, out, &len));
    REFUSES_NULL(gmkit_secret_key_seal(k, NULL, 1, M, 8, out, &len));
    REFUSES_NULL(gmkit_secret_key_seal(k, NULL, 0, NULL, 8, out, &len));
    REFUSES_NULL(gmkit_secret_key_seal(k, NULL, 0, M, 8, out, NULL));
    len = 8 + GMKIT_SEAL_OVERHEAD - 1;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_secret_key_seal(k, NULL, 0, M, 8, out, &len));
    CHECK(len == 8 + GMKIT_SEAL_OVERHEAD - 1);
    REFUSES_NULL(gmkit_secret_key_open(NULL, NULL, 0, M, 32, out, &len));
    REFUSES_NULL(gmkit_secret_key_open(k, NULL, 1, M, 32, out, &len));
    REFUSES_NULL(gmkit_secret_key_open(k, NULL, 0, NULL, 32, out, &len));
    REFUSES_NULL(gmkit_secret_key_open(k, NULL, 0, M, 32, out, NULL));
    for (size_t n = 0; n <= 40; n++) {
        len = sizeof out;
        FAILS(GMKIT_ERR_REJECTED, gmkit_secret_key_open(k, NULL, 0, M, n, out, &len));
        /* Asking for the size says nothing about a forgery, and never GMKIT_OK. */
        len = 0;
        FAILS(GMKIT_ERR_REJECTED, gmkit_secret_key_open(k, NULL, 0, M, n, NULL, &len));
    }
    FAILS(GMKIT_ERR_UNSUPPORTED, gmkit_secret_key_mac(k, M, 8, out));
    gmkit_secret_key_free(k);
    k = NULL;
    REFUSES_NULL(gmkit_secret_key_new_hmac_sm3(NULL, 1, &k));
    REFUSES_NULL(gmkit_secret_key_new_hmac_sm3(K, 16, NULL));
    CHECK(gmkit_secret_key_new_hmac_sm3(K, 0, &k) != GMKIT_OK && k == NULL);
    OK(gmkit_secret_key_new_hmac_sm3(K, 16, &k));
    REFUSES_NULL(gmkit_secret_key_mac(NULL, M, 8, out));
    REFUSES_NULL(gmkit_secret_key_mac(k, NULL, 8, out));
    REFUSES_NULL(gmkit_secret_key_mac(k, M, 8, NULL));
    len = sizeof out;
    FAILS(GMKIT_ERR_UNSUPPORTED, gmkit_secret_key_seal(k, NULL, 0, M, 8, out, &len));
    gmkit_secret_key_free(k);
    k = NULL;
    REFUSES_NULL(gmkit_secret_key_open_uri(NULL, GMKIT_SECRET_SEAL, NULL, 0, &k));
    REFUSES_NULL(gmkit_secret_key_open_uri("file:x", GMKIT_SECRET_SEAL, NULL, 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_secret_key_open_uri("file:x", 7, NULL, 0, &k));
    FAILS(GMKIT_ERR_IO, gmkit_secret_key_open_uri("file:/no/such", GMKIT_SECRET_MAC, NULL, 0, &k));
    FAILS(GMKIT_ERR_URI, gmkit_secret_key_open_uri("pkcs11:x=y", GMKIT_SECRET_MAC, NULL, 0, &k));
    FAILS(GMKIT_ERR_DEVICE,
          gmkit_secret_key_open_uri("pkcs11:?module-path=/no/such/module.so", GMKIT_SECRET_SEAL,
                                    NULL, 0, &k));
    CHECK(k == NULL);
}

static void ctr_and_cbc(void) {
    gmkit_sm4_ctr *c = NULL;
    gmkit_sm4_cbc_encryptor *e = NULL;
    gmkit_sm4_cbc_decryptor *d = NULL;
    REFUSES_NULL(gmkit_sm4_ctr_new(NULL, IV, &c));
    REFUSES_NULL(gmkit_sm4_ctr_new(K, NULL, &c));
    REFUSES_NULL(gmkit_sm4_ctr_new(K, IV, NULL));
    REFUSES_NULL(gmkit_sm4_ctr_update(NULL, M, out, 8));
    OK(gmkit_sm4_ctr_new(K, IV, &c));
    REFUSES_NULL(gmkit_sm4_ctr_update(c, NULL, out, 8));
    REFUSES_NULL(gmkit_sm4_ctr_update(c, M, NULL, 8));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ctr_update(c, out, out + 1, 8));
    gmkit_sm4_ctr_free(c);

    REFUSES_NULL(gmkit_sm4_cbc_encryptor_new(NULL, IV, &e));
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_new(K, NULL, &e));
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_new(K, IV, NULL));
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_update(NULL, M, 8, out, &len));
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_finish(NULL, out, &len));
    OK(gmkit_sm4_cbc_encryptor_new(K, IV, &e));
    len = sizeof out;
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_update(e, NULL, 8, out, &len));
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_update(e, M, 8, out, NULL));
    len = 22;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm4_cbc_encryptor_update(e, M, 8, out, &len));
    len = 15;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm4_cbc_encryptor_finish(e, out, &len));
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_finish(e, out, NULL));
    REFUSES_NULL(gmkit_sm4_cbc_encryptor_finish(e, NULL, &len));
    len = 16;
    OK(gmkit_sm4_cbc_encryptor_finish(e, out, &len));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm4_cbc_encryptor_finish(e, out, &len));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm4_cbc_encryptor_update(e, M, 8, out, &len));
    gmkit_sm4_cbc_encryptor_free(e);

    REFUSES_NULL(gmkit_sm4_cbc_decryptor_new(NULL, IV, &d));
    REFUSES_NULL(gmkit_sm4_cbc_decryptor_new(K, NULL, &d));
    REFUSES_NULL(gmkit_sm4_cbc_decryptor_new(K, IV, NULL));
    REFUSES_NULL(gmkit_sm4_cbc_decryptor_update(NULL, M, 8, out, &len));
    REFUSES_NULL(gmkit_sm4_cbc_decryptor_finish(NULL, out, &len));
    OK(gmkit_sm4_cbc_decryptor_new(K, IV, &d));
    len = sizeof out;
    REFUSES_NULL(gmkit_sm4_cbc_decryptor_update(d, NULL, 8, out, &len));
    REFUSES_NULL(gmkit_sm4_cbc_decryptor_update(d, M, 8, out, NULL));
    len = 14;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm4_cbc_decryptor_finish(d, out, &len));
    REFUSES_NULL(gmkit_sm4_cbc_decryptor_finish(d, NULL, &len));
    len = sizeof out;
    OK(gmkit_sm4_cbc_decryptor_update(d, M, 17, out, &len)); /* no whole number of blocks */
    len = sizeof out;
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_cbc_decryptor_finish(d, out, &len));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm4_cbc_decryptor_finish(d, out, &len));
    gmkit_sm4_cbc_decryptor_free(d);
}

static void feedback_modes(void) {
    gmkit_sm4_cfb_encryptor *e = NULL;
    gmkit_sm4_cfb_decryptor *d = NULL;
    gmkit_sm4_ofb *o = NULL;
    REFUSES_NULL(gmkit_sm4_cfb_encryptor_new(NULL, IV, &e));
    REFUSES_NULL(gmkit_sm4_cfb_encryptor_new(K, NULL, &e));
    REFUSES_NULL(gmkit_sm4_cfb_encryptor_new(K, IV, NULL));
    REFUSES_NULL(gmkit_sm4_cfb_encryptor_update(NULL, M, out, 8));
    OK(gmkit_sm4_cfb_encryptor_new(K, IV, &e));
    REFUSES_NULL(gmkit_sm4_cfb_encryptor_update(e, NULL, out, 8));
    REFUSES_NULL(gmkit_sm4_cfb_encryptor_update(e, M, NULL, 8));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_cfb_encryptor_update(e, out, out + 1, 8));
    gmkit_sm4_cfb_encryptor_free(e);
    REFUSES_NULL(gmkit_sm4_cfb_decryptor_new(NULL, IV, &d));
    REFUSES_NULL(gmkit_sm4_cfb_decryptor_new(K, NULL, &d));
    REFUSES_NULL(gmkit_sm4_cfb_decryptor_new(K, IV, NULL));
    REFUSES_NULL(gmkit_sm4_cfb_decryptor_update(NULL, M, out, 8));
    OK(gmkit_sm4_cfb_decryptor_new(K, IV, &d));
    REFUSES_NULL(gmkit_sm4_cfb_decryptor_update(d, NULL, out, 8));
    REFUSES_NULL(gmkit_sm4_cfb_decryptor_update(d, M, NULL, 8));
    gmkit_sm4_cfb_decryptor_free(d);
    REFUSES_NULL(gmkit_sm4_ofb_new(NULL, IV, &o));
    REFUSES_NULL(gmkit_sm4_ofb_new(K, NULL, &o));
    REFUSES_NULL(gmkit_sm4_ofb_new(K, IV, NULL));
    REFUSES_NULL(gmkit_sm4_ofb_update(NULL, M, out, 8));
    OK(gmkit_sm4_ofb_new(K, IV, &o));
    REFUSES_NULL(gmkit_sm4_ofb_update(o, NULL, out, 8));
    REFUSES_NULL(gmkit_sm4_ofb_update(o, M, NULL, 8));
    gmkit_sm4_ofb_free(o);
}

static void xts(void) {
    gmkit_sm4_xts *x = NULL;
    REFUSES_NULL(gmkit_sm4_xts_new(NULL, 0, &x));
    REFUSES_NULL(gmkit_sm4_xts_new(M, 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_xts_new(M, 2, &x));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_xts_new(M + 1, 0, &x)); /* K1 = K2 = 0 */
    REFUSES_NULL(gmkit_sm4_xts_encrypt(NULL, IV, M, out, 16));
    REFUSES_NULL(gmkit_sm4_xts_decrypt(NULL, IV, M, out, 16));
    OK(gmkit_sm4_xts_new(M, 0, &x));
    REFUSES_NULL(gmkit_sm4_xts_encrypt(x, NULL, M, out, 16));
    REFUSES_NULL(gmkit_sm4_xts_encrypt(x, IV, NULL, out, 16));
    REFUSES_NULL(gmkit_sm4_xts_encrypt(x, IV, M, NULL, 16));
    REFUSES_NULL(gmkit_sm4_xts_decrypt(x, NULL, M, out, 16));
    REFUSES_NULL(gmkit_sm4_xts_decrypt(x, IV, NULL, out, 16));
    REFUSES_NULL(gmkit_sm4_xts_decrypt(x, IV, M, NULL, 16));
    for (size_t n = 0; n < 16; n++) {
        FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_xts_encrypt(x, IV, M, out, n));
        FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_xts_decrypt(x, IV, M, out, n));
    }
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_xts_encrypt(x, IV, M, out, ((size_t)1 << 24) + 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_xts_encrypt(x, IV, out, out + 1, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_xts_encrypt(x, out + 1, M, out, 16));
    gmkit_sm4_xts_free(x);
}

static void ccm_and_siv(void) {
    gmkit_sm4_ccm *c = NULL;
    gmkit_sm4_gcm_siv *s = NULL;
    REFUSES_NULL(gmkit_sm4_ccm_new(NULL, 16, &c));
    REFUSES_NULL(gmkit_sm4_ccm_new(K, 16, NULL));
    for (size_t n = 0; n < 20; n++) {
        if (n != 12 && n != 14 && n != 16) {
            FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ccm_new(K, n, &c));
        }
    }
    REFUSES_NULL(gmkit_sm4_ccm_seal(NULL, IV, 12, NULL, 0, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_ccm_open(NULL, IV, 12, NULL, 0, M, out, 8, M, 16));
    OK(gmkit_sm4_ccm_new(K, 16, &c));
    REFUSES_NULL(gmkit_sm4_ccm_seal(c, NULL, 12, NULL, 0, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_ccm_seal(c, IV, 12, NULL, 1, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_ccm_seal(c, IV, 12, NULL, 0, NULL, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_ccm_seal(c, IV, 12, NULL, 0, M, NULL, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_ccm_seal(c, IV, 12, NULL, 0, M, out, 8, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ccm_seal(c, IV, 12, NULL, 0, M, out, 8, out + 7));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ccm_seal(c, IV, 6, NULL, 0, M, out, 8, out + 64));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ccm_seal(c, M, 14, NULL, 0, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_ccm_open(c, NULL, 12, NULL, 0, M, out, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_ccm_open(c, IV, 12, NULL, 1, M, out, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_ccm_open(c, IV, 12, NULL, 0, NULL, out, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_ccm_open(c, IV, 12, NULL, 0, M, NULL, 8, M, 16));
    REFUSES_NULL(gmkit_sm4_ccm_open(c, IV, 12, NULL, 0, M, out, 8, NULL, 16));
    for (size_t n = 0; n < 20; n++) {
        FAILS(n == 16 ? GMKIT_ERR_REJECTED : GMKIT_ERR_ARGUMENT,
              gmkit_sm4_ccm_open(c, IV, 12, NULL, 0, M, out, 8, M, n));
    }
    gmkit_sm4_ccm_free(c);

    REFUSES_NULL(gmkit_sm4_gcm_siv_new(NULL, &s));
    REFUSES_NULL(gmkit_sm4_gcm_siv_new(K, NULL));
    REFUSES_NULL(gmkit_sm4_gcm_siv_seal(NULL, IV, NULL, 0, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_siv_open(NULL, IV, NULL, 0, M, out, 8, M));
    OK(gmkit_sm4_gcm_siv_new(K, &s));
    REFUSES_NULL(gmkit_sm4_gcm_siv_seal(s, NULL, NULL, 0, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_siv_seal(s, IV, NULL, 1, M, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_siv_seal(s, IV, NULL, 0, NULL, out, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_siv_seal(s, IV, NULL, 0, M, NULL, 8, out + 64));
    REFUSES_NULL(gmkit_sm4_gcm_siv_seal(s, IV, NULL, 0, M, out, 8, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gcm_siv_seal(s, IV, NULL, 0, M, out, 8, out + 7));
    REFUSES_NULL(gmkit_sm4_gcm_siv_open(s, NULL, NULL, 0, M, out, 8, M));
    REFUSES_NULL(gmkit_sm4_gcm_siv_open(s, IV, NULL, 1, M, out, 8, M));
    REFUSES_NULL(gmkit_sm4_gcm_siv_open(s, IV, NULL, 0, NULL, out, 8, M));
    REFUSES_NULL(gmkit_sm4_gcm_siv_open(s, IV, NULL, 0, M, NULL, 8, M));
    REFUSES_NULL(gmkit_sm4_gcm_siv_open(s, IV, NULL, 0, M, out, 8, NULL));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_gcm_siv_open(s, IV, NULL, 0, M, out, 8, M));
    gmkit_sm4_gcm_siv_free(s);
}

typedef gmkit_error (*wrap_function)(const uint8_t *, const uint8_t *, size_t, uint8_t *, size_t *);

static void macs_and_wrap(void) {
    gmkit_sm4_cmac *c = NULL;
    REFUSES_NULL(gmkit_sm4_cmac_new(NULL, &c));
    REFUSES_NULL(gmkit_sm4_cmac_new(K, NULL));
    REFUSES_NULL(gmkit_sm4_cmac_update(NULL, M, 1));
    REFUSES_NULL(gmkit_sm4_cmac_finish(NULL, out));
    REFUSES_NULL(gmkit_sm4_cmac_finish_check(NULL, M));
    OK(gmkit_sm4_cmac_new(K, &c));
    REFUSES_NULL(gmkit_sm4_cmac_update(c, NULL, 1));
    REFUSES_NULL(gmkit_sm4_cmac_finish(c, NULL));
    REFUSES_NULL(gmkit_sm4_cmac_finish_check(c, NULL));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_cmac_finish_check(c, M));
    gmkit_sm4_cmac_free(c);
    REFUSES_NULL(gmkit_sm4_gmac(NULL, IV, 12, M, 8, out));
    REFUSES_NULL(gmkit_sm4_gmac(K, NULL, 12, M, 8, out));
    REFUSES_NULL(gmkit_sm4_gmac(K, IV, 12, NULL, 8, out));
    REFUSES_NULL(gmkit_sm4_gmac(K, IV, 12, M, 8, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_gmac(K, IV, 0, M, 8, out));

    len = 23;
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_wrap(K, M, 8, out, &len));
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm4_wrap(K, M, 16, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_wrap_padded(K, M, 0, out, &len));
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm4_wrap_padded(K, M, 9, out, &len));
    len = sizeof out;
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_unwrap(K, M, 24, out, &len));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_unwrap(K, M, 24, NULL, &len));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_unwrap_padded(K, M, 24, out, &len));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_unwrap_padded(K, M, 24, NULL, &len));
    const wrap_function all[] = {gmkit_sm4_wrap, gmkit_sm4_wrap_padded, gmkit_sm4_unwrap,
                                 gmkit_sm4_unwrap_padded};
    for (size_t i = 0; i < 4; i++) {
        REFUSES_NULL(all[i](NULL, M, 24, out, &len));
        REFUSES_NULL(all[i](K, NULL, 24, out, &len));
        REFUSES_NULL(all[i](K, M, 24, out, NULL));
        FAILS(GMKIT_ERR_ARGUMENT, all[i](K, M, HUGE, out, &len));
    }
}

static void keys(gmkit_private_key *key, gmkit_public_key *pub) {
    gmkit_private_key *k = NULL;
    gmkit_public_key *p = NULL;
    uint8_t d[32];
    REFUSES_NULL(gmkit_private_key_generate(NULL));
    REFUSES_NULL(gmkit_private_key_from_bytes(NULL, &k));
    REFUSES_NULL(gmkit_private_key_from_bytes(M, NULL));
    memset(d, 0, sizeof d);
    FAILS(GMKIT_ERR_KEY, gmkit_private_key_from_bytes(d, &k));
    memset(d, 0xff, sizeof d);
    FAILS(GMKIT_ERR_KEY, gmkit_private_key_from_bytes(d, &k));
    REFUSES_NULL(gmkit_private_key_read(NULL, 1, NULL, 0, &k));
    REFUSES_NULL(gmkit_private_key_read(M, 1, NULL, 1, &k));
    FAILS(GMKIT_ERR_KEY, gmkit_private_key_read(M, sizeof M, NULL, 0, &k));
    FAILS(GMKIT_ERR_KEY, gmkit_private_key_read(NULL, 0, NULL, 0, &k));
    REFUSES_NULL(gmkit_private_key_open(NULL, NULL, 0, &k));
    REFUSES_NULL(gmkit_private_key_open("x", NULL, 1, &k));
    FAILS(GMKIT_ERR_URI, gmkit_private_key_open("", NULL, 0, &k));
    FAILS(GMKIT_ERR_URI, gmkit_private_key_open("pkcs11:token=x", NULL, 0, &k));
    FAILS(GMKIT_ERR_DEVICE,
          gmkit_private_key_open("pkcs11:?module-path=/no/such/module.so", NULL, 0, &k));
    FAILS(GMKIT_ERR_IO, gmkit_private_key_open("no/such/file", NULL, 0, &k));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_private_key_open("\xff", NULL, 0, &k));
    /* A key taken for its name: the message does not repeat it. */
    FAILS(GMKIT_ERR_IO, gmkit_private_key_open("-----BEGIN PRIVATE KEY-----\nMIGH", NULL, 0, &k));
    CHECK(strstr(gmkit_last_error_message(), "MIGH") == NULL);
    CHECK(k == NULL);

    len = sizeof out;
    OK(gmkit_private_key_to_plain_pem(key, out, &len));
    REFUSES_NULL(gmkit_private_key_read(out, len, NULL, 0, NULL));
    for (size_t cut = 0; cut < len; cut += 7) { /* truncated anywhere */
        gmkit_error error = gmkit_private_key_read(out, cut, NULL, 0, &k);
        CHECK(error == GMKIT_ERR_KEY && k == NULL);
    }
    REFUSES_NULL(gmkit_private_key_to_plain_pem(NULL, out, &len));
    REFUSES_NULL(gmkit_private_key_to_plain_pem(key, out, NULL));
    len = GMKIT_PEM_MAX - 1;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_private_key_to_plain_pem(key, out, &len));
    len = sizeof out;
    REFUSES_NULL(gmkit_private_key_to_encrypted_pem(NULL, 0, M, 4, out, &len));
    REFUSES_NULL(gmkit_private_key_to_encrypted_pem(key, 0, NULL, 4, out, &len));
    REFUSES_NULL(gmkit_private_key_to_encrypted_pem(key, 0, M, 4, out, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_private_key_to_encrypted_pem(key, 0, M, 0, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_private_key_to_encrypted_pem(key, 3, M, 4, out, &len));
    REFUSES_NULL(gmkit_private_key_public_key(NULL, &p));
    REFUSES_NULL(gmkit_private_key_public_key(key, NULL));

    REFUSES_NULL(gmkit_public_key_read(NULL, 1, &p));
    REFUSES_NULL(gmkit_public_key_from_point(NULL, 65, &p));
    REFUSES_NULL(gmkit_public_key_to_point(NULL, out));
    REFUSES_NULL(gmkit_public_key_to_point(pub, NULL));
    REFUSES_NULL(gmkit_public_key_to_compressed_point(NULL, out));
    REFUSES_NULL(gmkit_public_key_to_compressed_point(pub, NULL));
    REFUSES_NULL(gmkit_public_key_to_der(NULL, out, &len));
    REFUSES_NULL(gmkit_public_key_to_der(pub, out, NULL));
    REFUSES_NULL(gmkit_public_key_to_pem(NULL, out, &len));
    REFUSES_NULL(gmkit_public_key_to_pem(pub, out, NULL));
    REFUSES_NULL(gmkit_public_key_equal(NULL, pub));
    REFUSES_NULL(gmkit_public_key_equal(pub, NULL));
    FAILS(GMKIT_ERR_KEY, gmkit_public_key_read(M, sizeof M, &p));
    OK(gmkit_public_key_to_point(pub, out));
    REFUSES_NULL(gmkit_public_key_from_point(out, 65, NULL));
    len = sizeof out;
    OK(gmkit_public_key_to_pem(pub, out, &len));
    REFUSES_NULL(gmkit_public_key_read(out, len, NULL));
    OK(gmkit_public_key_to_point(pub, out));
    for (size_t n = 0; n < 70; n++) {
        if (n != 65) {
            FAILS(GMKIT_ERR_ENCODING, gmkit_public_key_from_point(out, n, &p));
        }
    }
    out[64] ^= 1; /* off the curve */
    FAILS(GMKIT_ERR_ENCODING, gmkit_public_key_from_point(out, 65, &p));
    len = 10;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_public_key_to_pem(pub, out, &len));
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_public_key_to_der(pub, out, &len));
    CHECK(p == NULL && len == 10);
}

static void signatures(gmkit_private_key *key, gmkit_public_key *pub) {
    gmkit_sm2_signer *s = NULL;
    gmkit_sm2_verifier *v = NULL;
    uint8_t sig[72];
    size_t sig_len = sizeof sig;
    static const uint8_t long_id[8192] = {0};
    OK(gmkit_sm2_sign(key, NULL, 0, M, 8, GMKIT_SIGNATURE_DER, sig, &sig_len));
    len = sizeof out;
    REFUSES_NULL(gmkit_sm2_sign(NULL, NULL, 0, M, 8, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_sign(key, NULL, 1, M, 8, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_sign(key, NULL, 0, NULL, 8, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_sign(key, NULL, 0, M, 8, 0, out, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_sign(key, NULL, 0, M, 8, 2, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_sign(key, long_id, 8192, M, 8, 0, out, &len));
    len = GMKIT_SIGNATURE_MAX - 1;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm2_sign(key, NULL, 0, M, 8, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_verify(NULL, NULL, 0, M, 8, 0, sig, sig_len));
    REFUSES_NULL(gmkit_sm2_verify(pub, NULL, 1, M, 8, 0, sig, sig_len));
    REFUSES_NULL(gmkit_sm2_verify(pub, NULL, 0, NULL, 8, 0, sig, sig_len));
    REFUSES_NULL(gmkit_sm2_verify(pub, NULL, 0, M, 8, 0, NULL, sig_len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_verify(pub, NULL, 0, M, 8, 2, sig, sig_len));
    for (size_t n = 0; n < sig_len; n++) {
        FAILS(GMKIT_ERR_ENCODING, gmkit_sm2_verify(pub, NULL, 0, M, 8, 0, sig, n));
    }
    for (size_t bit = 0; bit < 8 * sig_len; bit++) { /* every single bit */
        sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(gmkit_sm2_verify(pub, NULL, 0, M, 8, 0, sig, sig_len) != GMKIT_OK);
        sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    OK(gmkit_sm2_verify(pub, NULL, 0, M, 8, 0, sig, sig_len));
    REFUSES_NULL(gmkit_sm2_signer_new(NULL, NULL, 0, &s));
    REFUSES_NULL(gmkit_sm2_signer_new(key, NULL, 1, &s));
    REFUSES_NULL(gmkit_sm2_signer_new(key, NULL, 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_signer_new(key, long_id, 8192, &s));
    REFUSES_NULL(gmkit_sm2_signer_update(NULL, M, 8));
    REFUSES_NULL(gmkit_sm2_signer_finish(NULL, 0, out, &len));
    OK(gmkit_sm2_signer_new(key, NULL, 0, &s));
    REFUSES_NULL(gmkit_sm2_signer_update(s, NULL, 8));
    REFUSES_NULL(gmkit_sm2_signer_finish(s, 0, out, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_signer_finish(s, 2, out, &len));
    len = GMKIT_SIGNATURE_MAX - 1;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm2_signer_finish(s, 0, out, &len));
    len = sizeof out;
    OK(gmkit_sm2_signer_finish(s, 0, out, &len));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_signer_finish(s, 0, out, &len));
    gmkit_sm2_signer_free(s);
    REFUSES_NULL(gmkit_sm2_verifier_new(NULL, NULL, 0, &v));
    REFUSES_NULL(gmkit_sm2_verifier_new(pub, NULL, 1, &v));
    REFUSES_NULL(gmkit_sm2_verifier_new(pub, NULL, 0, NULL));
    REFUSES_NULL(gmkit_sm2_verifier_update(NULL, M, 8));
    REFUSES_NULL(gmkit_sm2_verifier_finish(NULL, 0, sig, sig_len));
    OK(gmkit_sm2_verifier_new(pub, NULL, 0, &v));
    REFUSES_NULL(gmkit_sm2_verifier_update(v, NULL, 8));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_verifier_finish(v, 0, sig, sig_len));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_verifier_update(v, M, 8));
    gmkit_sm2_verifier_free(v);

    REFUSES_NULL(gmkit_hazmat_sm2_sign_e(NULL, M, 0, out, &len));
    REFUSES_NULL(gmkit_hazmat_sm2_sign_e(key, NULL, 0, out, &len));
    REFUSES_NULL(gmkit_hazmat_sm2_sign_e(key, M, 0, out, NULL));
    REFUSES_NULL(gmkit_hazmat_sm2_verify_e(NULL, M, 0, sig, sig_len));
    REFUSES_NULL(gmkit_hazmat_sm2_verify_e(pub, NULL, 0, sig, sig_len));
    REFUSES_NULL(gmkit_hazmat_sm2_verify_e(pub, M, 0, NULL, sig_len));
    FAILS(GMKIT_ERR_REJECTED, gmkit_hazmat_sm2_verify_e(pub, M, 0, sig, sig_len));
}

static void encryption(gmkit_private_key *key, gmkit_public_key *pub) {
    uint8_t cipher[256];
    size_t cipher_len = sizeof cipher;
    OK(gmkit_sm2_encrypt(pub, M, 8, GMKIT_CIPHERTEXT_DER, cipher, &cipher_len));
    len = sizeof out;
    REFUSES_NULL(gmkit_sm2_encrypt(NULL, M, 8, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_encrypt(pub, NULL, 8, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_encrypt(pub, M, 8, 0, out, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_encrypt(pub, M, 8, 3, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_encrypt(pub, M, 0, 0, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_encrypt(pub, M, HUGE, 0, out, &len));
    len = 8 + GMKIT_CIPHERTEXT_OVERHEAD - 1;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm2_encrypt(pub, M, 8, 0, out, &len));
    len = sizeof out;
    REFUSES_NULL(gmkit_sm2_decrypt(NULL, cipher, cipher_len, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_decrypt(key, NULL, cipher_len, 0, out, &len));
    REFUSES_NULL(gmkit_sm2_decrypt(key, cipher, cipher_len, 0, out, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_decrypt(key, cipher, cipher_len, 3, out, &len));
    cipher[cipher_len - 1] ^= 1;
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_decrypt(key, cipher, cipher_len, 0, out, &len));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_decrypt(key, cipher, cipher_len, 0, NULL, &len));
    cipher[cipher_len - 1] ^= 1;
    len = 7;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_sm2_decrypt(key, cipher, cipher_len, 0, out, &len));
    for (size_t n = 0; n < cipher_len; n++) {
        len = sizeof out;
        FAILS(GMKIT_ERR_ENCODING, gmkit_sm2_decrypt(key, cipher, n, 0, out, &len));
    }
    REFUSES_NULL(gmkit_hazmat_sm4_encrypt_blocks(NULL, M, out, 16));
    REFUSES_NULL(gmkit_hazmat_sm4_encrypt_blocks(K, NULL, out, 16));
    REFUSES_NULL(gmkit_hazmat_sm4_encrypt_blocks(K, M, NULL, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_hazmat_sm4_encrypt_blocks(K, M, out, 17));
    REFUSES_NULL(gmkit_hazmat_sm4_decrypt_blocks(NULL, M, out, 16));
    REFUSES_NULL(gmkit_hazmat_sm4_decrypt_blocks(K, NULL, out, 16));
    REFUSES_NULL(gmkit_hazmat_sm4_decrypt_blocks(K, M, NULL, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_hazmat_sm4_decrypt_blocks(K, M, out, 15));
}

static void exchange(gmkit_private_key *key, gmkit_public_key *pub) {
    gmkit_sm2_exchange *x = NULL;
    uint8_t r[65];
    OK(gmkit_public_key_to_point(pub, r));
    REFUSES_NULL(gmkit_sm2_exchange_new(NULL, 0, NULL, 0, pub, NULL, 0, &x));
    REFUSES_NULL(gmkit_sm2_exchange_new(key, 0, NULL, 1, pub, NULL, 0, &x));
    REFUSES_NULL(gmkit_sm2_exchange_new(key, 0, NULL, 0, NULL, NULL, 0, &x));
    REFUSES_NULL(gmkit_sm2_exchange_new(key, 0, NULL, 0, pub, NULL, 1, &x));
    REFUSES_NULL(gmkit_sm2_exchange_new(key, 0, NULL, 0, pub, NULL, 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_exchange_new(key, 2, NULL, 0, pub, NULL, 0, &x));
    REFUSES_NULL(gmkit_sm2_exchange_ephemeral(NULL, out));
    REFUSES_NULL(gmkit_sm2_exchange_agree(NULL, r, 65, 16, out));
    REFUSES_NULL(gmkit_sm2_exchange_confirm(NULL, M, out, 16));
    REFUSES_NULL(gmkit_sm2_exchange_key_without_confirmation(NULL, out, 16));
    OK(gmkit_sm2_exchange_new(key, 0, NULL, 0, pub, NULL, 0, &x));
    REFUSES_NULL(gmkit_sm2_exchange_ephemeral(x, NULL));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_exchange_confirm(x, M, out, 16));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_exchange_key_without_confirmation(x, out, 16));
    REFUSES_NULL(gmkit_sm2_exchange_agree(x, NULL, 65, 16, out));
    REFUSES_NULL(gmkit_sm2_exchange_agree(x, r, 65, 16, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_exchange_agree(x, r, 65, 0, out));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_exchange_agree(x, r, 65, HUGE, out));
    FAILS(GMKIT_ERR_ENCODING, gmkit_sm2_exchange_agree(x, r, 64, 16, out));
    r[64] ^= 1; /* off the curve */
    FAILS(GMKIT_ERR_ENCODING, gmkit_sm2_exchange_agree(x, r, 65, 16, out));
    r[64] ^= 1;
    OK(gmkit_sm2_exchange_agree(x, r, 65, 16, out));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_exchange_agree(x, r, 65, 16, out));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_exchange_ephemeral(x, out));
    REFUSES_NULL(gmkit_sm2_exchange_confirm(x, NULL, out, 16));
    REFUSES_NULL(gmkit_sm2_exchange_confirm(x, M, NULL, 16));
    REFUSES_NULL(gmkit_sm2_exchange_key_without_confirmation(x, NULL, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_exchange_confirm(x, M, out, 17));
    FAILS(GMKIT_ERR_REJECTED, gmkit_sm2_exchange_confirm(x, M, out, 16));
    FAILS(GMKIT_ERR_FINISHED, gmkit_sm2_exchange_key_without_confirmation(x, out, 16));
    gmkit_sm2_exchange_free(x);
}

static void rare_modes(void) {
    gmkit_sm4_hctr *h = NULL;
    gmkit_sm4_ff1 *f = NULL;
    REFUSES_NULL(gmkit_sm4_hctr_new(NULL, K, &h));
    REFUSES_NULL(gmkit_sm4_hctr_new(K, NULL, &h));
    REFUSES_NULL(gmkit_sm4_hctr_new(K, K, NULL));
    REFUSES_NULL(gmkit_sm4_hctr_encrypt(NULL, IV, M, out, 16));
    REFUSES_NULL(gmkit_sm4_hctr_decrypt(NULL, IV, M, out, 16));
    OK(gmkit_sm4_hctr_new(K, IV, &h));
    REFUSES_NULL(gmkit_sm4_hctr_encrypt(h, NULL, M, out, 16));
    REFUSES_NULL(gmkit_sm4_hctr_encrypt(h, IV, NULL, out, 16));
    REFUSES_NULL(gmkit_sm4_hctr_decrypt(h, IV, M, NULL, 16));
    for (size_t n = 0; n < 16; n++) {
        FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_hctr_encrypt(h, IV, M, out, n));
        FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_hctr_decrypt(h, IV, M, out, n));
    }
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_hctr_encrypt(h, IV, M, out, HUGE));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_hctr_encrypt(h, IV, out, out + 1, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_hctr_encrypt(h, out + 8, M, out, 16));
    gmkit_sm4_hctr_free(h);

    REFUSES_NULL(gmkit_sm4_bc_encrypt(NULL, IV, M, out, 16));
    REFUSES_NULL(gmkit_sm4_bc_decrypt(K, NULL, M, out, 16));
    REFUSES_NULL(gmkit_sm4_ofbnlf_encrypt(K, IV, NULL, out, 16));
    REFUSES_NULL(gmkit_sm4_ofbnlf_decrypt(K, IV, M, NULL, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_bc_encrypt(K, IV, M, out, 15));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_bc_decrypt(K, IV, M, out, 17));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ofbnlf_encrypt(K, IV, out, out + 8, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_bc_encrypt(out, IV, M, out, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_bc_encrypt(K, out + 15, M, out, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ofbnlf_decrypt(K, IV, M, out, HUGE));
    OK(gmkit_sm4_bc_encrypt(K, IV, NULL, NULL, 0));

    len = sizeof out;
    REFUSES_NULL(gmkit_sm4_ff1_new(NULL, "0123456789", &f));
    REFUSES_NULL(gmkit_sm4_ff1_new(K, NULL, &f));
    REFUSES_NULL(gmkit_sm4_ff1_new(K, "0123456789", NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_new(K, "", &f));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_new(K, "0", &f));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_new(K, "010", &f));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_new(K, "\xff", &f));
    REFUSES_NULL(gmkit_sm4_ff1_encrypt(NULL, NULL, 0, M, 16, out, &len));
    REFUSES_NULL(gmkit_sm4_ff1_decrypt(NULL, NULL, 0, M, 16, out, &len));
    OK(gmkit_sm4_ff1_new(K, "0123456789", &f));
    REFUSES_NULL(gmkit_sm4_ff1_encrypt(f, NULL, 1, BYTES("1234567"), 7, out, &len));
    REFUSES_NULL(gmkit_sm4_ff1_encrypt(f, NULL, 0, NULL, 7, out, &len));
    REFUSES_NULL(gmkit_sm4_ff1_encrypt(f, NULL, 0, BYTES("1234567"), 7, out, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_encrypt(f, NULL, 0, BYTES("12345"), 5, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_decrypt(f, NULL, 0, BYTES("12345"), 5, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_encrypt(f, NULL, 0, BYTES("123456x"), 7, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_encrypt(f, NULL, 0, BYTES("12345\xff"), 6, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_ff1_encrypt(f, NULL, HUGE, BYTES("1234567"), 7, out, &len));
    len = 27;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL,
          gmkit_sm4_ff1_encrypt(f, NULL, 0, BYTES("1234567"), 7, out, &len));
    OK(gmkit_sm4_ff1_encrypt(f, NULL, 0, BYTES("1234567"), 7, NULL, &len));
    CHECK(len == 28);
    gmkit_sm4_ff1_free(f);
}

static void batches(gmkit_private_key *key, gmkit_public_key *pub) {
    const gmkit_bytes bad[2] = {{M, 16}, {NULL, 1}}, odd[2] = {{M, 16}, {M, 15}};
    const gmkit_bytes good[2] = {{M, 16}, {M, 32}};
    int32_t verdicts[2] = {GMKIT_OK, GMKIT_OK};
    gmkit_sm2_prepared_key *prepared = NULL;
    REFUSES_NULL(gmkit_sm3_digest_many(NULL, 1, out));
    REFUSES_NULL(gmkit_sm3_digest_many(good, 2, NULL));
    REFUSES_NULL(gmkit_sm3_digest_many(bad, 2, out));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm3_digest_many(good, HUGE, out));
    OK(gmkit_sm3_digest_many(NULL, 0, NULL));
    REFUSES_NULL(gmkit_sm4_cmac_many(NULL, good, 2, out));
    REFUSES_NULL(gmkit_sm4_cmac_many(K, NULL, 2, out));
    REFUSES_NULL(gmkit_sm4_cmac_many(K, good, 2, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_cmac_many(K, good, HUGE / 4, out));
    REFUSES_NULL(gmkit_sm4_cbc_encrypt_many(NULL, odd, good, 1, out));
    REFUSES_NULL(gmkit_sm4_cbc_encrypt_many(K, NULL, good, 1, out));
    REFUSES_NULL(gmkit_sm4_cbc_encrypt_many(K, odd, NULL, 1, out));
    REFUSES_NULL(gmkit_sm4_cbc_encrypt_many(K, odd, good, 1, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_cbc_encrypt_many(K, good, good, 2, out)); /* IV of 32 */
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm4_cbc_encrypt_many(K, good, odd, 2, out));
    REFUSES_NULL(gmkit_sm2_sign_many(NULL, NULL, 0, good, 2, out));
    REFUSES_NULL(gmkit_sm2_sign_many(key, NULL, 1, good, 2, out));
    REFUSES_NULL(gmkit_sm2_sign_many(key, NULL, 0, NULL, 2, out));
    REFUSES_NULL(gmkit_sm2_sign_many(key, NULL, 0, good, 2, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_sign_many(key, out, 8192 - 1, NULL, HUGE, out));
    REFUSES_NULL(gmkit_sm2_verify_many(NULL, NULL, 0, good, 1, good, 2, verdicts));
    REFUSES_NULL(gmkit_sm2_verify_many(pub, NULL, 1, good, 1, good, 2, verdicts));
    REFUSES_NULL(gmkit_sm2_verify_many(pub, NULL, 0, NULL, 1, good, 2, verdicts));
    REFUSES_NULL(gmkit_sm2_verify_many(pub, NULL, 0, good, 1, NULL, 2, verdicts));
    REFUSES_NULL(gmkit_sm2_verify_many(pub, NULL, 0, good, 1, good, 2, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_verify_many(pub, NULL, 0, good, 2, good, 2, verdicts));
    /* Nothing was verified, and nothing says that it was. */
    CHECK(verdicts[0] == GMKIT_ERR_REJECTED && verdicts[1] == GMKIT_ERR_REJECTED);
    /* They lie over an ID or an array: refused before anything is written. */
    memset(out, 0x31, 64);
    FAILS(GMKIT_ERR_ARGUMENT,
          gmkit_sm2_verify_many(pub, out, 16, good, 1, good, 2, (int32_t *)(void *)(out + 8)));
    CHECK(out[8] == 0x31 && out[15] == 0x31);
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_verify_many(pub, NULL, 0, odd, 1, good, 2, (int32_t *)(void *)odd));
    CHECK(odd[0].len == 16 && odd[1].len == 15);
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_verify_many(pub, NULL, 0, good, 0, good, 0, verdicts));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_verify_many(pub, NULL, 0, good, 0, good, HUGE / 2, verdicts));
    REFUSES_NULL(gmkit_sm2_prepared_key_new(NULL, NULL, 0, &prepared));
    REFUSES_NULL(gmkit_sm2_prepared_key_new(pub, NULL, 1, &prepared));
    REFUSES_NULL(gmkit_sm2_prepared_key_new(pub, NULL, 0, NULL));
    REFUSES_NULL(gmkit_sm2_prepared_key_verify(NULL, M, 1, 0, M, 64));
    OK(gmkit_sm2_prepared_key_new(pub, NULL, 0, &prepared));
    REFUSES_NULL(gmkit_sm2_prepared_key_verify(prepared, NULL, 1, 0, M, 64));
    REFUSES_NULL(gmkit_sm2_prepared_key_verify(prepared, M, 1, 0, NULL, 64));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_sm2_prepared_key_verify(prepared, M, 1, 2, M, 64));
    FAILS(GMKIT_ERR_ENCODING, gmkit_sm2_prepared_key_verify(prepared, M, 1, 0, M, 64));
    gmkit_sm2_prepared_key_free(prepared);
}

static void derivation(void) {
    REFUSES_NULL(gmkit_hkdf_sm3(NULL, 1, M, 1, M, 1, out, 1));
    REFUSES_NULL(gmkit_hkdf_sm3(M, 1, NULL, 1, M, 1, out, 1));
    REFUSES_NULL(gmkit_hkdf_sm3(M, 1, M, 1, NULL, 1, out, 1));
    REFUSES_NULL(gmkit_hkdf_sm3(M, 1, M, 1, M, 1, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_hkdf_sm3(M, 1, M, 1, M, 1, out, 8161));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_hkdf_sm3(NULL, 0, M, 1, M, 1, out, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_pbkdf2_sm3(NULL, 0, M, 1, 1, out, 16));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls12_prf_sm3(NULL, 0, M, 1, M, 1, out, 16));
    REFUSES_NULL(gmkit_pbkdf2_sm3(NULL, 1, M, 1, 1, out, 1));
    REFUSES_NULL(gmkit_pbkdf2_sm3(M, 1, NULL, 1, 1, out, 1));
    REFUSES_NULL(gmkit_pbkdf2_sm3(M, 1, M, 1, 1, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_pbkdf2_sm3(M, 1, M, 1, 0, out, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_pbkdf2_sm3(M, 1, M, 1, 1, out, HUGE));
    REFUSES_NULL(gmkit_tls12_prf_sm3(NULL, 1, M, 1, M, 1, out, 1));
    REFUSES_NULL(gmkit_tls12_prf_sm3(M, 1, NULL, 1, M, 1, out, 1));
    REFUSES_NULL(gmkit_tls12_prf_sm3(M, 1, M, 1, NULL, 1, out, 1));
    REFUSES_NULL(gmkit_tls12_prf_sm3(M, 1, M, 1, M, 1, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls12_prf_sm3(M, 1, M, 1, M, 1, out, 8161));
    REFUSES_NULL(gmkit_tls13_expand_label_sm3(NULL, 32, M, 1, M, 1, out, 1));
    REFUSES_NULL(gmkit_tls13_expand_label_sm3(M, 32, NULL, 1, M, 1, out, 1));
    REFUSES_NULL(gmkit_tls13_expand_label_sm3(M, 32, M, 1, NULL, 1, out, 1));
    REFUSES_NULL(gmkit_tls13_expand_label_sm3(M, 32, M, 1, M, 1, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls13_expand_label_sm3(M, 31, M, 1, M, 1, out, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls13_expand_label_sm3(M, 32, out, 250, M, 1, out, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls13_expand_label_sm3(M, 32, M, 1, out, 256, out, 1));
}

static void generators(void) {
    static const uint8_t big[65537] = {0};
    gmkit_drng *d = NULL;
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_drng_new(2, 1, NULL, 0, &d));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_drng_new(0, 0, NULL, 0, &d));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_drng_new(0, 3, NULL, 0, &d));
    REFUSES_NULL(gmkit_drng_new(0, 1, NULL, 1, &d));
    REFUSES_NULL(gmkit_drng_new(0, 1, NULL, 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_drng_new(0, 1, big, sizeof big, &d));
    REFUSES_NULL(gmkit_drng_fill(NULL, out, 1));
    REFUSES_NULL(gmkit_drng_reseed(NULL, NULL, 0));
    OK(gmkit_drng_new(0, 1, NULL, 0, &d));
    REFUSES_NULL(gmkit_drng_fill(d, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_drng_fill(d, out, HUGE));
    REFUSES_NULL(gmkit_drng_reseed(d, NULL, 1));
    OK(gmkit_drng_fill(d, NULL, 0));
    gmkit_drng_free(d);
}

static void envelopes(gmkit_private_key *key, gmkit_public_key *pub) {
    gmkit_private_key *inside = NULL;
    uint8_t env[GMKIT_ENVELOPE_MAX];
    size_t env_len = sizeof env;
    len = sizeof out;
    REFUSES_NULL(gmkit_envelope_seal(NULL, pub, out, &len));
    REFUSES_NULL(gmkit_envelope_seal(key, NULL, out, &len));
    REFUSES_NULL(gmkit_envelope_seal(key, pub, out, NULL));
    len = GMKIT_ENVELOPE_MAX - 1;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_envelope_seal(key, pub, out, &len));
    OK(gmkit_envelope_seal(key, pub, NULL, &len));
    CHECK(len == GMKIT_ENVELOPE_MAX);
    OK(gmkit_envelope_seal(key, pub, env, &env_len));
    REFUSES_NULL(gmkit_envelope_open(NULL, env, env_len, &inside));
    REFUSES_NULL(gmkit_envelope_open(key, NULL, env_len, &inside));
    REFUSES_NULL(gmkit_envelope_open(key, env, env_len, NULL));
    for (size_t n = 0; n < env_len; n++) { /* cut short anywhere */
        FAILS(GMKIT_ERR_KEY, gmkit_envelope_open(key, env, n, &inside));
    }
    /* Any byte changed: refused or malformed, never another key. */
    for (size_t i = 0; i < env_len; i++) {
        env[i] ^= 4;
        remember();
        CHECK(gmkit_envelope_open(key, env, env_len, &inside) != GMKIT_OK && inside == NULL);
        env[i] ^= 4;
    }
}

static void certificates(gmkit_private_key *key) {
    gmkit_certificate *root = NULL, *none = NULL;
    gmkit_public_key *pub = NULL;
    size_t little = 3;
    len = sizeof out;
    REFUSES_NULL(gmkit_certificate_read(NULL, 5, 0, &none));
    REFUSES_NULL(gmkit_certificate_read(BYTES(ROOT), LEN(ROOT), 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_certificate_read(BYTES(ROOT), LEN(ROOT), 1, &none));
    FAILS(GMKIT_ERR_ENCODING, gmkit_certificate_read(BYTES(ROOT), 100, 0, &none));
    FAILS(GMKIT_ERR_ENCODING, gmkit_certificate_read(BYTES("0"), 1, 0, &none));
    FAILS(GMKIT_ERR_ENCODING, gmkit_certificate_read(NULL, 0, 0, &none));
    FAILS(GMKIT_ERR_ENCODING, gmkit_certificate_read(BYTES(CRL), LEN(CRL), 0, &none));
    OK(gmkit_certificate_read(BYTES(ROOT), LEN(ROOT), 0, &root));
    REFUSES_NULL(gmkit_certificate_to_der(NULL, out, &len));
    REFUSES_NULL(gmkit_certificate_to_der(root, out, NULL));
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_certificate_to_der(root, out, &little));
    REFUSES_NULL(gmkit_certificate_subject(NULL, out, &len));
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_certificate_subject(root, out, &little));
    REFUSES_NULL(gmkit_certificate_issuer(NULL, out, &len));
    REFUSES_NULL(gmkit_certificate_serial(NULL, out, &len));
    REFUSES_NULL(gmkit_certificate_public_key(NULL, &pub));
    REFUSES_NULL(gmkit_certificate_public_key(root, NULL));
    REFUSES_NULL(gmkit_certificate_fingerprint_sm3(NULL, out));
    REFUSES_NULL(gmkit_certificate_fingerprint_sm3(root, NULL));
    CHECK(gmkit_certificate_not_before(NULL) == GMKIT_NO_TIME);
    CHECK(gmkit_certificate_not_after(NULL) == GMKIT_NO_TIME);
    FAILS(GMKIT_ERR_HANDLE, gmkit_certificate_subject((const gmkit_certificate *)key, out, &len));

    gmkit_verifier *verifier = NULL;
    REFUSES_NULL(gmkit_verifier_new(NULL));
    OK(gmkit_verifier_new(&verifier));
    REFUSES_NULL(gmkit_verifier_add_anchor(NULL, root, NULL, 0));
    REFUSES_NULL(gmkit_verifier_add_anchor(verifier, NULL, NULL, 0));
    REFUSES_NULL(gmkit_verifier_add_anchor(verifier, root, NULL, 1));
    REFUSES_NULL(gmkit_verifier_add_intermediate(NULL, root));
    REFUSES_NULL(gmkit_verifier_add_intermediate(verifier, NULL));
    REFUSES_NULL(gmkit_verifier_add_crls(NULL, BYTES(CRL), LEN(CRL)));
    REFUSES_NULL(gmkit_verifier_add_crls(verifier, NULL, 1));
    FAILS(GMKIT_ERR_ENCODING, gmkit_verifier_add_crls(verifier, BYTES(ROOT), LEN(ROOT)));
    REFUSES_NULL(gmkit_verifier_add_ocsp(NULL, SERVER_OCSP, sizeof SERVER_OCSP));
    FAILS(GMKIT_ERR_ENCODING, gmkit_verifier_add_ocsp(verifier, SERVER_OCSP, sizeof SERVER_OCSP - 1));
    REFUSES_NULL(gmkit_verifier_check_all_revocation(NULL));
    REFUSES_NULL(gmkit_verifier_set_time(NULL, 0));
    REFUSES_NULL(gmkit_verifier_verify(NULL, root, 0, NULL, 0));
    REFUSES_NULL(gmkit_verifier_verify(verifier, NULL, 0, NULL, 0));
    REFUSES_NULL(gmkit_verifier_verify(verifier, root, 0, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_verifier_verify(verifier, root, 6, NULL, 0));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_verifier_verify(verifier, root, 0, BYTES("a b"), 3));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_verifier_verify(verifier, root, 0, BYTES("\xff"), 1));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_verifier_verify(verifier, root, 0, NULL, 0));
    gmkit_verifier_free(verifier);

    gmkit_request *request = NULL;
    REFUSES_NULL(gmkit_request_make(NULL, "CN=a", NULL, 0, out, &len));
    REFUSES_NULL(gmkit_request_make(key, NULL, NULL, 0, out, &len));
    REFUSES_NULL(gmkit_request_make(key, "CN=a", NULL, 1, out, &len));
    REFUSES_NULL(gmkit_request_make(key, "CN=a", NULL, 0, out, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_request_make(key, "a", NULL, 0, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_request_make(key, "CN=a", BYTES("a"), 1, out, &len));
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_request_make(key, "CN=a", NULL, 0, out, &little));
    REFUSES_NULL(gmkit_request_read(NULL, 1, &request));
    REFUSES_NULL(gmkit_request_read(BYTES("0"), 1, NULL));
    FAILS(GMKIT_ERR_ENCODING, gmkit_request_read(BYTES(ROOT), LEN(ROOT), &request));
    REFUSES_NULL(gmkit_request_subject(NULL, out, &len));
    REFUSES_NULL(gmkit_request_public_key(NULL, &pub));
    CHECK(none == NULL && pub == NULL && request == NULL);
    gmkit_request_free(request);
    gmkit_certificate_free(root);
}

int main(void) {
    gmkit_private_key *key = NULL;
    gmkit_public_key *pub = NULL;
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &pub));
    sm3();
    hmac();
    gcm();
    secret_key();
    ctr_and_cbc();
    feedback_modes();
    xts();
    ccm_and_siv();
    macs_and_wrap();
    keys(key, pub);
    signatures(key, pub);
    encryption(key, pub);
    exchange(key, pub);
    rare_modes();
    batches(key, pub);
    derivation();
    generators();
    envelopes(key, pub);
    certificates(key);
    gmkit_public_key_free(pub);
    gmkit_private_key_free(key);
    puts("errors: ok");
    return 0;
}
