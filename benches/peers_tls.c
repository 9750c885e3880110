/* Handshakes and data of national TLS 1.3 in memory, by the libssl that this is linked with. Run in a
 * folder with root.pem, localhost.pem and localhost.key. Prints microseconds of a full and a resumed
 * handshake, both sides together, and of 16 KiB there and read; the best of five rounds. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void need(int done, const char *what) {
    if (done > 0) return;
    fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static SSL_CTX *context(const SSL_METHOD *method) {
    SSL_CTX *made = SSL_CTX_new(method);
    need(made != NULL, "context");
    need(SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION), "version");
    need(SSL_CTX_set_ciphersuites(made, "TLS_SM4_GCM_SM3"), "suite");
    need(SSL_CTX_set1_groups_list(made, "curveSM2"), "group");
    need(SSL_CTX_set1_sigalgs_list(made, "sm2sig_sm3"), "scheme");
    return made;
}

typedef struct {
    SSL *client, *server;
} pair;

static pair shake(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *session) {
    pair made = {SSL_new(client), SSL_new(server)};
    BIO *ours, *theirs;
    need(made.client != NULL && made.server != NULL, "new");
    need(BIO_new_bio_pair(&ours, 1 << 18, &theirs, 1 << 18), "pipe");
    SSL_set_bio(made.client, ours, ours);
    SSL_set_bio(made.server, theirs, theirs);
    need(SSL_set_tlsext_host_name(made.client, "localhost") != 0, "name");
    need(X509_VERIFY_PARAM_set1_host(SSL_get0_param(made.client), "localhost", 0), "host");
    if (session != NULL) need(SSL_set_session(made.client, session), "session");
    SSL_set_connect_state(made.client);
    SSL_set_accept_state(made.server);
    for (int turn = 0; !SSL_is_init_finished(made.client) || !SSL_is_init_finished(made.server); turn++) {
        SSL_do_handshake(made.client);
        SSL_do_handshake(made.server);
        need(turn < 10, "handshake");
    }
    /* The tickets. */
    char none[1];
    SSL_peek(made.client, none, 1);
    return made;
}

/* A session whose connection was not ended properly is not taken up again. */
static void end(pair one) {
    SSL_set_shutdown(one.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(one.server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(one.client);
    SSL_free(one.server);
}

static double handshakes(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *session) {
    double best = 1e12;
    for (int round = 0; round < 5; round++) {
        double started = now();
        int count = 0;
        for (; count < 50 || now() - started < 500e3; count++) {
            pair one = shake(client, server, session);
            need(SSL_session_reused(one.client) == (session != NULL), "resumption");
            end(one);
        }
        double each = (now() - started) / count;
        if (each < best) best = each;
    }
    return best;
}

static double data(SSL_CTX *client, SSL_CTX *server) {
    enum { LEN = 16384 };
    static char out[LEN], in[LEN];
    pair one = shake(client, server, NULL);
    double best = 1e12;
    for (int round = 0; round < 5; round++) {
        double started = now();
        int count = 0;
        for (; count < 100 || now() - started < 500e3; count++) {
            int came = 0;
            need(SSL_write(one.client, out, LEN) == LEN, "write");
            while (came < LEN) {
                int n = SSL_read(one.server, in + came, LEN - came);
                need(n, "read");
                came += n;
            }
        }
        double each = (now() - started) / count;
        if (each < best) best = each;
    }
    end(one);
    return best;
}

int main(void) {
    SSL_CTX *client = context(TLS_client_method()), *server = context(TLS_server_method());
    need(SSL_CTX_use_certificate_chain_file(server, "localhost.pem"), "certificate");
    need(SSL_CTX_use_PrivateKey_file(server, "localhost.key", SSL_FILETYPE_PEM), "key");
    need(SSL_CTX_load_verify_locations(client, "root.pem", NULL), "root");
    SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
    double bulk = data(client, server);
    pair first = shake(client, server, NULL);
    SSL_SESSION *session = SSL_get1_session(first.client);
    end(first);
    need(session != NULL && SSL_SESSION_is_resumable(session), "ticket");
    double resumed = handshakes(client, server, session);
    SSL_CTX_set_num_tickets(server, 0);
    double full = handshakes(client, server, NULL);
    printf("%.1f %.1f %.1f\n", full, resumed, bulk);
    return 0;
}
