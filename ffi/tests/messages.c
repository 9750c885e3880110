/* Signed and encrypted messages, and key files: what works, and what is refused. */
#include "check.h"
#include "message.h"

/* What the library reads from and writes to. */
typedef struct {
    uint8_t *data;
    size_t len, at, piece;
} stream;

#define EMPTY {NULL, 0, 0, 0}

static int32_t read_stream(void *context, uint8_t *buffer, size_t size, size_t *len) {
    stream *from = (stream *)context;
    size_t left = from->len - from->at;
    *len = left < size ? left : size;
    if (*len > from->piece) *len = from->piece;
    memcpy(buffer, from->data + from->at, *len);
    from->at += *len;
    return 0;
}

static int32_t write_stream(void *context, const uint8_t *data, size_t len) {
    stream *to = (stream *)context;
    to->data = (uint8_t *)realloc(to->data, to->len + len);
    CHECK(to->data != NULL);
    memcpy(to->data + to->len, data, len);
    to->len += len;
    return 0;
}

static int32_t failing_read(void *context, uint8_t *buffer, size_t size, size_t *len) {
    (void)context, (void)buffer, (void)size, (void)len;
    return 1;
}

static int32_t lying_read(void *context, uint8_t *buffer, size_t size, size_t *len) {
    (void)context, (void)buffer;
    *len = size + 1;
    return 0;
}

static int32_t failing_write(void *context, const uint8_t *data, size_t len) {
    (void)context, (void)data, (void)len;
    return 1;
}

static stream reading(const void *data, size_t len, size_t piece) {
    stream from = {(uint8_t *)data, len, 0, piece};
    return from;
}

static gmkit_private_key *key_of(const char *pem) {
    gmkit_private_key *key = NULL;
    OK(gmkit_private_key_read(BYTES(pem), strlen(pem), NULL, 0, &key));
    return key;
}

static gmkit_verifier *trusting_root(void) {
    gmkit_verifier *verifier = NULL;
    gmkit_certificate *root = NULL;
    OK(gmkit_verifier_new(&verifier));
    OK(gmkit_certificate_read(BYTES(MESSAGE_ROOT), LEN(MESSAGE_ROOT), 0, &root));
    OK(gmkit_verifier_add_anchor(verifier, root, NULL, 0));
    gmkit_certificate_free(root);
    return verifier;
}

/* Verifies a message that holds its content. */
static gmkit_error verify(const uint8_t *message, size_t len, gmkit_cms_report **report, stream *content) {
    gmkit_verifier *verifier = trusting_root();
    stream from = reading(message, len, 100);
    gmkit_error result = gmkit_cms_verify(verifier, read_stream, &from, NULL, NULL, write_stream, content, report);
    gmkit_verifier_free(verifier);
    return result;
}

static void from_openssl(void) {
    gmkit_cms_report *report = NULL;
    gmkit_certificate *certificate = NULL;
    stream content = EMPTY;
    char name[64];
    size_t len = sizeof name;
    OK(verify(SIGNED_MESSAGE, sizeof SIGNED_MESSAGE, &report, &content));
    CHECK(content.len == 11 && memcmp(content.data, "the message", 11) == 0);
    CHECK(gmkit_cms_report_count(report) == 1);
    OK(gmkit_cms_report_verdict(report, 0));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_cms_report_verdict(report, 1));
    OK(gmkit_cms_report_certificate(report, 0, &certificate));
    OK(gmkit_certificate_subject(certificate, (uint8_t *)name, &len));
    CHECK(len == 15 && memcmp(name, "C=CN, CN=signer", 15) == 0);
    CHECK(gmkit_cms_report_time(report, 0) >= gmkit_certificate_not_before(certificate));
    CHECK(gmkit_cms_report_time(report, 1) == GMKIT_NO_TIME);
    gmkit_certificate_free(certificate);
    gmkit_cms_report_free(report);
    free(content.data);

    /* A changed bit of the content, and of the signature at the end. */
    uint8_t twin[sizeof SIGNED_MESSAGE];
    for (int i = 0; i < 2; i++) {
        memcpy(twin, SIGNED_MESSAGE, sizeof twin);
        for (size_t at = 0; i == 0 && at + 11 < sizeof twin; at++) {
            if (memcmp(twin + at, "the message", 11) == 0) twin[at] ^= 1;
        }
        if (i == 1) twin[sizeof twin - 1] ^= 1;
        stream changed = EMPTY;
        report = NULL;
        FAILS(GMKIT_ERR_REJECTED, verify(twin, sizeof twin, &report, &changed));
        FAILS(GMKIT_ERR_REJECTED, gmkit_cms_report_verdict(report, 0));
        gmkit_cms_report_free(report);
        free(changed.data);
    }
    stream cut = EMPTY;
    report = NULL;
    FAILS(GMKIT_ERR_ENCODING, verify(SIGNED_MESSAGE, sizeof SIGNED_MESSAGE - 1, &report, &cut));
    CHECK(report == NULL);
    free(cut.data);
}

