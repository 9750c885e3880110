/* Many threads use one key; each has its own error message. */
#include "check.h"
#include <pthread.h>

static gmkit_private_key *key;
static gmkit_public_key *pub;
static gmkit_sm4_gcm *gcm;

static void *work(void *number) {
    const uint8_t id = *(uint8_t *)number;
    uint8_t nonce[12] = {0}, sig[GMKIT_SIGNATURE_MAX], data[100], tag[16];
    gmkit_private_key *none = NULL;
    for (int i = 0; i < 50; i++) {
        size_t len = sizeof sig;
        OK(gmkit_sm2_sign(key, &id, 1, &id, 1, GMKIT_SIGNATURE_DER, sig, &len));
        OK(gmkit_sm2_verify(pub, &id, 1, &id, 1, GMKIT_SIGNATURE_DER, sig, len));
        memset(data, id, sizeof data);
        nonce[0] = id;
        nonce[1] = (uint8_t)i;
        OK(gmkit_sm4_gcm_seal(gcm, nonce, 12, NULL, 0, data, data, sizeof data, tag));
        OK(gmkit_sm4_gcm_open(gcm, nonce, 12, NULL, 0, data, data, sizeof data, tag, 16));
        CHECK(data[0] == id && data[99] == id);
        /* Odd threads fail one way, even ones another: nobody reads somebody else's message. */
        if (id % 2 != 0) {
            FAILS(GMKIT_ERR_URI, gmkit_private_key_open("", NULL, 0, &none));
            CHECK(strstr(gmkit_last_error_message(), "URI") != NULL);
        } else {
            FAILS(GMKIT_ERR_KEY, gmkit_private_key_read(&id, 1, NULL, 0, &none));
            CHECK(strstr(gmkit_last_error_message(), "PEM") != NULL);
        }
    }
    return NULL;
}

int main(void) {
    pthread_t threads[8];
    uint8_t numbers[8];
    const uint8_t k[16] = {9};
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &pub));
    OK(gmkit_sm4_gcm_new(k, &gcm));
    for (uint8_t i = 0; i < 8; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
    }
    for (int i = 0; i < 8; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    gmkit_sm4_gcm_free(gcm);
    gmkit_public_key_free(pub);
    gmkit_private_key_free(key);
    puts("threads: ok");
    return 0;
}
