/* Audit logs: written by several threads, checked, and found out when they are changed. Logs are made in a new
 * folder below the current one. */
#define _XOPEN_SOURCE 700

#include "check.h"

#include <pthread.h>
#include <unistd.h>

#define DIR_OF(name) BYTES(name), strlen(name)
#define ORIGIN BYTES("bank.example/c"), LEN("bank.example/c")
#define EVENT "{\"op_type\":\"transfer.create\",\"actor\":{\"user\":\"alice\"},\"result\":{\"outcome\":\"denied\"}}"

/* A segment begins with a record of the log's own. */
enum { THREADS = 4, EACH = 50, RECORDS = THREADS * EACH + 1 };

static gmkit_private_key *key;
static gmkit_public_key *pub;

static gmkit_audit_log *opened(const char *dir) {
    gmkit_audit_log *log = NULL;
    OK(gmkit_audit_log_open(DIR_OF(dir), ORIGIN, key, &log));
    return log;
}

static gmkit_error verified(const char *dir, uint64_t *size, uint64_t *index) {
    uint64_t tail = 99;
    gmkit_error error = gmkit_audit_verify(DIR_OF(dir), pub, NULL, 0, size, &tail, index);
    CHECK(tail == 0);
    return error;
}

/* Every second event is waited for. */
static void *append(void *argument) {
    gmkit_audit_log *log = (gmkit_audit_log *)argument;
    uint64_t index, last = 0;
    for (int i = 0; i < EACH; i++) {
        index = UINT64_MAX;
        OK(gmkit_audit_log_append(log, BYTES(EVENT), LEN(EVENT), GMKIT_AUDIT_BLOCK, i % 2 ? &index : NULL));
        if (i % 2 == 0) continue;
        CHECK(index < RECORDS && (i == 1 || index > last));
        last = index;
    }
    return NULL;
}

static void written_and_checked(void) {
    gmkit_audit_log *log = opened("log"), *second = NULL;
    pthread_t threads[THREADS];
    uint64_t size = 0, index = 0;
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, append, log) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    FAILS(GMKIT_ERR_LOCKED, gmkit_audit_log_open(DIR_OF("log"), ORIGIN, key, &second));
    OK(gmkit_audit_log_close(log));
    FAILS(GMKIT_ERR_FINISHED, gmkit_audit_log_close(log));
    FAILS(GMKIT_ERR_FINISHED, gmkit_audit_log_append(log, BYTES(EVENT), LEN(EVENT), 0, NULL));
    gmkit_audit_log_free(log);
    OK(verified("log", &size, &index));
    CHECK(size == RECORDS && index == GMKIT_AUDIT_NO_INDEX);
    OK(gmkit_audit_verify(DIR_OF("log"), pub, NULL, 0, NULL, NULL, NULL));
}

static size_t content(const char *name, uint8_t *data, size_t room) {
    FILE *file = fopen(name, "rb");
    CHECK(file != NULL);
    size_t len = fread(data, 1, room, file);
    CHECK(len > 0 && len < room && fclose(file) == 0);
    return len;
}

static void put(const char *name, const uint8_t *data, size_t len) {
    FILE *file = fopen(name, "wb");
    CHECK(file != NULL && fwrite(data, 1, len, file) == len && fclose(file) == 0);
}

/* Goes on without its key, and with it; an older state of the log is found out. */
static void goes_on(void) {
    static uint8_t kept[4096], later[4096];
    size_t kept_len = content("log/checkpoint", kept, sizeof kept);
    uint64_t index = 0, size = 0, tail = 0;
    gmkit_audit_log *log = NULL;
    OK(gmkit_audit_log_open(DIR_OF("log"), ORIGIN, NULL, &log));
    OK(gmkit_audit_log_append(log, BYTES(EVENT), LEN(EVENT), GMKIT_AUDIT_REFUSE, &index));
    CHECK(index == RECORDS);
    OK(gmkit_audit_verify(DIR_OF("log"), pub, NULL, 0, &size, &tail, NULL));
    CHECK(size == RECORDS && tail == 1);
    gmkit_audit_log_free(log);
    log = opened("log");
    OK(gmkit_audit_log_append(log, BYTES(EVENT), LEN(EVENT), GMKIT_AUDIT_DROP, NULL));
    OK(gmkit_audit_log_close(log));
    gmkit_audit_log_free(log);
    OK(gmkit_audit_verify(DIR_OF("log"), pub, kept, kept_len, &size, NULL, NULL));
    CHECK(size == RECORDS + 2);

    size_t later_len = content("log/checkpoint", later, sizeof later);
    log = opened("young");
    OK(gmkit_audit_log_append(log, BYTES(EVENT), LEN(EVENT), GMKIT_AUDIT_BLOCK, &index));
    gmkit_audit_log_free(log);
    FAILS(GMKIT_ERR_AUDIT,
          gmkit_audit_verify(DIR_OF("young"), pub, later, later_len, &size, NULL, &index));
    CHECK(size == 2 && index == 2 && strstr(gmkit_last_error_message(), "rolled back") != NULL);
}

