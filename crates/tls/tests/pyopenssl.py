"""pyOpenSSL as a server or a client of TLS_SM4_GCM_SM3; the groups and schemes are in OPENSSL_CONF.

pyopenssl.py serve CHAIN KEY          prints its port, and answers one line reversed
pyopenssl.py connect PORT ROOT LINE   sends a line, and prints the answer
"""

import socket
import sys

from OpenSSL import SSL

SUITE = b"TLS_SM4_GCM_SM3"


def context(method):
    made = SSL.Context(method)
    made.set_min_proto_version(SSL.TLS1_3_VERSION)
    made.set_tls13_ciphersuites(SUITE)
    return made


def line_of(connection):
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1000)
    return line


def serve(chain, key):
    made = context(SSL.TLS_SERVER_METHOD)
    made.use_certificate_chain_file(chain)
    made.use_privatekey_file(key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    client, _ = listener.accept()
    connection = SSL.Connection(made, client)
    connection.set_accept_state()
    line = line_of(connection)
    connection.sendall(line.rstrip()[::-1] + b"\n")
    connection.shutdown()
    # Until the client is done.
    client.recv(1000)


def connect(port, root, line):
    made = context(SSL.TLS_CLIENT_METHOD)
    made.load_verify_locations(root)
    made.set_verify(SSL.VERIFY_PEER, lambda _c, _x, _e, _d, good: bool(good))
    connection = SSL.Connection(made, socket.create_connection(("127.0.0.1", int(port))))
    connection.set_tlsext_host_name(b"localhost")
    connection.set_connect_state()
    connection.sendall(line.encode() + b"\n")
    print(connection.get_cipher_name(), line_of(connection).decode(), end="")
    connection.shutdown()


{"serve": serve, "connect": connect}[sys.argv[1]](*sys.argv[2:])
