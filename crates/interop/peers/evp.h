/* What OpenSSL 4 and Tongsuo have in common: both are driven through EVP. Speaks the protocol of
 * `src/peer.rs`: a request per line, its words in hexadecimal ("-" for nothing); the answer is
 * "ok" with the results, "refused", or "unsupported" with the reason. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                       \
    do {                                                       \
        if (!(condition)) {                                    \
            fprintf(stderr, "%d: %s\n", __LINE__, #condition); \
            exit(2);                                           \
        }                                                      \
    } while (0)

#define MAX_WORDS 12
#define MAX_BYTES (1 << 17)

typedef struct {
    uint8_t *data;
    size_t len;
} bytes;

static bytes word[MAX_WORDS];
static char *text[MAX_WORDS];
static uint8_t out[MAX_BYTES];

static void answer(const uint8_t *data, size_t len) {
    printf(" ");
    if (len == 0) {
        printf("-");
    }
    for (size_t i = 0; i < len; i++) {
        printf("%02x", data[i]);
    }
}

static void ok(const uint8_t *data, size_t len) {
    printf("ok");
    answer(data, len);
    printf("\n");
}

static size_t number(int i) {
    return strtoul(text[i], NULL, 10);
}

static void digest(void) {
    unsigned len = 0;
    CHECK(EVP_Digest(word[1].data, word[1].len, out, &len, EVP_sm3(), NULL) == 1);
    ok(out, len);
}

static void mac(const char *name, const char *key, const char *algorithm, bytes k, const bytes *iv,
                bytes message) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, name, NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    OSSL_PARAM params[3], *p = params;
    size_t len = 0;
    *p++ = OSSL_PARAM_construct_utf8_string(key, (char *)algorithm, 0);
    if (iv != NULL) {
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, iv->data, iv->len);
    }
    *p = OSSL_PARAM_construct_end();
    CHECK(EVP_MAC_init(ctx, k.data, k.len, params) == 1);
    CHECK(EVP_MAC_update(ctx, message.data, message.len) == 1);
    CHECK(EVP_MAC_final(ctx, out, &len, sizeof out) == 1);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    ok(out, len);
}

static void kdf(const char *name, size_t len, OSSL_PARAM *params) {
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    CHECK(ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    ok(out, len);
}

#define OCTETS(name, i) OSSL_PARAM_construct_octet_string(name, word[i].data, word[i].len)
#define SM3_DIGEST OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SM3", 0)

static void derive(void) {
    uint8_t prefix[] = "tls13 ";
    if (strcmp(text[0], "sm2-kdf") == 0) {
        OSSL_PARAM params[] = {SM3_DIGEST, OCTETS(OSSL_KDF_PARAM_KEY, 1), OSSL_PARAM_END};
        kdf("X963KDF", number(2), params);
    } else if (strcmp(text[0], "hkdf") == 0) {
        OSSL_PARAM params[] = {SM3_DIGEST, OCTETS(OSSL_KDF_PARAM_KEY, 1),
                               OCTETS(OSSL_KDF_PARAM_SALT, 2), OCTETS(OSSL_KDF_PARAM_INFO, 3),
                               OSSL_PARAM_END};
        kdf("HKDF", number(4), params);
    } else if (strcmp(text[0], "pbkdf2") == 0) {
        uint64_t rounds = number(3);
        int pkcs5 = 1; /* without NIST's lower bounds */
        OSSL_PARAM params[] = {SM3_DIGEST, OCTETS(OSSL_KDF_PARAM_PASSWORD, 1),
                               OCTETS(OSSL_KDF_PARAM_SALT, 2),
                               OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &rounds),
                               OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &pkcs5),
                               OSSL_PARAM_END};
        kdf("PBKDF2", number(4), params);
    } else if (strcmp(text[0], "tls12-prf") == 0) {
        OSSL_PARAM params[] = {SM3_DIGEST, OCTETS(OSSL_KDF_PARAM_SECRET, 1),
                               OCTETS(OSSL_KDF_PARAM_SEED, 2), OCTETS(OSSL_KDF_PARAM_SEED, 3),
                               OSSL_PARAM_END};
        kdf("TLS1-PRF", number(4), params);
    } else {
        int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
        OSSL_PARAM params[] = {SM3_DIGEST, OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                               OCTETS(OSSL_KDF_PARAM_KEY, 1), OCTETS(OSSL_KDF_PARAM_LABEL, 2),
                               OCTETS(OSSL_KDF_PARAM_DATA, 3),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix, 6),
                               OSSL_PARAM_END};
        kdf("TLS13-KDF", number(4), params);
    }
}