static void changed(void) {
    static uint8_t text[200000];
    const char *segment = "log/segments/00000000000000000000.jsonl";
    size_t len = content(segment, text, sizeof text), line = 0, at = 0;
    while (line < 17) line += text[at++] == '\n';
    text[at + 3] ^= 1;
    put(segment, text, len);
    uint64_t size = 0, index = 0;
    FAILS(GMKIT_ERR_AUDIT, verified("log", &size, &index));
    CHECK(index == 17 && strstr(gmkit_last_error_message(), "record 17 was changed") != NULL);
    text[at + 3] ^= 1;
    put(segment, text, len);
    OK(verified("log", &size, &index));

    /* Another key's. */
    gmkit_private_key *stranger = NULL;
    gmkit_public_key *other = NULL;
    OK(gmkit_private_key_generate(&stranger));
    OK(gmkit_private_key_public_key(stranger, &other));
    FAILS(GMKIT_ERR_AUDIT, gmkit_audit_verify(DIR_OF("log"), other, NULL, 0, NULL, NULL, &index));
    CHECK(index == GMKIT_AUDIT_NO_INDEX);
    gmkit_audit_log *log = NULL;
    FAILS(GMKIT_ERR_AUDIT, gmkit_audit_log_open(DIR_OF("log"), ORIGIN, stranger, &log));
    gmkit_public_key_free(other);
    gmkit_private_key_free(stranger);

    put("log/checkpoint", BYTES("gone"), 4);
    FAILS(GMKIT_ERR_AUDIT, gmkit_audit_log_open(DIR_OF("log"), ORIGIN, key, &log));
    CHECK(log == NULL);
}

static void refused(void) {
    static uint8_t large[70000];
    gmkit_audit_log *log = NULL;
    uint64_t index = 7;
    FAILS(GMKIT_ERR_NULL, gmkit_audit_log_open(DIR_OF("new"), ORIGIN, key, NULL));
    FAILS(GMKIT_ERR_NULL, gmkit_audit_log_open(NULL, 3, ORIGIN, key, &log));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_open(NULL, 0, ORIGIN, key, &log));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_open(BYTES("a\0b"), 3, ORIGIN, key, &log));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_open(DIR_OF("new"), BYTES("a b"), 3, key, &log));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_open(DIR_OF("new"), BYTES("\xff"), 1, key, &log));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_open(DIR_OF("keyless"), ORIGIN, NULL, &log));
    FAILS(GMKIT_ERR_HANDLE,
          gmkit_audit_log_open(DIR_OF("new"), ORIGIN, (const gmkit_private_key *)(const void *)pub, &log));
    put("file", BYTES("x"), 1);
    FAILS(GMKIT_ERR_IO, gmkit_audit_log_open(DIR_OF("file"), ORIGIN, key, &log));
    CHECK(log == NULL);

    log = opened("small");
    const char *bad[] = {"", "{}", "[1]", "{\"op_type\":\"a\"}", "{\"op_type\":\"a\",\"result\":7}",
                         "{\"op_type\":\"gmkit.audit.gap\",\"result\":{\"outcome\":\"denied\"}}", EVENT EVENT,
                         "{\"op_type\":\"\xff\",\"result\":{\"outcome\":\"denied\"}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_append(log, DIR_OF(bad[i]), 0, &index));
    }
    memset(large, 'a', sizeof large);
    memcpy(large, "{\"op_type\":\"a\",\"result\":{\"outcome\":\"denied\"},\"resource\":\"", 58);
    memcpy(large + sizeof large - 2, "\"}", 2);
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_append(log, large, sizeof large, 0, &index));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_log_append(log, BYTES(EVENT), LEN(EVENT), 3, &index));
    FAILS(GMKIT_ERR_NULL, gmkit_audit_log_append(NULL, BYTES(EVENT), LEN(EVENT), 0, &index));
    FAILS(GMKIT_ERR_NULL, gmkit_audit_log_close(NULL));
    CHECK(index == 7);
    OK(gmkit_audit_log_close(log));
    gmkit_audit_log_free(log);
    gmkit_audit_log_free(NULL);
    uint64_t size = 9;
    OK(verified("small", &size, &index));
    CHECK(size == 0);

    FAILS(GMKIT_ERR_IO, gmkit_audit_verify(DIR_OF("nowhere"), pub, NULL, 0, NULL, NULL, NULL));
    FAILS(GMKIT_ERR_NULL, gmkit_audit_verify(DIR_OF("small"), NULL, NULL, 0, NULL, NULL, NULL));
    FAILS(GMKIT_ERR_NULL, gmkit_audit_verify(DIR_OF("small"), pub, NULL, 5, NULL, NULL, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_audit_verify(NULL, 0, pub, NULL, 0, NULL, NULL, NULL));
    FAILS(GMKIT_ERR_ENCODING, gmkit_audit_verify(DIR_OF("small"), pub, BYTES("x"), 1, NULL, NULL, NULL));
}

int main(void) {
    char folder[] = "audit-XXXXXX";
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    OK(gmkit_private_key_generate(&key));
    OK(gmkit_private_key_public_key(key, &pub));
    written_and_checked();
    goes_on();
    changed();
    refused();
    gmkit_public_key_free(pub);
    gmkit_private_key_free(key);
    puts("audit: ok");
    return 0;
}
