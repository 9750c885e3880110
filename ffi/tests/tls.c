/* National TLS over pairs of sockets: what works, and what is refused. The files are made by whoever runs
 * this, in the current folder: root.pem, and NAME.pem with NAME.key for localhost and alice. */
#define _XOPEN_SOURCE 700

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct {
    uint8_t data[8192];
    size_t len;
} file;

static file read_file(const char *name) {
    file content;
    FILE *in = fopen(name, "rb");
    CHECK(in != NULL);
    content.len = fread(content.data, 1, sizeof content.data, in);
    CHECK(content.len > 0 && content.len < sizeof content.data);
    fclose(in);
    return content;
}

static gmkit_private_key *key_of(const char *name) {
    gmkit_private_key *key = NULL;
    OK(gmkit_private_key_open(name, NULL, 0, &key));
    return key;
}

static gmkit_verifier *trusting(const char *name) {
    gmkit_verifier *verifier = NULL;
    gmkit_certificate *root = NULL;
    file pem = read_file(name);
    OK(gmkit_verifier_new(&verifier));
    OK(gmkit_certificate_read(pem.data, pem.len, 0, &root));
    OK(gmkit_verifier_add_anchor(verifier, root, NULL, 0));
    gmkit_certificate_free(root);
    return verifier;
}

/* A server; with `ask`, one that asks clients for certificates. */
static gmkit_tls_server *server_of(int ask, uint32_t flags) {
    gmkit_tls_server *server = NULL;
    gmkit_private_key *key = key_of("localhost.key");
    gmkit_verifier *clients = ask ? trusting("root.pem") : NULL;
    file chain = read_file("localhost.pem");
    OK(gmkit_tls_server_new(chain.data, chain.len, key, clients, BYTES("h2,http/1.1"), 11, flags, &server));
    gmkit_verifier_free(clients);
    gmkit_private_key_free(key);
    return server;
}

static gmkit_tls_client *client_of(const char *root, int with_identity, uint32_t flags) {
    gmkit_tls_client *client = NULL;
    gmkit_verifier *trust = trusting(root);
    if (with_identity) {
        gmkit_private_key *key = key_of("alice.key");
        file chain = read_file("alice.pem");
        OK(gmkit_tls_client_new(trust, chain.data, chain.len, key, BYTES("http/1.1"), 8, flags, &client));
        gmkit_private_key_free(key);
    } else {
        OK(gmkit_tls_client_new(trust, NULL, 0, NULL, BYTES("http/1.1"), 8, flags, &client));
    }
    gmkit_verifier_free(trust);
    return client;
}

/* What the server's thread does: accepts, and sends back what comes until the end. */
typedef struct {
    gmkit_tls_server *server;
    int fd;
    gmkit_error accepted;
    gmkit_error ended;
    int has_certificate;
} serving;

static void *serve(void *argument) {
    serving *this_one = (serving *)argument;
    gmkit_tls_session *session = NULL;
    gmkit_certificate *shown = NULL;
    uint8_t data[3000];
    size_t len = sizeof data;
    this_one->accepted = gmkit_tls_server_accept(this_one->server, this_one->fd, &session);
    /* The session has a descriptor of its own. */
    close(this_one->fd);
    if (this_one->accepted != GMKIT_OK) return NULL;
    this_one->has_certificate = gmkit_tls_session_peer_certificate(session, &shown) == GMKIT_OK;
    gmkit_certificate_free(shown);
    while ((this_one->ended = gmkit_tls_session_read(session, data, &len)) == GMKIT_OK && len > 0) {
        this_one->ended = gmkit_tls_session_write(session, data, len);
        if (this_one->ended != GMKIT_OK) break;
        len = sizeof data;
    }
    if (this_one->ended == GMKIT_OK) OK(gmkit_tls_session_close(session));
    gmkit_tls_session_free(session);
    return NULL;
}

