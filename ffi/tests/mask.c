/* Bodies that are masked, whole and byte by byte; and everything that is refused. */
#include "check.h"

#define POLICY                                                                                      \
    "version = 1\nstyle = \"usual\"\n[[rule]]\npath = \"**.phone\"\nkind = \"mobile\"\n"               \
    "[[rule]]\npath = \"id\"\nkind = \"cn_id\"\nstrategy = { token = \"joins\" }\n[detect]\n"             \
    "[limits]\nmax_inspect = 100\n"
#define JSON "{\"phone\": 13800138000, \"id\": \"11010119900318000X\", \"t\": \"mail alice@example.com\"}"
/* HMAC-SM3 of 00 "cn_id" 00 "11010119900318000X" under sixteen bytes of 7, as OpenSSL computes it. */
#define MASKED                                                                                      \
    "{\"phone\": \"138****8000\", \"id\": \"tok_e5ade046d7a803b68d66a6503a0f1d44\", \"t\": \"mail a****@example.com\"}"

/* What was written, and after how many calls that fails. */
struct sink {
    char text[1024];
    size_t len;
    int left;
};

static int take(void *context, const uint8_t *data, size_t len) {
    struct sink *sink = (struct sink *)context;
    CHECK(len > 0 && sink->len + len <= sizeof sink->text);
    if (sink->left-- == 0) return 7;
    memcpy(sink->text + sink->len, data, len);
    sink->len += len;
    return 0;
}

static gmkit_mask_policy *policy;

static gmkit_mask_stream *started(uint32_t format) {
    gmkit_mask_stream *stream = NULL;
    OK(gmkit_mask_stream_new(policy, format, &stream));
    return stream;
}

/* In pieces of `step` bytes. */
static void masks(uint32_t format, const char *body, const char *expected, size_t step) {
    struct sink sink = {"", 0, -1};
    gmkit_mask_stream *stream = started(format);
    size_t len = strlen(body);
    for (size_t at = 0; at < len; at += step) {
        OK(gmkit_mask_stream_push(stream, BYTES(body) + at, len - at < step ? len - at : step, take, &sink));
    }
    OK(gmkit_mask_stream_finish(stream, take, &sink));
    CHECK(sink.len == strlen(expected) && memcmp(sink.text, expected, sink.len) == 0);
    FAILS(GMKIT_ERR_FINISHED, gmkit_mask_stream_push(stream, BYTES("x"), 1, take, &sink));
    FAILS(GMKIT_ERR_FINISHED, gmkit_mask_stream_finish(stream, take, &sink));
    gmkit_mask_stream_free(stream);
}

static void bodies(void) {
    for (size_t step = 1; step < 100; step += 49) {
        masks(GMKIT_MASK_JSON, JSON, MASKED, step);
        masks(GMKIT_MASK_JSON_LINES, "{}\n[\"alice@example.com\"]\n", "{}\n[\"a****@example.com\"]\n", step);
        masks(GMKIT_MASK_TEXT, "call 138-0013-8000\n", "call 138-****-8000\n", step);
        masks(GMKIT_MASK_EVENTS, "data: {\"phone\":1}\n\n", "data: {\"phone\":\"****\"}\n\n", step);
        masks(GMKIT_MASK_FORM, "phone=13800138000&a=1", "phone=138****8000&a=1", step);
    }
}