static void signed_here(void) {
    gmkit_private_key *key = key_of(SIGNER_KEY);
    gmkit_verifier *verifier = trusting_root();
    for (uint32_t dialect = 0; dialect < 2; dialect++) {
        for (uint32_t attached = 0; attached < 2; attached++) {
            stream content = reading("what is signed", 14, 5), message = EMPTY, out = EMPTY;
            gmkit_cms_report *report = NULL;
            OK(gmkit_cms_sign(key, BYTES(SIGNER), LEN(SIGNER), dialect, attached, read_stream, &content,
                              write_stream, &message));
            message.piece = 7;
            content.at = 0;
            OK(gmkit_cms_verify(verifier, read_stream, &message, attached ? NULL : read_stream, &content,
                                attached ? write_stream : NULL, &out, &report));
            CHECK(out.len == (attached ? 14U : 0U));
            gmkit_cms_report_free(report);
            /* There is content twice, or none. */
            message.at = content.at = 0;
            FAILS(GMKIT_ERR_ARGUMENT, gmkit_cms_verify(verifier, read_stream, &message, attached ? read_stream : NULL,
                                                       &content, NULL, NULL, &report));
            free(message.data);
            free(out.data);
        }
    }
    /* Nobody trusts the root: the report says so of the one who has signed. */
    gmkit_verifier *nobody = NULL;
    gmkit_cms_report *report = NULL;
    stream message = reading(SIGNED_MESSAGE, sizeof SIGNED_MESSAGE, 1000);
    OK(gmkit_verifier_new(&nobody));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_cms_verify(nobody, read_stream, &message, NULL, NULL, NULL, NULL, &report));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_cms_report_verdict(report, 0));
    gmkit_cms_report_free(report);
    gmkit_verifier_free(nobody);
    gmkit_verifier_free(verifier);
    gmkit_private_key_free(key);
}

static void encrypted_here(void) {
    gmkit_private_key *key = key_of(READER_KEY), *other = key_of(SIGNER_KEY);
    for (uint32_t protect = 0; protect < 2; protect++) {
        for (int known = 0; known < 2; known++) {
            stream content = reading("what is secret", 14, 5), message = EMPTY, out = EMPTY, none = EMPTY;
            OK(gmkit_cms_encrypt(BYTES(READER), LEN(READER), GMKIT_CMS_RFC5652, protect,
                                 known ? 14 : GMKIT_CMS_UNKNOWN_LENGTH, read_stream, &content, write_stream, &message));
            message.piece = 11;
            OK(gmkit_cms_decrypt(key, !protect, read_stream, &message, write_stream, &out));
            CHECK(out.len == 14 && memcmp(out.data, "what is secret", 14) == 0);
            message.at = 0;
            FAILS(GMKIT_ERR_REJECTED, gmkit_cms_decrypt(other, 1, read_stream, &message, write_stream, &none));
            message.at = 0;
            message.data[message.len - 1] ^= 1;
            stream changed = EMPTY;
            FAILS(protect ? GMKIT_ERR_REJECTED : GMKIT_ERR_UNSUPPORTED,
                  gmkit_cms_decrypt(key, 0, read_stream, &message, write_stream, &changed));
            free(message.data);
            free(out.data);
            free(none.data);
            free(changed.data);
        }
    }
    gmkit_private_key_free(other);
    gmkit_private_key_free(key);
}

