/* Modes of SM4 through a peer's own library, for what `openssl enc` refuses to do.
 *
 *   evp MODE enc KEY IV AAD IN           prints OUT, or OUT TAG
 *   evp MODE dec KEY IV AAD IN TAG       prints OUT; exit code 1 when the tag does not fit
 *
 * MODE: ccm, gcm, xts-GB, xts-IEEE. Everything is in hexadecimal, "-" for nothing. */
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                     \
    do {                                                     \
        if (!(condition)) {                                  \
            fprintf(stderr, "%d: %s\n", __LINE__, #condition); \
            exit(2);                                         \
        }                                                    \
    } while (0)

static unsigned char buffers[6][1 << 17];

static int bytes(int i, const char *hex) {
    int len = 0;
    if (strcmp(hex, "-") != 0) {
        for (; hex[2 * len] != 0; len++) {
            unsigned byte;
            CHECK(sscanf(hex + 2 * len, "%2x", &byte) == 1);
            buffers[i][len] = (unsigned char)byte;
        }
    }
    return len;
}

static void print(const unsigned char *data, int len, const char *end) {
    if (len == 0) {
        printf("-");
    }
    for (int i = 0; i < len; i++) {
        printf("%02x", data[i]);
    }
    printf("%s", end);
}

int main(int argc, char **argv) {
    CHECK(argc >= 7);
    const int enc = strcmp(argv[2], "enc") == 0, xts = strncmp(argv[1], "xts-", 4) == 0;
    const int key_len = bytes(0, argv[3]), iv_len = bytes(1, argv[4]), aad_len = bytes(2, argv[5]);
    const int in_len = bytes(3, argv[6]), tag_len = argc > 7 ? bytes(4, argv[7]) : 16;
    unsigned char *key = buffers[0], *iv = buffers[1], *aad = buffers[2], *in = buffers[3],
                  *tag = buffers[4], *out = buffers[5];
    char name[16];
    int len = 0, more = 0;
    snprintf(name, sizeof name, "SM4-%s", xts ? "XTS" : strcmp(argv[1], "ccm") == 0 ? "CCM" : "GCM");
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    CHECK(cipher != NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    CHECK(EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, enc, NULL) == 1);
    CHECK(key_len == EVP_CIPHER_CTX_get_key_length(ctx));
    if (xts) {
        OSSL_PARAM params[2] = {
            OSSL_PARAM_construct_utf8_string("xts_standard", argv[1] + 4, 0), OSSL_PARAM_END};
        CHECK(iv_len == 16);
        CHECK(EVP_CipherInit_ex2(ctx, NULL, key, iv, enc, params) == 1);
        CHECK(EVP_CipherUpdate(ctx, out, &len, in, in_len) == 1);
        CHECK(EVP_CipherFinal_ex(ctx, out + len, &more) == 1);
        print(out, len + more, "\n");
        return 0;
    }
    CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, iv_len, NULL) == 1);
    if (strcmp(argv[1], "ccm") == 0 || !enc) {
        CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag_len, enc ? NULL : tag) == 1);
    }
    CHECK(EVP_CipherInit_ex2(ctx, NULL, key, iv, enc, NULL) == 1);
    if (strcmp(argv[1], "ccm") == 0) {
        CHECK(EVP_CipherUpdate(ctx, NULL, &len, NULL, in_len) == 1);
    }
    if (aad_len > 0) {
        CHECK(EVP_CipherUpdate(ctx, NULL, &len, aad, aad_len) == 1);
    }
    if (EVP_CipherUpdate(ctx, out, &len, in, in_len) != 1) {
        CHECK(!enc); /* CCM says here that the tag does not fit */
        return 1;
    }
    if (EVP_CipherFinal_ex(ctx, out + len, &more) != 1 && strcmp(argv[1], "gcm") == 0) {
        CHECK(!enc);
        return 1;
    }
    print(out, in_len, " ");
    if (enc) {
        CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, tag_len, tag) == 1);
        print(tag, tag_len, "\n");
    }
    return 0;
}