/* A client's end of a connection with a thread that serves. */
static int start(serving *with, pthread_t *thread, gmkit_tls_server *server) {
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    memset(with, 0, sizeof *with);
    with->server = server;
    with->fd = pair[1];
    CHECK(pthread_create(thread, NULL, serve, with) == 0);
    return pair[0];
}

static void talk(gmkit_tls_session *session) {
    enum { TOTAL = 100000 };
    static uint8_t out[TOTAL], in[TOTAL];
    size_t sent = 0, came = 0, n = 1;
    for (size_t i = 0; i < TOTAL; i++) out[i] = (uint8_t)(i * 7);
    while (sent < TOTAL) {
        n = n * 3 % 16000 + 1;
        if (n > TOTAL - sent) n = TOTAL - sent;
        OK(gmkit_tls_session_write(session, out + sent, n));
        sent += n;
        while (came < sent) {
            size_t len = sizeof in - came;
            OK(gmkit_tls_session_read(session, in + came, &len));
            CHECK(len > 0);
            came += len;
        }
    }
    CHECK(memcmp(in, out, TOTAL) == 0);
}

static void works(int with_identity, uint32_t flags, const char *group) {
    gmkit_tls_server *server = server_of(with_identity, flags);
    gmkit_tls_client *client = client_of("root.pem", with_identity, flags);
    for (int again = 0; again < 2; again++) {
        serving with;
        pthread_t thread;
        gmkit_tls_session *session = NULL;
        gmkit_certificate *shown = NULL;
        char text[100] = {0};
        uint8_t data[10];
        size_t len = sizeof text;
        int fd = start(&with, &thread, server);
        OK(gmkit_tls_client_connect(client, fd, BYTES("localhost"), 9, &session));
        close(fd);
        OK(gmkit_tls_session_report(session, (uint8_t *)text, &len));
        CHECK(strstr(text, "TLS_SM4_GCM_SM3") == text && strstr(text, group) != NULL);
        len = sizeof text;
        OK(gmkit_tls_session_alpn(session, (uint8_t *)text, &len));
        CHECK(len == 8 && memcmp(text, "http/1.1", 8) == 0);
        OK(gmkit_tls_session_peer_certificate(session, &shown));
        gmkit_certificate_free(shown);
        talk(session);
        OK(gmkit_tls_session_close(session));
        len = sizeof data;
        OK(gmkit_tls_session_read(session, data, &len));
        CHECK(len == 0);
        gmkit_tls_session_free(session);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK(with.accepted == GMKIT_OK && with.ended == GMKIT_OK);
        CHECK(with.has_certificate == with_identity);
    }
    gmkit_tls_client_free(client);
    gmkit_tls_server_free(server);
}

/* Whom a client does not trust, and whom a server does not. */
static void refused(const char *root, const char *host, int ask, gmkit_error says, gmkit_error told) {
    gmkit_tls_server *server = server_of(ask, 0);
    gmkit_tls_client *client = client_of(root, 0, 0);
    gmkit_tls_session *session = NULL;
    serving with;
    pthread_t thread;
    int fd = start(&with, &thread, server);
    gmkit_error result = gmkit_tls_client_connect(client, fd, BYTES(host), strlen(host), &session);
    if (says == GMKIT_OK) {
        /* In TLS 1.3 a client hears of it when it reads. */
        uint8_t data[1];
        size_t len = 1;
        OK(result);
        FAILS(GMKIT_ERR_TLS, gmkit_tls_session_read(session, data, &len));
        gmkit_tls_session_free(session);
    } else {
        CHECK(result == says && session == NULL);
    }
    close(fd);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(with.accepted == told);
    gmkit_tls_client_free(client);
    gmkit_tls_server_free(server);
}

