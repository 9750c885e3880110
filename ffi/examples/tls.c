/* A client and a server of national TLS (RFC 8998) over sockets of one's own.
 *
 *   cc tls.c $(pkg-config --cflags --libs gmkit) -o tls
 *   ./tls serve PORT chain.pem server.key       answers one client, and ends
 *   ./tls connect NAME PORT root.pem            sends a line to 127.0.0.1, and prints the answer
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <gmkit.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void need(gmkit_error error, const char *what) {
    if (error == GMKIT_OK) return;
    fprintf(stderr, "%s: %s\n", what, gmkit_last_error_message());
    exit(error == GMKIT_ERR_UNTRUSTED ? 1 : 3);
}

static void need_socket(int result, const char *what) {
    if (result >= 0) return;
    perror(what);
    exit(3);
}

static size_t read_file(const char *name, uint8_t *data, size_t room) {
    FILE *in = fopen(name, "rb");
    size_t len = 0;
    if (in != NULL) {
        len = fread(data, 1, room, in);
        fclose(in);
    }
    if (len == 0 || len == room) {
        fprintf(stderr, "%s cannot be read\n", name);
        exit(2);
    }
    return len;
}

/* The other side may be silent for ten seconds at most. */
static void be_patient(int fd) {
    const struct timeval patience = {10, 0};
    need_socket(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "timeout");
    need_socket(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), "timeout");
}

static int tcp(struct sockaddr_in *address, const char *port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need_socket(fd, "socket");
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->sin_port = htons((uint16_t)atoi(port));
    return fd;
}

static void report(gmkit_tls_session *session) {
    char text[100];
    size_t len = sizeof text - 1;
    need(gmkit_tls_session_report(session, (uint8_t *)text, &len), "report");
    text[len] = '\0';
    fprintf(stderr, "%s\n", text);
}

static void serve(const char *port, const char *chain_file, const char *key_name) {
    static const int yes = 1;
    uint8_t chain[65536], data[1000];
    size_t len = read_file(chain_file, chain, sizeof chain);
    struct sockaddr_in address;
    gmkit_private_key *key = NULL;
    gmkit_tls_server *server = NULL;
    gmkit_tls_session *session = NULL;
    need(gmkit_private_key_open(key_name, NULL, 0, &key), "key");
    need(gmkit_tls_server_new(chain, len, key, NULL, NULL, 0, 0, &server), "server");
    gmkit_private_key_free(key);

    int listener = tcp(&address, port);
    need_socket(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "reuse");
    need_socket(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    need_socket(listen(listener, 1), "listen");
    puts("listening");
    fflush(stdout);
    int client = accept(listener, NULL, NULL);
    need_socket(client, "accept");
    be_patient(client);
    need(gmkit_tls_server_accept(server, client, &session), "handshake");
    close(client);
    report(session);
    len = sizeof data;
    need(gmkit_tls_session_read(session, data, &len), "read");
    need(gmkit_tls_session_write(session, data, len), "write");
    need(gmkit_tls_session_close(session), "close");
    gmkit_tls_session_free(session);
    gmkit_tls_server_free(server);
    close(listener);
}

static void ask(const char *name, const char *port, const char *root_file) {
    uint8_t root[65536];
    char answer[100];
    size_t len = read_file(root_file, root, sizeof root);
    struct sockaddr_in address;
    gmkit_certificate *certificate = NULL;
    gmkit_verifier *trust = NULL;
    gmkit_tls_client *client = NULL;
    gmkit_tls_session *session = NULL;
    need(gmkit_certificate_read(root, len, 0, &certificate), "root");
    need(gmkit_verifier_new(&trust), "verifier");
    need(gmkit_verifier_add_anchor(trust, certificate, NULL, 0), "anchor");
    need(gmkit_tls_client_new(trust, NULL, 0, NULL, NULL, 0, 0, &client), "client");
    gmkit_certificate_free(certificate);
    gmkit_verifier_free(trust);

    int server = tcp(&address, port);
    need_socket(connect(server, (struct sockaddr *)&address, sizeof address), "connect");
    be_patient(server);
    need(gmkit_tls_client_connect(client, server, (const uint8_t *)name, strlen(name), &session),
         "handshake");
    close(server);
    report(session);
    need(gmkit_tls_session_write(session, (const uint8_t *)"hello\n", 6), "write");
    len = sizeof answer;
    need(gmkit_tls_session_read(session, (uint8_t *)answer, &len), "read");
    printf("%.*s", (int)len, answer);
    need(gmkit_tls_session_close(session), "close");
    gmkit_tls_session_free(session);
    gmkit_tls_client_free(client);
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "serve") == 0) {
        serve(argv[2], argv[3], argv[4]);
    } else if (argc == 5 && strcmp(argv[1], "connect") == 0) {
        ask(argv[2], argv[3], argv[4]);
    } else {
        fprintf(stderr, "usage: tls serve PORT CHAIN KEY | connect NAME PORT ROOT\n");
        return 2;
    }
    return 0;
}