/* sm4 MODE enc|dec KEY IV DATA */
static void cipher(void) {
    const int enc = strcmp(text[2], "enc") == 0, xts = strncmp(text[1], "xts-", 4) == 0;
    char name[24], *standard = strcmp(text[1], "xts-gb") == 0 ? "GB" : "IEEE";
    int len = 0, more = 0;
    snprintf(name, sizeof name, "SM4-%s", xts ? "XTS" : text[1]);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    if (cipher == NULL) {
        printf("unsupported the library has no %s\n", name);
        return;
    }
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    OSSL_PARAM params[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
    if (xts) {
        params[0] = OSSL_PARAM_construct_utf8_string("xts_standard", standard, 0);
    }
    CHECK(EVP_CipherInit_ex2(ctx, cipher, word[3].data, word[4].data, enc, params) == 1);
    if (strcmp(text[1], "ecb") == 0) {
        CHECK(EVP_CIPHER_CTX_set_padding(ctx, 0) == 1);
    }
    CHECK(EVP_CipherUpdate(ctx, out, &len, word[5].data, (int)word[5].len) == 1);
    if (EVP_CipherFinal_ex(ctx, out + len, &more) == 1) {
        ok(out, (size_t)(len + more));
    } else {
        printf("refused\n");
    }
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

/* aead gcm|ccm enc KEY NONCE AAD PLAIN, aead gcm|ccm dec KEY NONCE AAD CIPHERTEXT TAG */
static void aead(void) {
    const int enc = strcmp(text[2], "enc") == 0, ccm = strcmp(text[1], "ccm") == 0;
    uint8_t *tag = enc ? NULL : word[7].data, made[16];
    int len = 0, more = 0, in_len = (int)word[6].len;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, ccm ? "SM4-CCM" : "SM4-GCM", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    CHECK(EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, enc, NULL) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)word[4].len, NULL) == 1);
    if (ccm || !enc) {
        CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1);
    }
    CHECK(EVP_CipherInit_ex2(ctx, NULL, word[3].data, word[4].data, enc, NULL) == 1);
    if (ccm) {
        CHECK(EVP_CipherUpdate(ctx, NULL, &len, NULL, in_len) == 1);
    }
    if (word[5].len > 0) {
        CHECK(EVP_CipherUpdate(ctx, NULL, &len, word[5].data, (int)word[5].len) == 1);
    }
    /* CCM says already here that a tag does not fit, GCM at the end. */
    int fits = EVP_CipherUpdate(ctx, out, &len, word[6].data, in_len) == 1;
    fits = fits && (EVP_CipherFinal_ex(ctx, out + in_len, &more) == 1 || ccm);
    CHECK(fits || !enc);
    if (!fits) {
        printf("refused\n");
    } else {
        printf("ok");
        answer(out, word[6].len);
        if (enc) {
            CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, made) == 1);
            answer(made, 16);
        }
        printf("\n");
    }
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

