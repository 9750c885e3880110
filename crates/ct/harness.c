/* What gmkit-ct traces: each operation of the C ABI that handles a secret, called with the secret
 * from the command line. Everything between the two marks is compared over many secrets, so what
 * is public must be the same in every run, or of the same length where addresses depend on no more
 * than that.
 *
 *   harness list
 *   harness OPERATION SECRET FILE           runs it between marks; SECRET: 64 hex digits
 *   harness undefined OPERATION...          under valgrind, with the secret marked as undefined:
 *                                           every branch and address that depends on it is reported
 */
#define _GNU_SOURCE
#include <gmkit.h>
#include <valgrind/memcheck.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHECK(call)                                                                        \
    do {                                                                                   \
        if ((call) != GMKIT_OK) {                                                          \
            fprintf(stderr, "%s: %s\n", #call, gmkit_last_error_message());                \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

static const uint8_t IV[16] = {1, 2, 3};
static uint8_t secret[32], data[512], out[1024], tag[16];
static size_t out_len;
static const char *file_name;

/* The secret, stretched to any length without a branch on it. */
static void fill(uint8_t *buffer, size_t len) {
    for (size_t i = 0; i < len; i++) {
        buffer[i] = (uint8_t)(secret[i % 32] + 31 * (i / 32));
    }
}

/* What has been sent is public, whatever it was made from. */
#define PUBLIC(buffer, len) (void)VALGRIND_MAKE_MEM_DEFINED(buffer, len)

/* Stands in for the C library's: what the operating system draws is a secret too. */
static int drawn_is_secret;
ssize_t getrandom(void *buffer, size_t len, unsigned flags) {
    const long drawn = syscall(SYS_getrandom, buffer, len, flags);
    if (drawn_is_secret && drawn > 0) {
        VALGRIND_MAKE_MEM_UNDEFINED(buffer, (size_t)drawn);
    }
    return drawn;
}

/* Marks are signals only while somebody traces. */
static int traced;
static void mark(void) {
    if (traced) {
        raise(SIGSTOP);
    }
}

static void sm3(void) {
    mark();
    CHECK(gmkit_sm3_digest(data, 200, out));
    mark();
}

static void kdf(void) {
    mark();
    CHECK(gmkit_sm3_kdf(data, 64, out, 100));
    mark();
}

static void hmac(void) {
    mark();
    CHECK(gmkit_hmac_sm3_mac(secret, 32, data, 100, out));
    mark();
}

#define REFUSED(call)                                                                      \
    do {                                                                                   \
        if ((call) != GMKIT_ERR_REJECTED) {                                                \
            fprintf(stderr, "%s: not refused\n", #call);                                   \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

/* A right value with one wrong byte, in a place that the secret decides: a comparison that stops
 * there shows. */
static uint8_t wrong[64];
static int undefined;
static void make_wrong(const uint8_t *right, size_t len) {
    memcpy(wrong, right, len);
    wrong[undefined ? 0 : secret[31] % len] ^= 1;
}

/* Both outcomes of the comparison. */
static void hmac_check(void) {
    CHECK(gmkit_hmac_sm3_mac(secret, 32, data, 100, out));
    PUBLIC(out, 32);
    make_wrong(out, 32);
    mark();
    CHECK(gmkit_hmac_sm3_check(secret, 32, data, 100, out));
    REFUSED(gmkit_hmac_sm3_check(secret, 32, data, 100, wrong));
    mark();
}

static void gcm_seal(void) {
    gmkit_sm4_gcm *gcm = NULL;
    mark();
    CHECK(gmkit_sm4_gcm_new(secret, &gcm));
    CHECK(gmkit_sm4_gcm_seal(gcm, IV, 12, IV, 16, data, out, 333, tag));
    /* Of a nonce with another length the first counter is secret. */
    CHECK(gmkit_sm4_gcm_seal(gcm, IV, 16, IV, 16, data, out, 333, tag));
    mark();
    gmkit_sm4_gcm_free(gcm);
}

static void gcm_open(void) {
    gmkit_sm4_gcm *gcm = NULL;
    CHECK(gmkit_sm4_gcm_new(secret, &gcm));
    CHECK(gmkit_sm4_gcm_seal(gcm, IV, 12, IV, 16, data, out, 333, tag));
    PUBLIC(out, sizeof out);
    PUBLIC(tag, 16);
    mark();
    CHECK(gmkit_sm4_gcm_open(gcm, IV, 12, IV, 16, out, out, 333, tag, 16));
    mark();
    gmkit_sm4_gcm_free(gcm);
}

/* A forgery: where the tags differ is a secret. */
static void gcm_refuse(void) {
    gmkit_sm4_gcm *gcm = NULL;
    CHECK(gmkit_sm4_gcm_new(secret, &gcm));
    CHECK(gmkit_sm4_gcm_seal(gcm, IV, 12, IV, 16, data, out, 333, tag));
    PUBLIC(out, sizeof out);
    PUBLIC(tag, 16);
    make_wrong(tag, 16);
    mark();
    REFUSED(gmkit_sm4_gcm_open(gcm, IV, 12, IV, 16, out, out, 333, wrong, 16));
    mark();
    gmkit_sm4_gcm_free(gcm);
}

static void ctr(void) {
    gmkit_sm4_ctr *ctr = NULL;
    mark();
    CHECK(gmkit_sm4_ctr_new(secret, IV, &ctr));
    CHECK(gmkit_sm4_ctr_update(ctr, data, out, 333));
    mark();
    gmkit_sm4_ctr_free(ctr);
}

static void cbc_encrypt(void) {
    gmkit_sm4_cbc_encryptor *enc = NULL;
    mark();
    CHECK(gmkit_sm4_cbc_encryptor_new(secret, IV, &enc));
    out_len = sizeof out;
    CHECK(gmkit_sm4_cbc_encryptor_update(enc, data, 333, out, &out_len));
    size_t done = out_len;
    out_len = sizeof out - done;
    CHECK(gmkit_sm4_cbc_encryptor_finish(enc, out + done, &out_len));
    mark();
    out_len += done;
    gmkit_sm4_cbc_encryptor_free(enc);
}

static void cbc_decrypt(void) {
    static uint8_t plain[1024];
    gmkit_sm4_cbc_encryptor *enc = NULL;
    gmkit_sm4_cbc_decryptor *dec = NULL;
    CHECK(gmkit_sm4_cbc_encryptor_new(secret, IV, &enc));
    out_len = sizeof out;
    CHECK(gmkit_sm4_cbc_encryptor_update(enc, data, 333, out, &out_len));
    size_t done = out_len, len = sizeof plain;
    out_len = sizeof out - done;
    CHECK(gmkit_sm4_cbc_encryptor_finish(enc, out + done, &out_len));
    PUBLIC(out, sizeof out);
    gmkit_sm4_cbc_encryptor_free(enc);
    mark();
    CHECK(gmkit_sm4_cbc_decryptor_new(secret, IV, &dec));
    CHECK(gmkit_sm4_cbc_decryptor_update(dec, out, done + out_len, plain, &len));
    done = len;
    len = sizeof plain - done;
    CHECK(gmkit_sm4_cbc_decryptor_finish(dec, plain + done, &len));
    mark();
    gmkit_sm4_cbc_decryptor_free(dec);
}

/* Padding that is wrong in a place that depends on the secret. */
static void cbc_refuse(void) {
    static uint8_t plain[1024];
    gmkit_sm4_cbc_decryptor *dec = NULL;
    size_t len = sizeof plain;
    uint8_t block[16];
    memset(block, 16, sizeof block);
    block[undefined ? 0 : secret[31] % 15] = 0x55;
    for (int i = 0; i < 16; i++) {
        block[i] ^= IV[i];
    }
    CHECK(gmkit_hazmat_sm4_encrypt_blocks(secret, block, block, 16));
    PUBLIC(block, 16);
    CHECK(gmkit_sm4_cbc_decryptor_new(secret, IV, &dec));
    mark();
    CHECK(gmkit_sm4_cbc_decryptor_update(dec, block, 16, plain, &len));
    len = sizeof plain;
    if (gmkit_sm4_cbc_decryptor_finish(dec, plain, &len) != GMKIT_ERR_REJECTED) {
        exit(1);
    }
    mark();
    gmkit_sm4_cbc_decryptor_free(dec);
}

/* One block and many: the backend has paths of its own for them. */
static void blocks(void) {
    mark();
    CHECK(gmkit_hazmat_sm4_encrypt_blocks(secret, data, out, 16));
    CHECK(gmkit_hazmat_sm4_encrypt_blocks(secret, data, out, 512));
    CHECK(gmkit_hazmat_sm4_decrypt_blocks(secret, out, out, 512));
    mark();
}

static void cfb_and_ofb(void) {
    gmkit_sm4_cfb_encryptor *enc = NULL;
    gmkit_sm4_cfb_decryptor *dec = NULL;
    gmkit_sm4_ofb *ofb = NULL;
    CHECK(gmkit_sm4_cfb_encryptor_new(secret, IV, &enc));
    CHECK(gmkit_sm4_cfb_decryptor_new(secret, IV, &dec));
    CHECK(gmkit_sm4_ofb_new(secret, IV, &ofb));
    mark();
    CHECK(gmkit_sm4_cfb_encryptor_update(enc, data, out, 50));
    CHECK(gmkit_sm4_cfb_decryptor_update(dec, data, out, 150));
    CHECK(gmkit_sm4_ofb_update(ofb, data, out, 50));
    mark();
    gmkit_sm4_cfb_encryptor_free(enc);
    gmkit_sm4_cfb_decryptor_free(dec);
    gmkit_sm4_ofb_free(ofb);
}

/* Key expansion, tweaks and ciphertext stealing, in both conventions. */
static void xts(void) {
    gmkit_sm4_xts *gb = NULL, *ieee = NULL;
    mark();
    CHECK(gmkit_sm4_xts_new(secret, GMKIT_XTS_GB, &gb));
    CHECK(gmkit_sm4_xts_new(secret, GMKIT_XTS_IEEE, &ieee));
    CHECK(gmkit_sm4_xts_encrypt(gb, IV, data, out, 215));
    CHECK(gmkit_sm4_xts_decrypt(ieee, IV, data, out, 215));
    mark();
    gmkit_sm4_xts_free(gb);
    gmkit_sm4_xts_free(ieee);
}

static void ccm(void) {
    gmkit_sm4_ccm *ccm = NULL;
    CHECK(gmkit_sm4_ccm_new(secret, 16, &ccm));
    CHECK(gmkit_sm4_ccm_seal(ccm, IV, 12, IV, 16, data, out, 100, tag));
    PUBLIC(out, sizeof out);
    PUBLIC(tag, 16);
    make_wrong(tag, 16);
    mark();
    REFUSED(gmkit_sm4_ccm_open(ccm, IV, 12, IV, 16, out, out, 100, wrong, 16));
    CHECK(gmkit_sm4_ccm_open(ccm, IV, 12, IV, 16, out, out, 100, tag, 16));
    mark();
    gmkit_sm4_ccm_free(ccm);
}

static void gcm_siv(void) {
    gmkit_sm4_gcm_siv *siv = NULL;
    CHECK(gmkit_sm4_gcm_siv_new(secret, &siv));
    CHECK(gmkit_sm4_gcm_siv_seal(siv, IV, IV, 16, data, out, 100, tag));
    PUBLIC(out, sizeof out);
    PUBLIC(tag, 16);
    make_wrong(tag, 16);
    mark();
    REFUSED(gmkit_sm4_gcm_siv_open(siv, IV, IV, 16, out, out, 100, wrong));
    CHECK(gmkit_sm4_gcm_siv_open(siv, IV, IV, 16, out, out, 100, tag));
    mark();
    gmkit_sm4_gcm_siv_free(siv);
}

static void cmac(void) {
    gmkit_sm4_cmac *cmac = NULL;
    CHECK(gmkit_sm4_cmac_new(secret, &cmac));
    CHECK(gmkit_sm4_cmac_update(cmac, data, 50));
    CHECK(gmkit_sm4_cmac_finish(cmac, tag));
    PUBLIC(tag, 16);
    make_wrong(tag, 16);
    mark();
    CHECK(gmkit_sm4_cmac_update(cmac, data, 50));
    CHECK(gmkit_sm4_cmac_finish_check(cmac, tag));
    CHECK(gmkit_sm4_cmac_update(cmac, data, 50));
    REFUSED(gmkit_sm4_cmac_finish_check(cmac, wrong));
    mark();
    gmkit_sm4_cmac_free(cmac);
}

/* A padded key of one word, wrapped with the right key though its length or its padding is wrong:
 * how much of it is looked at must not show. */
static void refused_padding(uint8_t mli, uint8_t last_but_one, uint8_t last, uint8_t *wrapped) {
    const uint8_t block[16] = {0xa6, 0x59, 0x59, 0xa6, 0, 0, 0, mli, 1, 0, 0, 0, 0, 0, last_but_one, last};
    CHECK(gmkit_hazmat_sm4_encrypt_blocks(secret, block, wrapped, 16));
    PUBLIC(wrapped, 16);
}

static void wrap(void) {
    static uint8_t plain[64], bad[3][16];
    size_t len = sizeof plain;
    const uint8_t in_the_last = undefined ? 1 : secret[31] & 1;
    refused_padding(9, 0, 0, bad[0]);
    refused_padding(1, 1 ^ in_the_last, in_the_last, bad[1]);
    refused_padding(in_the_last ? 0 : 255, 0, 0, bad[2]);
    out_len = sizeof out;
    CHECK(gmkit_sm4_wrap_padded(secret, data, 20, out, &out_len));
    PUBLIC(out, sizeof out);
    make_wrong(out, 32);
    mark();
    CHECK(gmkit_sm4_unwrap_padded(secret, out, 32, plain, &len));
    len = sizeof plain;
    REFUSED(gmkit_sm4_unwrap_padded(secret, wrong, 32, plain, &len));
    for (int i = 0; i < 3; i++) {
        len = sizeof plain;
        REFUSED(gmkit_sm4_unwrap_padded(secret, bad[i], 16, plain, &len));
    }
    out_len = sizeof out;
    CHECK(gmkit_sm4_wrap(secret, data, 16, out, &out_len));
    PUBLIC(out, sizeof out);
    len = sizeof plain;
    CHECK(gmkit_sm4_unwrap(secret, out, 24, plain, &len));
    mark();
}

static void hctr(void) {
    gmkit_sm4_hctr *hctr = NULL;
    mark();
    CHECK(gmkit_sm4_hctr_new(secret, secret + 16, &hctr));
    CHECK(gmkit_sm4_hctr_encrypt(hctr, IV, data, out, 215));
    CHECK(gmkit_sm4_hctr_decrypt(hctr, IV, data, out, 215));
    mark();
    gmkit_sm4_hctr_free(hctr);
}

static void bc_and_ofbnlf(void) {
    mark();
    CHECK(gmkit_sm4_bc_encrypt(secret, IV, data, out, 64));
    CHECK(gmkit_sm4_bc_decrypt(secret, IV, data, out, 160));
    CHECK(gmkit_sm4_ofbnlf_encrypt(secret, IV, data, out, 64));
    CHECK(gmkit_sm4_ofbnlf_decrypt(secret, IV, data, out, 64));
    mark();
}

/* The numerals are secret too. Which digit a byte gives is decided without a branch: 0 to 9. */
static void ff1(void) {
    static uint8_t text[24], back[4 * sizeof text];
    gmkit_sm4_ff1 *ff1 = NULL;
    size_t len = sizeof back, again = sizeof out;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)('0' + ((data[i] * 10) >> 8));
    }
    mark();
    CHECK(gmkit_sm4_ff1_new(secret, "0123456789", &ff1));
    CHECK(gmkit_sm4_ff1_encrypt(ff1, IV, 5, text, sizeof text, back, &len));
    CHECK(gmkit_sm4_ff1_decrypt(ff1, IV, 5, text, sizeof text, out, &again));
    mark();
    gmkit_sm4_ff1_free(ff1);
}

static void many(void) {
    const gmkit_bytes ivs[3] = {{IV, 16}, {IV, 16}, {IV, 16}};
    const gmkit_bytes messages[3] = {{data, 48}, {data + 48, 16}, {data + 64, 32}};
    mark();
    CHECK(gmkit_sm4_cbc_encrypt_many(secret, ivs, messages, 3, out));
    CHECK(gmkit_sm4_cmac_many(secret, messages, 3, out));
    CHECK(gmkit_sm3_digest_many(messages, 3, out));
    mark();
}

static void kdfs(void) {
    mark();
    CHECK(gmkit_hkdf_sm3(secret, 32, IV, 16, IV, 5, out, 70));
    CHECK(gmkit_pbkdf2_sm3(secret, 32, IV, 16, 3, out, 40));
    CHECK(gmkit_tls12_prf_sm3(secret, 32, IV, 5, IV, 16, out, 48));
    CHECK(gmkit_tls13_expand_label_sm3(secret, 32, IV, 3, IV, 2, out, 40));
    mark();
}

/* What is secret here is the entropy: another one in each run. */
static void drng(void) {
    gmkit_drng *generators[2] = {NULL, NULL};
    mark();
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(gmkit_drng_new(i, 1, secret, 32, &generators[i]));
        CHECK(gmkit_drng_fill(generators[i], out, 100));
        CHECK(gmkit_drng_reseed(generators[i], secret, 32));
    }
    mark();
    gmkit_drng_free(generators[0]);
    gmkit_drng_free(generators[1]);
}

static gmkit_private_key *key;
static gmkit_public_key *pub;

static void sm2_key(void) {
    mark();
    CHECK(gmkit_private_key_from_bytes(secret, &key));
    mark();
}

static void sm2_sign(void) {
    CHECK(gmkit_private_key_from_bytes(secret, &key));
    out_len = sizeof out;
    mark();
    CHECK(gmkit_sm2_sign(key, NULL, 0, IV, 16, GMKIT_SIGNATURE_RAW, out, &out_len));
    mark();
}

static void sm2_sign_many(void) {
    const gmkit_bytes messages[3] = {{IV, 16}, {IV, 3}, {IV, 0}};
    CHECK(gmkit_private_key_from_bytes(secret, &key));
    mark();
    CHECK(gmkit_sm2_sign_many(key, NULL, 0, messages, 3, out));
    mark();
}

/* The key in the envelope is its owner's: both are secret. */
static void envelope(void) {
    static uint8_t sealed[GMKIT_ENVELOPE_MAX], one[GMKIT_ENVELOPE_MAX], point[GMKIT_POINT_SIZE];
    gmkit_private_key *inside = NULL;
    const size_t longest = 244;
    int found = 0;
    CHECK(gmkit_private_key_from_bytes(secret, &key));
    CHECK(gmkit_private_key_public_key(key, &pub));
    CHECK(gmkit_public_key_to_point(pub, point));
    PUBLIC(point, sizeof point);
    gmkit_public_key_free(pub);
    CHECK(gmkit_public_key_from_point(point, sizeof point, &pub));
    /* Only the opening: what is sealed is public, and is encoded where it cannot be marked so. Its
     * length is public too, and goes by the first bits of a random point: one of the longest is
     * taken in every run, and always after as many tries, for they show in the state of malloc. */
    const int again = drawn_is_secret;
    drawn_is_secret = 0;
    for (int tries = 0; tries < 40; tries++) {
        size_t len = sizeof one;
        CHECK(gmkit_envelope_seal(key, pub, one, &len));
        PUBLIC(&len, sizeof len);
        if (len == longest) {
            found = 1;
            memcpy(sealed, one, len);
        }
    }
    drawn_is_secret = again;
    if (!found) {
        fprintf(stderr, "no envelope of %zu bytes\n", longest);
        exit(1);
    }
    PUBLIC(sealed, sizeof sealed);
    mark();
    CHECK(gmkit_envelope_open(key, sealed, longest, &inside));
    mark();
}

/* C1 and C3 are random, the message is secret. */
static void sm2_encrypt(void) {
    const uint8_t one[32] = {9};
    CHECK(gmkit_private_key_from_bytes(one, &key));
    CHECK(gmkit_private_key_public_key(key, &pub));
    out_len = sizeof out;
    mark();
    CHECK(gmkit_sm2_encrypt(pub, data, 48, GMKIT_CIPHERTEXT_C1C3C2, out, &out_len));
    mark();
}

static void sm2_decrypt(void) {
    static uint8_t plain[64];
    size_t len = sizeof plain;
    CHECK(gmkit_private_key_from_bytes(secret, &key));
    CHECK(gmkit_private_key_public_key(key, &pub));
    out_len = sizeof out;
    CHECK(gmkit_sm2_encrypt(pub, data, 48, GMKIT_CIPHERTEXT_C1C3C2, out, &out_len));
    PUBLIC(out, sizeof out);
    mark();
    CHECK(gmkit_sm2_decrypt(key, out, out_len, GMKIT_CIPHERTEXT_C1C3C2, plain, &len));
    mark();
}

static void sm2_exchange(void) {
    gmkit_sm2_exchange *exchange = NULL;
    uint8_t point[GMKIT_POINT_SIZE], key_out[32];
    const uint8_t one[32] = {9};
    CHECK(gmkit_private_key_from_bytes(one, &key));
    CHECK(gmkit_private_key_public_key(key, &pub));
    CHECK(gmkit_public_key_to_point(pub, point));
    CHECK(gmkit_private_key_from_bytes(secret, &key));
    mark();
    CHECK(gmkit_sm2_exchange_new(key, GMKIT_ROLE_INITIATOR, NULL, 0, pub, NULL, 0, &exchange));
    CHECK(gmkit_sm2_exchange_agree(exchange, point, sizeof point, 32, out));
    CHECK(gmkit_sm2_exchange_key_without_confirmation(exchange, key_out, 32));
    mark();
}

/* The passphrase and the key in the file are secret; the file is written by OpenSSL. */
static void pbes2(void) {
    char passphrase[65];
    uint8_t file[1024];
    FILE *stream = fopen(file_name, "rb");
    if (stream == NULL) {
        perror(file_name);
        exit(1);
    }
    size_t len = fread(file, 1, sizeof file, stream);
    fclose(stream);
    for (int i = 0; i < 32; i++) {
        snprintf(passphrase + 2 * i, 3, "%02x", secret[i]);
    }
    mark();
    CHECK(gmkit_private_key_read(file, len, (const uint8_t *)passphrase, 64, &key));
    mark();
}

static const struct {
    const char *name;
    void (*run)(void);
} OPERATIONS[] = {
    {"sm3", sm3},
    {"kdf", kdf},
    {"hmac", hmac},
    {"hmac-check", hmac_check},
    {"sm4-blocks", blocks},
    {"sm4-gcm-seal", gcm_seal},
    {"sm4-gcm-open", gcm_open},
    {"sm4-gcm-refuse", gcm_refuse},
    {"sm4-ctr", ctr},
    {"sm4-cbc-encrypt", cbc_encrypt},
    {"sm4-cbc-decrypt", cbc_decrypt},
    {"sm4-cbc-refuse", cbc_refuse},
    {"sm4-cfb-ofb", cfb_and_ofb},
    {"sm4-xts", xts},
    {"sm4-ccm", ccm},
    {"sm4-gcm-siv", gcm_siv},
    {"sm4-cmac", cmac},
    {"sm4-wrap", wrap},
    {"sm4-hctr", hctr},
    {"sm4-bc-ofbnlf", bc_and_ofbnlf},
    {"sm4-ff1", ff1},
    {"many", many},
    {"kdfs", kdfs},
    {"drng", drng},
    {"sm2-key", sm2_key},
    {"sm2-sign", sm2_sign},
    {"sm2-encrypt", sm2_encrypt},
    {"sm2-decrypt", sm2_decrypt},
    {"sm2-sign-many", sm2_sign_many},
    {"sm2-exchange", sm2_exchange},
    {"envelope", envelope},
    {"pbes2", pbes2},
};
#define COUNT (sizeof OPERATIONS / sizeof OPERATIONS[0])

static void print_backends(void) {
    printf("%s %s %s\n", gmkit_backend(GMKIT_ALGORITHM_SM2), gmkit_backend(GMKIT_ALGORITHM_SM3),
           gmkit_backend(GMKIT_ALGORITHM_SM4));
    fflush(stdout);
}

/* Runs an operation with everything secret marked. The file of `pbes2` stays as it is: what is
 * decrypted from it is parsed, and all of it would be marked. */
static void run_undefined(const char *name) {
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(name, OPERATIONS[i].name) == 0 && OPERATIONS[i].run != pbes2) {
            /* Any secret does that is a private key. */
            for (int at = 0; at < 32; at++) {
                secret[at] = (uint8_t)(0x35 + at);
            }
            fill(data, sizeof data);
            OPERATIONS[i].run();
            drawn_is_secret = 1;
            VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
            VALGRIND_MAKE_MEM_UNDEFINED(data, sizeof data);
            OPERATIONS[i].run();
            return;
        }
    }
    fprintf(stderr, "no operation %s\n", name);
    exit(2);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (size_t i = 0; i < COUNT; i++) {
            puts(OPERATIONS[i].name);
        }
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "backends") == 0) {
        print_backends();
        return 0;
    }
    if (argc > 2 && strcmp(argv[1], "undefined") == 0) {
        if (!RUNNING_ON_VALGRIND) {
            fprintf(stderr, "not under valgrind\n");
            return 2;
        }
        undefined = 1;
        print_backends();
        for (int i = 2; i < argc; i++) {
            run_undefined(argv[i]);
        }
        return 0;
    }
    if (argc != 4 || strlen(argv[2]) != 64) {
        fprintf(stderr, "usage: %s list | backends | OPERATION SECRET FILE\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < 32; i++) {
        char digits[3] = {argv[2][2 * i], argv[2][2 * i + 1], 0};
        secret[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    fill(data, sizeof data);
    file_name = argv[3];
    CHECK(gmkit_selftest());
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(argv[1], OPERATIONS[i].name) == 0) {
            /* Once without a trace: first uses allocate and test themselves. */
            OPERATIONS[i].run();
            if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
                perror("ptrace");
                return 1;
            }
            traced = 1;
            print_backends();
            raise(SIGSTOP);
            OPERATIONS[i].run();
            return 0;
        }
    }
    fprintf(stderr, "no operation %s\n", argv[1]);
    return 2;
}
