/* Random sequences of calls, right and wrong ones mixed. Whatever the order: no crash, no leak (the
 * sanitizers and valgrind look on), no output touched by a failure, and streamed SM3 gives what
 * one call gives. The seed is printed; give it as first argument to see a failure again, and the
 * number of sequences as second. */
#include "check.h"
#include <time.h>

static uint64_t state;

static uint32_t draw(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

/* One of each handle, and a model of what it should say. */
static struct {
    gmkit_sm3 *hash;
    gmkit_hmac_sm3 *hmac;
    gmkit_sm4_gcm *gcm;
    gmkit_sm4_gcm_sealer *sealer;
    gmkit_sm4_gcm_opener *opener;
    gmkit_sm4_cbc_encryptor *enc;
    gmkit_sm4_cbc_decryptor *dec;
    gmkit_sm4_ctr *ctr;
    gmkit_private_key *key;
    gmkit_public_key *pub;
    gmkit_sm2_signer *signer;
    gmkit_sm2_verifier *verifier;
} h;

static uint8_t data[512], out[512];
static uint8_t hashed[1 << 16];
static size_t hashed_len;

/* NULL now and then, for pointers; too little room now and then, for sizes. */
static void *maybe(void *pointer) { return draw(8) == 0 ? NULL : pointer; }

static void *wrong_type(void) {
    void *handles[] = {h.hash, h.hmac, h.gcm, h.sealer, h.enc, h.ctr, h.key, h.pub, h.signer};
    return handles[draw(sizeof handles / sizeof handles[0])];
}

static void untouched_unless(gmkit_error error) {
    if (error != GMKIT_OK) {
        for (size_t i = 0; i < sizeof out; i++) {
            CHECK(out[i] == 0xa5);
        }
    }
    memset(out, 0xa5, sizeof out);
}

static void hash_step(void) {
    uint8_t want[32];
    const uint8_t *piece = data + draw(256);
    size_t len = draw(200);
    switch (draw(4)) {
    case 0:
        gmkit_sm3_free(h.hash);
        h.hash = NULL;
        OK(gmkit_sm3_new(&h.hash));
        hashed_len = 0;
        break;
    case 1:
        if (h.hash == NULL) {
            FAILS(GMKIT_ERR_NULL, gmkit_sm3_finish(h.hash, out));
            break;
        }
        OK(gmkit_sm3_digest(hashed, hashed_len, want));
        OK(gmkit_sm3_finish(h.hash, out));
        CHECK(memcmp(out, want, 32) == 0);
        memset(out, 0xa5, sizeof out);
        hashed_len = 0;
        break;
    default:
        if (h.hash != NULL && hashed_len + len < sizeof hashed) {
            OK(gmkit_sm3_update(h.hash, piece, len));
            memcpy(hashed + hashed_len, piece, len);
            hashed_len += len;
        }
    }
}

static void hmac_step(void) {
    gmkit_error error;
    switch (draw(4)) {
    case 0:
        gmkit_hmac_sm3_free(h.hmac);
        h.hmac = NULL;
        error = gmkit_hmac_sm3_new((uint8_t *)maybe(data), draw(100), &h.hmac);
        CHECK((error == GMKIT_OK) == (h.hmac != NULL));
        break;
    case 1:
        untouched_unless(gmkit_hmac_sm3_finish(h.hmac, (uint8_t *)maybe(out)));
        break;
    case 2:
        CHECK(gmkit_hmac_sm3_finish_check(h.hmac, data) != GMKIT_OK);
        break;
    default:
        CHECK(gmkit_hmac_sm3_update(h.hmac, data, draw(300)) ==
              (h.hmac == NULL ? GMKIT_ERR_NULL : GMKIT_OK));
    }
}

static void gcm_step(void) {
    gmkit_error error;
    size_t len = draw(256), nonce_len = draw(20);
    uint8_t *at = draw(2) ? out : out + 100;
    switch (draw(8)) {
    case 0:
        gmkit_sm4_gcm_free(h.gcm);
        h.gcm = NULL;
        error = gmkit_sm4_gcm_new((uint8_t *)maybe(data), &h.gcm);
        CHECK((error == GMKIT_OK) == (h.gcm != NULL));
        break;
    case 1: {
        uint8_t tag[16], plain[256];
        if (gmkit_sm4_gcm_seal(h.gcm, data, nonce_len, data, len, data, at, len, tag) == GMKIT_OK) {
            OK(gmkit_sm4_gcm_open(h.gcm, data, nonce_len, data, len, at, plain, len, tag, 16));
            CHECK(memcmp(plain, data, len) == 0);
            memset(out, 0xa5, sizeof out);
        }
        untouched_unless(GMKIT_ERR_NULL);
        break;
    }
    case 2:
        error = gmkit_sm4_gcm_open(h.gcm, data, nonce_len, NULL, 0, data, at, len, data, draw(20));
        CHECK(error != GMKIT_OK);
        untouched_unless(error);
        break;
    case 3:
        gmkit_sm4_gcm_sealer_free(h.sealer);
        h.sealer = NULL;
        error = gmkit_sm4_gcm_sealer_new(h.gcm, data, nonce_len, NULL, 0, &h.sealer);
        CHECK((error == GMKIT_OK) == (h.sealer != NULL));
        break;
    case 4:
        untouched_unless(gmkit_sm4_gcm_sealer_update(h.sealer, data, (uint8_t *)maybe(at), len));
        break;
    case 5:
        untouched_unless(gmkit_sm4_gcm_sealer_finish(h.sealer, (uint8_t *)maybe(out)));
        break;
    case 6:
        gmkit_sm4_gcm_opener_free(h.opener);
        h.opener = NULL;
        error = gmkit_sm4_gcm_opener_new(h.gcm, data, nonce_len, NULL, 0, &h.opener);
        CHECK((error == GMKIT_OK) == (h.opener != NULL));
        break;
    default:
        untouched_unless(gmkit_sm4_gcm_opener_update_unverified(h.opener, data, at, len));
        if (draw(3) == 0) {
            CHECK(gmkit_sm4_gcm_opener_finish(h.opener, data, draw(20)) != GMKIT_OK);
        }
    }
}

static void cbc_and_ctr_step(void) {
    gmkit_error error;
    size_t len = draw(256), room = draw(400);
    switch (draw(7)) {
    case 0:
        gmkit_sm4_cbc_encryptor_free(h.enc);
        gmkit_sm4_cbc_decryptor_free(h.dec);
        h.enc = NULL;
        h.dec = NULL;
        OK(gmkit_sm4_cbc_encryptor_new(data, data, &h.enc));
        OK(gmkit_sm4_cbc_decryptor_new(data, data, &h.dec));
        break;
    case 1:
        error = gmkit_sm4_cbc_encryptor_update(h.enc, data, len, (uint8_t *)maybe(out), &room);
        untouched_unless(error);
        break;
    case 2:
        error = gmkit_sm4_cbc_decryptor_update(h.dec, data, len, (uint8_t *)maybe(out), &room);
        untouched_unless(error);
        break;
    case 3:
        untouched_unless(gmkit_sm4_cbc_encryptor_finish(h.enc, (uint8_t *)maybe(out), &room));
        break;
    case 4:
        untouched_unless(gmkit_sm4_cbc_decryptor_finish(h.dec, (uint8_t *)maybe(out), &room));
        break;
    case 5:
        gmkit_sm4_ctr_free(h.ctr);
        h.ctr = NULL;
        OK(gmkit_sm4_ctr_new(data, data, &h.ctr));
        break;
    default:
        untouched_unless(gmkit_sm4_ctr_update(h.ctr, (uint8_t *)maybe(data), out, len));
    }
}

static void key_step(void) {
    gmkit_error error;
    size_t len = draw(300);
    switch (draw(9)) {
    case 0:
        gmkit_private_key_free(h.key);
        h.key = NULL;
        error = gmkit_private_key_from_bytes((uint8_t *)maybe(data), &h.key);
        CHECK((error == GMKIT_OK) == (h.key != NULL));
        break;
    case 1:
        gmkit_public_key_free(h.pub);
        h.pub = NULL;
        error = gmkit_private_key_public_key(h.key, &h.pub);
        CHECK((error == GMKIT_OK) == (h.pub != NULL));
        break;
    case 2:
        gmkit_sm2_signer_free(h.signer);
        h.signer = NULL;
        error = gmkit_sm2_signer_new(h.key, data, draw(300), &h.signer);
        CHECK((error == GMKIT_OK) == (h.signer != NULL));
        break;
    case 3:
        CHECK(gmkit_sm2_signer_update(h.signer, data, len) != GMKIT_ERR_INTERNAL);
        break;
    case 4:
        untouched_unless(gmkit_sm2_signer_finish(h.signer, draw(3), (uint8_t *)maybe(out), &len));
        break;
    case 5:
        gmkit_sm2_verifier_free(h.verifier);
        h.verifier = NULL;
        error = gmkit_sm2_verifier_new(h.pub, NULL, 0, &h.verifier);
        CHECK((error == GMKIT_OK) == (h.verifier != NULL));
        break;
    case 6:
        CHECK(gmkit_sm2_verifier_update(h.verifier, data, len) != GMKIT_ERR_INTERNAL);
        break;
    case 7:
        CHECK(gmkit_sm2_verifier_finish(h.verifier, draw(3), data, len) != GMKIT_OK);
        break;
    default:
        untouched_unless(gmkit_sm2_encrypt(h.pub, data, draw(40), draw(4), out, &len));
        len = sizeof out;
        error = gmkit_sm2_decrypt(h.key, data, draw(200), draw(4), out, &len);
        CHECK(error != GMKIT_OK);
        untouched_unless(error);
    }
}

/* A handle of another type is told from the right one. */
static void mix_up_types(void) {
    uint8_t digest[32];
    void *wrong = wrong_type();
    if (wrong != NULL && wrong != (void *)h.hash) {
        FAILS(GMKIT_ERR_HANDLE, gmkit_sm3_finish((gmkit_sm3 *)wrong, digest));
        gmkit_sm3_free((gmkit_sm3 *)wrong); /* refused too: nothing is freed */
    }
    if (wrong != NULL && wrong != (void *)h.signer) {
        FAILS(GMKIT_ERR_HANDLE, gmkit_sm2_signer_update((gmkit_sm2_signer *)wrong, data, 1));
    }
}

static void free_all(void) {
    gmkit_sm3_free(h.hash);
    gmkit_hmac_sm3_free(h.hmac);
    gmkit_sm4_gcm_free(h.gcm);
    gmkit_sm4_gcm_sealer_free(h.sealer);
    gmkit_sm4_gcm_opener_free(h.opener);
    gmkit_sm4_cbc_encryptor_free(h.enc);
    gmkit_sm4_cbc_decryptor_free(h.dec);
    gmkit_sm4_ctr_free(h.ctr);
    gmkit_private_key_free(h.key);
    gmkit_public_key_free(h.pub);
    gmkit_sm2_signer_free(h.signer);
    gmkit_sm2_verifier_free(h.verifier);
    memset(&h, 0, sizeof h);
    hashed_len = 0;
}

int main(int argc, char **argv) {
    unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 10) : (unsigned long)time(NULL);
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
    void (*const steps[])(void) = {hash_step,        hmac_step, gcm_step,
                                   cbc_and_ctr_step, key_step,  mix_up_types};
    printf("sequences: seed %lu, %lu sequences\n", seed, count);
    fflush(stdout);
    state = 0x9e3779b97f4a7c15u ^ seed;
    memset(out, 0xa5, sizeof out);
    for (unsigned long i = 0; i < count; i++) {
        for (size_t j = 0; j < sizeof data; j++) {
            data[j] = (uint8_t)draw(256);
        }
        for (unsigned step = draw(60); step > 0; step--) {
            steps[draw(sizeof steps / sizeof steps[0])]();
        }
        free_all();
    }
    puts("sequences: ok");
    return 0;
}