/* An SM2 key from d (or nothing) and 04 X Y. */
static EVP_PKEY *sm2_key(const bytes *d, bytes point) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    EVP_PKEY *key = NULL;
    uint8_t little[32];
    OSSL_PARAM params[4], *p = params;
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"SM2", 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len);
    if (d != NULL) {
        for (int i = 0; i < 32; i++) { /* the machine's byte order */
            little[i] = d->data[31 - i];
        }
        *p++ = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, little, 32);
    }
    *p = OSSL_PARAM_construct_end();
    CHECK(ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1);
    CHECK(EVP_PKEY_fromdata(ctx, &key, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* sm2-sign D POINT ID MESSAGE, sm2-verify POINT ID MESSAGE SIGNATURE */
static void sm2_signature(int sign) {
    const int at = sign ? 2 : 1;
    if (word[at + 1].len == 0) {
        puts("unsupported no empty ID");
        return;
    }
    EVP_PKEY *key = sm2_key(sign ? &word[1] : NULL, word[at]);
    EVP_PKEY_CTX *pkey_ctx = EVP_PKEY_CTX_new(key, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bytes message = word[at + 2];
    CHECK(EVP_PKEY_CTX_set1_id(pkey_ctx, word[at + 1].data, (int)word[at + 1].len) == 1);
    EVP_MD_CTX_set_pkey_ctx(ctx, pkey_ctx);
    if (sign) {
        size_t len = sizeof out;
        CHECK(EVP_DigestSignInit(ctx, NULL, EVP_sm3(), NULL, key) == 1);
        CHECK(EVP_DigestSign(ctx, out, &len, message.data, message.len) == 1);
        ok(out, len);
    } else {
        CHECK(EVP_DigestVerifyInit(ctx, NULL, EVP_sm3(), NULL, key) == 1);
        const int good = EVP_DigestVerify(ctx, word[4].data, word[4].len, message.data, message.len);
        puts(good == 1 ? "ok -" : "refused");
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pkey_ctx);
    EVP_PKEY_free(key);
}

/* sm2-encrypt POINT MESSAGE, sm2-decrypt D POINT CIPHERTEXT */
static void sm2_encryption(int encrypt) {
    EVP_PKEY *key = encrypt ? sm2_key(NULL, word[1]) : sm2_key(&word[1], word[2]);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t len = sizeof out;
    if (encrypt) {
        CHECK(EVP_PKEY_encrypt_init(ctx) == 1);
        CHECK(EVP_PKEY_encrypt(ctx, out, &len, word[2].data, word[2].len) == 1);
        ok(out, len);
    } else {
        CHECK(EVP_PKEY_decrypt_init(ctx) == 1);
        if (EVP_PKEY_decrypt(ctx, out, &len, word[3].data, word[3].len) == 1) {
            ok(out, len);
        } else {
            puts("refused");
        }
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

/* What only one of the two can do; 0 for anything else. */
static int more(void);

static void request(void) {
    const char *what = text[0];
    const int aead_mode = strcmp(what, "aead") == 0;
    if (strcmp(what, "sm3") == 0) {
        digest();
    } else if (strcmp(what, "hmac") == 0) {
        mac("HMAC", OSSL_MAC_PARAM_DIGEST, "SM3", word[1], NULL, word[2]);
    } else if (strcmp(what, "cmac") == 0) {
        mac("CMAC", OSSL_MAC_PARAM_CIPHER, "SM4-CBC", word[1], NULL, word[2]);
    } else if (strcmp(what, "gmac") == 0) {
        mac("GMAC", OSSL_MAC_PARAM_CIPHER, "SM4-GCM", word[1], &word[2], word[3]);
    } else if (strcmp(what, "sm4") == 0) {
        cipher();
    } else if (aead_mode && (strcmp(text[1], "gcm") == 0 || strcmp(text[1], "ccm") == 0)) {
        aead();
    } else if (strcmp(what, "sm2-sign") == 0 || strcmp(what, "sm2-verify") == 0) {
        sm2_signature(strcmp(what, "sm2-sign") == 0);
    } else if (strcmp(what, "sm2-encrypt") == 0 || strcmp(what, "sm2-decrypt") == 0) {
        sm2_encryption(strcmp(what, "sm2-encrypt") == 0);
    } else if (strcmp(what, "sm2-kdf") == 0 || strcmp(what, "hkdf") == 0 ||
               strcmp(what, "pbkdf2") == 0 || strcmp(what, "tls12-prf") == 0 ||
               strcmp(what, "tls13-label") == 0) {
        derive();
    } else if (!more()) {
        puts("unsupported the library has no such function");
    }
    fflush(stdout);
}

int main(void) {
    static char line[8 * MAX_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL) {
        int count = 0;
        for (char *w = strtok(line, " \n"); w != NULL; w = strtok(NULL, " \n")) {
            CHECK(count < MAX_WORDS);
            const size_t len = strcmp(w, "-") == 0 ? 0 : strlen(w) / 2;
            text[count] = w;
            free(word[count].data);
            word[count].data = malloc(len + 1); /* exactly as long: overruns would show */
            word[count].len = len;
            for (size_t i = 0; i < len; i++) {
                unsigned byte = 0;
                /* names are not hexadecimal, and not read as bytes */
                (void)sscanf(w + 2 * i, "%2x", &byte);
                word[count].data[i] = (uint8_t)byte;
            }
            count++;
        }
        if (count > 0) {
            request();
        }
    }
    return 0;
}
