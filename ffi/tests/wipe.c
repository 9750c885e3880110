/* What _free gives back to the system holds nothing: free() is watched, and the memory of each
 * handle is all zero when it arrives there. glibc only, for dlsym(RTLD_NEXT). */
#define _GNU_SOURCE 1
#include "check.h"
#include <dlfcn.h>

static const void *watched;
static size_t watched_size;
static int seen, dirty;

static void *(*real_malloc)(size_t);
static void (*real_free)(void *);
static size_t last_size;
static void *last_block;

void *malloc(size_t size) {
    if (real_malloc == NULL) {
        *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
    }
    last_size = size;
    last_block = real_malloc(size);
    return last_block;
}

void free(void *block) {
    if (real_free == NULL) {
        *(void **)&real_free = dlsym(RTLD_NEXT, "free");
    }
    if (block != NULL && block == watched) {
        const volatile uint8_t *bytes = (const volatile uint8_t *)block;
        for (size_t i = 0; i < watched_size; i++) {
            dirty += bytes[i] != 0;
        }
        seen++;
        watched = NULL;
    }
    real_free(block);
}

/* A handle's block was the last one to be allocated when it was made. */
#define WATCH(handle)                                                                   \
    do {                                                                                \
        CHECK((void *)(handle) == last_block);                                          \
        watched = (handle);                                                             \
        watched_size = last_size;                                                       \
        dirty = 0;                                                                      \
    } while (0)
#define WIPED() CHECK(watched == NULL && dirty == 0)

static const uint8_t K[32] = {7, 6, 5, 4, 3, 2, 1};
static uint8_t out[256];
static size_t len;

int main(void) {
    gmkit_sm4_gcm *gcm = NULL;
    gmkit_sm4_gcm_sealer *sealer = NULL;
    gmkit_sm4_gcm_opener *opener = NULL;
    gmkit_sm4_ctr *ctr = NULL;
    gmkit_sm4_cbc_encryptor *enc = NULL;
    gmkit_sm4_cbc_decryptor *dec = NULL;
    gmkit_hmac_sm3 *hmac = NULL;
    gmkit_sm3 *hash = NULL;
    gmkit_drng *drng = NULL;
    gmkit_sm4_hctr *hctr = NULL;
    gmkit_sm4_ff1 *ff1 = NULL;

    OK(gmkit_selftest());
    OK(gmkit_sm4_gcm_new(K, &gcm));
    /* In the middle of a message, and after its end. */
    for (int finish = 0; finish < 2; finish++) {
        OK(gmkit_sm4_gcm_sealer_new(gcm, K, 12, NULL, 0, &sealer));
        WATCH(sealer);
        OK(gmkit_sm4_gcm_sealer_update(sealer, K, out, 5));
        if (finish) {
            OK(gmkit_sm4_gcm_sealer_finish(sealer, out));
        }
        gmkit_sm4_gcm_sealer_free(sealer);
        WIPED();
        OK(gmkit_sm4_gcm_opener_new(gcm, K, 12, NULL, 0, &opener));
        WATCH(opener);
        OK(gmkit_sm4_gcm_opener_update_unverified(opener, K, out, 5));
        if (finish) {
            FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_gcm_opener_finish(opener, K, 16));
        }
        gmkit_sm4_gcm_opener_free(opener);
        WIPED();
        OK(gmkit_sm4_cbc_encryptor_new(K, K, &enc));
        WATCH(enc);
        if (finish) {
            len = sizeof out;
            OK(gmkit_sm4_cbc_encryptor_finish(enc, out, &len));
        }
        gmkit_sm4_cbc_encryptor_free(enc);
        WIPED();
        OK(gmkit_sm4_cbc_decryptor_new(K, K, &dec));
        WATCH(dec);
        len = sizeof out;
        OK(gmkit_sm4_cbc_decryptor_update(dec, K, 16, out, &len));
        if (finish) {
            len = sizeof out;
            FAILS(GMKIT_ERR_REJECTED, gmkit_sm4_cbc_decryptor_finish(dec, out, &len));
        }
        gmkit_sm4_cbc_decryptor_free(dec);
        WIPED();
    }
    gmkit_sm4_gcm_free(gcm);
    OK(gmkit_sm4_gcm_new(K, &gcm));
    WATCH(gcm);
    gmkit_sm4_gcm_free(gcm);
    WIPED();
    OK(gmkit_sm4_ctr_new(K, K, &ctr));
    WATCH(ctr);
    OK(gmkit_sm4_ctr_update(ctr, K, out, 5));
    gmkit_sm4_ctr_free(ctr);
    WIPED();
    OK(gmkit_hmac_sm3_new(K, 32, &hmac));
    WATCH(hmac);
    OK(gmkit_hmac_sm3_update(hmac, K, 5));
    gmkit_hmac_sm3_free(hmac);
    WIPED();
    OK(gmkit_sm3_new(&hash));
    WATCH(hash);
    OK(gmkit_sm3_update(hash, K, 5));
    gmkit_sm3_free(hash);
    WIPED();
    CHECK(seen == 12);
    OK(gmkit_drng_new(GMKIT_DRNG_SM3, 1, K, 32, &drng));
    WATCH(drng);
    OK(gmkit_drng_fill(drng, out, 100));
    OK(gmkit_drng_reseed(drng, K, 32));
    gmkit_drng_free(drng);
    WIPED();
    OK(gmkit_sm4_hctr_new(K, K + 16, &hctr));
    WATCH(hctr);
    gmkit_sm4_hctr_free(hctr);
    WIPED();
    OK(gmkit_sm4_ff1_new(K, "0123456789", &ff1));
    WATCH(ff1);
    gmkit_sm4_ff1_free(ff1);
    WIPED();
    puts("wipe: ok");
    return 0;
}