/* The other side goes away in the middle, and without a word. */
static void cut_off(void) {
    gmkit_tls_server *server = server_of(0, 0);
    gmkit_tls_client *client = client_of("root.pem", 0, 0);
    gmkit_tls_session *session = NULL;
    serving with;
    pthread_t thread;
    int fd = start(&with, &thread, server);
    OK(gmkit_tls_client_connect(client, fd, BYTES("localhost"), 9, &session));
    OK(gmkit_tls_session_write(session, BYTES("x"), 1));
    CHECK(shutdown(fd, SHUT_RDWR) == 0);
    /* No SIGPIPE either. */
    gmkit_error written = gmkit_tls_session_write(session, BYTES("x"), 1);
    CHECK(written == GMKIT_ERR_IO);
    close(fd);
    gmkit_tls_session_free(session);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(with.accepted == GMKIT_OK && with.ended == GMKIT_ERR_IO);
    gmkit_tls_client_free(client);
    gmkit_tls_server_free(server);
}

/* A signal and a timeout: the session goes on. */
static void on_alarm(int number) { (void)number; }

static void interrupted(void) {
    gmkit_tls_server *server = server_of(0, 0);
    gmkit_tls_client *client = client_of("root.pem", 0, GMKIT_TLS_NO_RESUMPTION);
    gmkit_tls_session *session = NULL;
    const struct timeval soon = {0, 300000};
    const struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    struct sigaction action;
    serving with;
    pthread_t thread;
    uint8_t data[10];
    size_t len = sizeof data;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    int fd = start(&with, &thread, server);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    OK(gmkit_tls_client_connect(client, fd, BYTES("localhost"), 9, &session));
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    FAILS(GMKIT_ERR_TIMEOUT, gmkit_tls_session_read(session, data, &len));
    CHECK(len == sizeof data);
    OK(gmkit_tls_session_write(session, BYTES("ping"), 4));
    OK(gmkit_tls_session_read(session, data, &len));
    CHECK(len == 4 && memcmp(data, "ping", 4) == 0);
    OK(gmkit_tls_session_close(session));
    len = sizeof data;
    OK(gmkit_tls_session_read(session, data, &len));
    CHECK(len == 0);
    gmkit_tls_session_free(session);
    close(fd);
    CHECK(pthread_join(thread, NULL) == 0);
    gmkit_tls_client_free(client);
    gmkit_tls_server_free(server);
}

