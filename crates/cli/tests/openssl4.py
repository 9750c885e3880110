"""OpenSSL 4, as pyOpenSSL and cryptography carry it, on files that gmkit wrote. See openssl4.rs."""

import sys

from OpenSSL import SSL, crypto
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

assert SSL.OpenSSL_version(SSL.OPENSSL_VERSION).startswith(b"OpenSSL 4."), SSL.OpenSSL_version(0)


def read(name):
    with open(name, "rb") as f:
        return f.read()


def keys():
    """The two key formats that OpenSSL 4 reads, by way of their public keys."""
    for name in ("compat", "openssl4"):
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, read(name + ".pem"), b"secret")
        assert crypto.dump_publickey(crypto.FILETYPE_PEM, key) == read(name + ".pub"), name
    # And back: PKCS#8 as OpenSSL 4 writes it, for the test to read.
    key = crypto.load_privatekey(crypto.FILETYPE_PEM, read("openssl4.pem"), b"secret")
    with open("theirs.pem", "wb") as f:
        f.write(crypto.dump_privatekey(crypto.FILETYPE_PEM, key, "sm4-cbc", b"secret"))


def gcm():
    sealed, key = read("sealed"), bytes.fromhex(read("k").decode())
    nonce, ciphertext, tag = sealed[:12], sealed[12:-16], sealed[-16:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    assert decryptor.update(ciphertext) + decryptor.finalize() == read("m")
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(b"\x07" * 12)).encryptor()
    with open("theirs", "wb") as f:
        f.write(b"\x07" * 12 + encryptor.update(read("m")) + encryptor.finalize() + encryptor.tag)


def digests():
    digest = hashes.Hash(hashes.SM3())
    digest.update(read("m"))
    mac = hmac.HMAC(read("mac.key"), hashes.SM3())
    mac.update(read("m"))
    print(digest.finalize().hex(), mac.finalize().hex())


{"keys": keys, "gcm": gcm, "digests": digests}[sys.argv[1]]()