static void values(void) {
    uint8_t out[16];
    size_t len = 0;
    OK(gmkit_mask_value(BYTES("mobile"), 6, 0, BYTES("13800138000"), 11, NULL, &len));
    CHECK(len == 11);
    OK(gmkit_mask_value(BYTES("mobile"), 6, 0, BYTES("13800138000"), 11, out, &len));
    CHECK(len == 11 && memcmp(out, "138****8000", 11) == 0);
    len = sizeof out;
    OK(gmkit_mask_value(BYTES("mobile"), 6, 1, BYTES("13800138000"), 11, out, &len));
    CHECK(len == 11 && memcmp(out, "138******00", 11) == 0);
    OK(gmkit_mask_value(BYTES("card"), 4, 1, NULL, 0, out, &len));
    CHECK(len == 4 && memcmp(out, "****", 4) == 0);
    len = 10;
    FAILS(GMKIT_ERR_BUFFER_TOO_SMALL, gmkit_mask_value(BYTES("mobile"), 6, 0, BYTES("13800138000"), 11, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_value(BYTES("phone"), 5, 0, BYTES("1"), 1, out, &len));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_value(BYTES("mobile"), 6, 0, BYTES("\xff"), 1, out, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_value(NULL, 6, 0, BYTES("1"), 1, out, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_value(BYTES("mobile"), 6, 0, NULL, 1, out, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_value(BYTES("mobile"), 6, 0, BYTES("1"), 1, out, NULL));
    CHECK(len == 10);
}

/* What is refused in the middle of a body gives nothing more. */
static void breaks(uint32_t format, const char *body, gmkit_error code) {
    struct sink sink = {"", 0, -1};
    gmkit_mask_stream *stream = started(format);
    FAILS(code, gmkit_mask_stream_push(stream, BYTES(body), strlen(body), take, &sink));
    CHECK(sink.len == 0 && strstr(gmkit_last_error_message(), "13800138000") == NULL);
    FAILS(GMKIT_ERR_FINISHED, gmkit_mask_stream_push(stream, BYTES("{}"), 2, take, &sink));
    FAILS(GMKIT_ERR_FINISHED, gmkit_mask_stream_finish(stream, take, &sink));
    gmkit_mask_stream_free(stream);
}

static void refused(gmkit_mask_keys *keys) {
    static char lengthy[300];
    gmkit_mask_policy *none = NULL;
    gmkit_mask_stream *stream = NULL;
    struct sink sink = {"", 0, -1};
    breaks(GMKIT_MASK_JSON, "{\"phone\": 13800138000 oops", GMKIT_ERR_ENCODING);
    breaks(GMKIT_MASK_FORM, "phone=%ff&phone=13800138000", GMKIT_ERR_ENCODING);
    memset(lengthy, 'a', sizeof lengthy - 1);
    breaks(GMKIT_MASK_TEXT, lengthy, GMKIT_ERR_TOO_LONG);

    stream = started(GMKIT_MASK_JSON);
    OK(gmkit_mask_stream_push(stream, BYTES("{\"phone\":138"), 12, take, &sink));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_stream_push(stream, NULL, 1, take, &sink));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_stream_push(stream, BYTES("1"), 1, NULL, &sink));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_stream_finish(stream, NULL, &sink));
    FAILS(GMKIT_ERR_ENCODING, gmkit_mask_stream_finish(stream, take, &sink));
    CHECK(sink.len == 1 && sink.text[0] == '{');
    gmkit_mask_stream_free(stream);

    sink.left = 0;
    stream = started(GMKIT_MASK_TEXT);
    FAILS(GMKIT_ERR_IO, gmkit_mask_stream_push(stream, BYTES("a\nb\n"), 4, take, &sink));
    FAILS(GMKIT_ERR_FINISHED, gmkit_mask_stream_push(stream, BYTES("b\n"), 2, take, &sink));
    gmkit_mask_stream_free(stream);

    stream = NULL;
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_stream_new(policy, 5, &stream));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_stream_new(NULL, 0, &stream));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_stream_new(policy, 0, NULL));
    FAILS(GMKIT_ERR_HANDLE, gmkit_mask_stream_new((gmkit_mask_policy *)(void *)keys, 0, &stream));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_stream_push(NULL, BYTES("x"), 1, take, &sink));
    CHECK(stream == NULL);

    FAILS(GMKIT_ERR_KEY, gmkit_mask_policy_new(BYTES(POLICY), LEN(POLICY), NULL, &none));
    FAILS(GMKIT_ERR_ENCODING, gmkit_mask_policy_new(BYTES("version = 1\n[detect"), 19, keys, &none));
    CHECK(strstr(gmkit_last_error_message(), "line 2") != NULL);
    FAILS(GMKIT_ERR_ENCODING, gmkit_mask_policy_new(NULL, 0, NULL, &none));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_policy_new(BYTES("\xff"), 1, NULL, &none));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_policy_new(NULL, 1, NULL, &none));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_policy_new(BYTES(POLICY), LEN(POLICY), keys, NULL));
#define SEAL "version = 1\n[detect]\nstrategy = { seal = \"digits\" }\n"
    OK(gmkit_mask_keys_put(keys, BYTES("digits"), 6, GMKIT_MASK_FF1, BYTES("0123456789abcdef"), 16));
    FAILS(GMKIT_ERR_UNSUPPORTED, gmkit_mask_policy_new(BYTES(SEAL), LEN(SEAL), keys, &none));
    OK(gmkit_mask_keys_put(keys, BYTES("digits"), 6, GMKIT_MASK_SEAL, BYTES("0123456789abcdef"), 16));
    OK(gmkit_mask_policy_new(BYTES(SEAL), LEN(SEAL), keys, &none));
    gmkit_mask_policy_free(none);

    FAILS(GMKIT_ERR_NULL, gmkit_mask_keys_new(NULL));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_keys_put(NULL, BYTES("a"), 1, 0, BYTES("k"), 1));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_keys_put(keys, NULL, 1, 0, BYTES("k"), 1));
    FAILS(GMKIT_ERR_NULL, gmkit_mask_keys_put(keys, BYTES("a"), 1, 0, NULL, 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_keys_put(keys, BYTES("\xff"), 1, 0, BYTES("k"), 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_keys_put(keys, BYTES("a"), 1, 3, BYTES("k"), 1));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_keys_put(keys, BYTES("a"), 1, GMKIT_MASK_TOKEN, NULL, 0));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_mask_keys_put(keys, BYTES("a"), 1, GMKIT_MASK_SEAL, BYTES("k"), 1));
    /* What was refused took no key away. */
    OK(gmkit_mask_policy_new(BYTES(POLICY), LEN(POLICY), keys, &none));
    gmkit_mask_policy_free(none);
}

int main(void) {
    uint8_t key[16];
    gmkit_mask_keys *keys = NULL;
    memset(key, 7, sizeof key);
    OK(gmkit_mask_keys_new(&keys));
    OK(gmkit_mask_keys_put(keys, BYTES("joins"), 5, GMKIT_MASK_TOKEN, key, sizeof key));
    OK(gmkit_mask_policy_new(BYTES(POLICY), LEN(POLICY), keys, &policy));
    bodies();
    values();
    refused(keys);
    gmkit_mask_keys_free(keys);
    /* It has its keys. */
    masks(GMKIT_MASK_JSON, JSON, MASKED, 7);
    gmkit_mask_policy_free(policy);
    gmkit_mask_keys_free(NULL);
    gmkit_mask_policy_free(NULL);
    gmkit_mask_stream_free(NULL);
    puts("mask: ok");
    return 0;
}