/* Bad sockets, garbage, and a peer that says nothing. */
static void sockets(void) {
    gmkit_tls_server *server = server_of(0, 0);
    gmkit_tls_client *client = client_of("root.pem", 0, 0);
    gmkit_tls_session *session = NULL;
    const struct timeval soon = {0, 100000};
    int pair[2], pipes[2];
    FAILS(GMKIT_ERR_IO, gmkit_tls_server_accept(server, -1, &session));
    FAILS(GMKIT_ERR_IO, gmkit_tls_client_connect(client, -1, BYTES("localhost"), 9, &session));
    FAILS(GMKIT_ERR_IO, gmkit_tls_server_accept(server, 12345, &session));
    CHECK(pipe(pipes) == 0);
    FAILS(GMKIT_ERR_IO, gmkit_tls_client_connect(client, pipes[1], BYTES("localhost"), 9, &session));
    close(pipes[0]);
    close(pipes[1]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
    FAILS(GMKIT_ERR_TIMEOUT, gmkit_tls_server_accept(server, pair[0], &session));
    CHECK(write(pair[1], "GET / HTTP/1.0\r\n\r\n", 18) == 18);
    FAILS(GMKIT_ERR_TLS, gmkit_tls_server_accept(server, pair[0], &session));
    close(pair[1]);
    FAILS(GMKIT_ERR_IO, gmkit_tls_server_accept(server, pair[0], &session));
    close(pair[0]);
    CHECK(session == NULL);
    gmkit_tls_client_free(client);
    gmkit_tls_server_free(server);
}

static void arguments(void) {
    gmkit_tls_server *server = NULL;
    gmkit_tls_client *client = NULL;
    gmkit_tls_session *session = NULL;
    gmkit_certificate *certificate = NULL;
    gmkit_verifier *trust = trusting("root.pem");
    gmkit_private_key *alice = key_of("alice.key"), *local = key_of("localhost.key");
    file chain = read_file("localhost.pem"), alice_chain = read_file("alice.pem");
    uint8_t data[10];
    size_t len = sizeof data;
    /* Not this key, not for this, not a certificate, not together. */
    FAILS(GMKIT_ERR_KEY, gmkit_tls_server_new(chain.data, chain.len, alice, NULL, NULL, 0, 0, &server));
    FAILS(GMKIT_ERR_UNTRUSTED,
          gmkit_tls_server_new(alice_chain.data, alice_chain.len, alice, NULL, NULL, 0, 0, &server));
    FAILS(GMKIT_ERR_ENCODING, gmkit_tls_server_new(BYTES("x"), 1, local, NULL, NULL, 0, 0, &server));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_server_new(chain.data, chain.len, NULL, NULL, NULL, 0, 0, &server));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_server_new(chain.data, chain.len, local, NULL, NULL, 0, 0, NULL));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls_server_new(chain.data, chain.len, local, NULL, NULL, 0, 8, &server));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls_server_new(chain.data, chain.len, local, NULL, NULL, 0,
                                                   GMKIT_TLS_CLIENTS_OPTIONAL, &server));
    FAILS(GMKIT_ERR_UNTRUSTED, gmkit_tls_client_new(trust, chain.data, chain.len, local, NULL, 0, 0, &client));
    FAILS(GMKIT_ERR_KEY, gmkit_tls_client_new(trust, alice_chain.data, alice_chain.len, local, NULL, 0, 0, &client));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls_client_new(trust, alice_chain.data, alice_chain.len, NULL, NULL, 0, 0, &client));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls_client_new(trust, NULL, 0, NULL, BYTES("\xff"), 1, 0, &client));
    FAILS(GMKIT_ERR_ARGUMENT,
          gmkit_tls_client_new(trust, NULL, 0, NULL, NULL, 0, GMKIT_TLS_CLIENTS_OPTIONAL, &client));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_client_new(NULL, NULL, 0, NULL, NULL, 0, 0, &client));
    CHECK(server == NULL && client == NULL);
    OK(gmkit_tls_client_new(trust, NULL, 0, NULL, NULL, 0, 0, &client));
    FAILS(GMKIT_ERR_ARGUMENT, gmkit_tls_client_connect(client, 0, BYTES("a b"), 3, &session));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_client_connect(NULL, 0, BYTES("a"), 1, &session));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_server_accept(NULL, 0, &session));
    FAILS(GMKIT_ERR_HANDLE, gmkit_tls_server_accept((gmkit_tls_server *)client, 0, &session));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_session_read(NULL, data, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_session_write(NULL, data, 1));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_session_close(NULL));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_session_peer_certificate(NULL, &certificate));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_session_report(NULL, data, &len));
    FAILS(GMKIT_ERR_NULL, gmkit_tls_session_alpn(NULL, data, &len));
    gmkit_tls_session_free(NULL);
    gmkit_tls_client_free(client);
    gmkit_tls_client_free(NULL);
    gmkit_tls_server_free(NULL);
    gmkit_private_key_free(alice);
    gmkit_private_key_free(local);
    gmkit_verifier_free(trust);
}

int main(void) {
    works(0, 0, "curveSM2 ");
    works(1, 0, "curveSM2 ");
    works(0, GMKIT_TLS_HYBRID, "curveSM2MLKEM768 ");
    refused("alice.pem", "localhost", 0, GMKIT_ERR_UNTRUSTED, GMKIT_ERR_TLS);
    refused("root.pem", "elsewhere", 0, GMKIT_ERR_UNTRUSTED, GMKIT_ERR_TLS);
    refused("root.pem", "127.0.0.1", 0, GMKIT_ERR_UNTRUSTED, GMKIT_ERR_TLS);
    refused("root.pem", "localhost", 1, GMKIT_OK, GMKIT_ERR_TLS);
    cut_off();
    interrupted();
    sockets();
    arguments();
    puts("tls: ok");
    return 0;
}