static void refused(void) {
    gmkit_private_key *key = key_of(SIGNER_KEY);
    gmkit_verifier *verifier = trusting_root();
    gmkit_cms_report *report = NULL;
    gmkit_certificate *certificate = NULL;
    stream content = reading("x", 1, 1), message = EMPTY;
    const uint8_t *chain = BYTES(SIGNER), *reader = BYTES(READER);
    size_t chain_len = LEN(SIGNER), reader_len = LEN(READER);
    FAILS(GMKIT_ERR_NULL, gmkit_cms_sign(NULL, chain, chain_len, 0, 0, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_sign(key, NULL, 1, 0, 0, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_sign(key, chain, chain_len, 0, 0, NULL, NULL, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_sign(key, chain, chain_len, 0, 0, read_stream, &content, NULL, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_cms_sign(key, chain, chain_len, 2, 0, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_KEY, gmkit_cms_sign(key, reader, reader_len, 0, 0, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_IO, gmkit_cms_sign(key, chain, chain_len, 0, 0, failing_read, NULL, write_stream, &message));
    FAILS(GMKIT_ERR_IO, gmkit_cms_sign(key, chain, chain_len, 0, 1, lying_read, NULL, write_stream, &message));
    FAILS(GMKIT_ERR_IO, gmkit_cms_sign(key, chain, chain_len, 0, 1, read_stream, &content, failing_write, NULL));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_verify(NULL, read_stream, &content, NULL, NULL, NULL, NULL, &report));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_verify(verifier, NULL, NULL, NULL, NULL, NULL, NULL, &report));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_verify(verifier, read_stream, &content, NULL, NULL, NULL, NULL, NULL));
    FAILS(GMKIT_ERR_IO, gmkit_cms_verify(verifier, failing_read, NULL, NULL, NULL, NULL, NULL, &report));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_encrypt(NULL, 1, 0, 1, 1, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_encrypt(reader, reader_len, 0, 1, 1, NULL, NULL, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_encrypt(reader, reader_len, 0, 1, 1, read_stream, &content, NULL, NULL));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_cms_encrypt(chain, chain_len, 0, 1, 1, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_cms_encrypt(reader, reader_len, 1, 1, 1, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_cms_encrypt(reader, reader_len, 0, 1, 9, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_decrypt(NULL, 0, read_stream, &content, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_decrypt(key, 0, NULL, NULL, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_decrypt(key, 0, read_stream, &content, NULL, NULL));
    stream signed_one = reading(SIGNED_MESSAGE, sizeof SIGNED_MESSAGE, 99);
    FAILS(GMKIT_ERR_ENCODING, gmkit_cms_decrypt(key, 0, read_stream, &signed_one, write_stream, &message));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_report_verdict(NULL, 0));
    FAILS(GMKIT_ERR_NULL, gmkit_cms_report_certificate(NULL, 0, &certificate));
    CHECK(gmkit_cms_report_count(NULL) == 0 && gmkit_cms_report_time(NULL, 0) == GMKIT_NO_TIME);
    CHECK(report == NULL && certificate == NULL);
    gmkit_cms_report_free(NULL);
    gmkit_verifier_free(verifier);
    gmkit_private_key_free(key);
    free(message.data);
}

static void key_files(void) {
    gmkit_private_key *key = NULL;
    gmkit_public_key *pub = NULL, *its = NULL;
    gmkit_certificate *certificate = NULL;
    const uint8_t *password = BYTES("secret");
    uint8_t chain[4096], one[65], two[65];
    size_t len = sizeof chain, asked = 0, little = 10;
    OK(gmkit_pkcs12_read(SIGNER_P12, sizeof SIGNER_P12, password, 6, &key, NULL, &asked));
    CHECK(key == NULL && asked > 1000 && asked < sizeof chain);
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL,
          gmkit_pkcs12_read(SIGNER_P12, sizeof SIGNER_P12, password, 6, &key, chain, &little));
    OK(gmkit_pkcs12_read(SIGNER_P12, sizeof SIGNER_P12, password, 6, &key, chain, &len));
    CHECK(len == asked);
    OK(gmkit_certificate_read(chain, len, 0, &certificate));
    OK(gmkit_certificate_public_key(certificate, &its));
    OK(gmkit_private_key_public_key(key, &pub));
    OK(gmkit_public_key_to_point(pub, one));
    OK(gmkit_public_key_to_point(its, two));
    CHECK(memcmp(one, two, 65) == 0);
    gmkit_private_key_free(key);
    key = NULL;
    FAILS(GMKIT_ERR_PASSPHRASE_WRONG,
          gmkit_pkcs12_read(SIGNER_P12, sizeof SIGNER_P12, password, 5, &key, chain, &len));
    FAILS(GMKIT_ERR_ENCODING, gmkit_pkcs12_read(SIGNER_P12, 100, password, 6, &key, chain, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_pkcs12_read(NULL, 1, password, 6, &key, chain, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_pkcs12_read(SIGNER_P12, sizeof SIGNER_P12, NULL, 6, &key, chain, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_pkcs12_read(SIGNER_P12, sizeof SIGNER_P12, password, 6, NULL, chain, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_pkcs12_read(SIGNER_P12, sizeof SIGNER_P12, password, 6, &key, chain, NULL));
    FAILS(GMKIT_ERR_ENCODING, gmkit_cfca_read(SIGNER_P12, sizeof SIGNER_P12, password, 6, &key, chain, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_cfca_read(NULL, 1, password, 6, &key, chain, &len));
    len = sizeof chain;
    OK(gmkit_cfca_read(SIGNER_SM2, sizeof SIGNER_SM2, password, 6, &key, chain, &len));
    CHECK(len > 500);
    gmkit_private_key_free(key);
    key = NULL;
    FAILS(GMKIT_ERR_PASSPHRASE_WRONG,
          gmkit_cfca_read(SIGNER_SM2, sizeof SIGNER_SM2, password, 5, &key, chain, &len));
    CHECK(key == NULL);
    gmkit_public_key_free(pub);
    gmkit_public_key_free(its);
    gmkit_certificate_free(certificate);
}

int main(void) {
    from_openssl();
    signed_here();
    encrypted_here();
    refused();
    key_files();
    puts("messages: ok");
    return 0;
}
