"""GmSSL 3.1.1: the C library that easy_gmssl compiles, called directly."""

import ctypes
import os
import pathlib
import sys

from protocol import Refused, Unsupported, serve, unhex

LIB = ctypes.CDLL(str(pathlib.Path(sys.prefix) / ".gmssl_3.1.1_install/lib/libgmssl.so"))
SIZE = ctypes.c_size_t

# The library prints each refusal; Python keeps the standard error for itself.
sys.stderr = os.fdopen(os.dup(2), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def buffer(n):
    return ctypes.create_string_buffer(n)


def sm3(message):
    out = buffer(32)
    LIB.sm3_digest(unhex(message), SIZE(len(unhex(message))), out)
    return out.raw


def hmac(key, message):
    key, message, out = unhex(key), unhex(message), buffer(32)
    LIB.sm3_hmac(key, SIZE(len(key)), message, SIZE(len(message)), out)
    return out.raw


def sm2_kdf(z, length):
    z, n, context = unhex(z), int(length), buffer(512)
    out = buffer(n)
    LIB.sm3_kdf_init(context, SIZE(n))
    LIB.sm3_kdf_update(context, z, SIZE(len(z)))
    LIB.sm3_kdf_finish(context, out)
    return out.raw


def hkdf(ikm, salt, info, length):
    ikm, salt, info, prk, n = unhex(ikm), unhex(salt), unhex(info), buffer(32), int(length)
    out, prk_len = buffer(n), SIZE(0)
    digest = LIB.DIGEST_sm3
    assert LIB.hkdf_extract(digest(), salt, SIZE(len(salt)), ikm, SIZE(len(ikm)), prk, ctypes.byref(prk_len)) == 1
    assert LIB.hkdf_expand(digest(), prk, prk_len, info, SIZE(len(info)), SIZE(n), out) == 1
    return out.raw


def pbkdf2(password, salt, rounds, length):
    password, salt, n = unhex(password), unhex(salt), int(length)
    out = buffer(n)
    assert LIB.pbkdf2_genkey(LIB.DIGEST_sm3(), password, SIZE(len(password)), salt, SIZE(len(salt)), SIZE(int(rounds)), SIZE(n), out) == 1
    return out.raw


def key_of(key, encrypting=True):
    schedule = buffer(128)
    (LIB.sm4_set_encrypt_key if encrypting else LIB.sm4_set_decrypt_key)(schedule, unhex(key))
    return schedule


def ecb(direction, key, _, data):
    schedule, data, out = key_of(key, direction == "enc"), unhex(data), b""
    for i in range(0, len(data), 16):
        block = buffer(16)
        LIB.sm4_encrypt(schedule, data[i:i + 16], block)
        out += block.raw
    return out


def cbc(direction, key, iv, data):
    data, n = unhex(data), SIZE(0)
    out = buffer(len(data) + 32)
    function = LIB.sm4_cbc_padding_encrypt if direction == "enc" else LIB.sm4_cbc_padding_decrypt
    if function(key_of(key, direction == "enc"), unhex(iv), data, SIZE(len(data)), out, ctypes.byref(n)) != 1:
        raise Refused
    return out.raw[:n.value]


def ctr(_, key, iv, data):
    data = unhex(data)
    out, counter = buffer(len(data) + 1), buffer(16)
    ctypes.memmove(counter, unhex(iv), 16)
    LIB.sm4_ctr_encrypt(key_of(key), counter, data, SIZE(len(data)), out)
    return out.raw[:len(data)]


def gcm(direction, key, nonce, aad, data, tag=None):
    nonce, aad, data = unhex(nonce), unhex(aad), unhex(data)
    if not 1 <= len(nonce) <= 64:
        raise Unsupported("nonces of 1 to 64 bytes only")
    out, made = buffer(len(data) + 1), buffer(16)
    common = (key_of(key), nonce, SIZE(len(nonce)), aad, SIZE(len(aad)), data, SIZE(len(data)))
    if direction == "enc":
        assert LIB.sm4_gcm_encrypt(*common, out, SIZE(16), made) == 1
        return out.raw[:len(data)], made.raw
    if LIB.sm4_gcm_decrypt(*common, unhex(tag), SIZE(16), out) != 1:
        raise Refused
    return out.raw[:len(data)]


def sm2_key(d, point):
    """SM2_KEY: the point X, Y, and d."""
    key = buffer(96)
    ctypes.memmove(key, unhex(point)[1:], 64)
    if d is not None:
        ctypes.memmove(ctypes.byref(key, 64), unhex(d), 32)
    return key


def some_id(identity):
    if identity == "-":
        raise Unsupported("no empty ID")
    return unhex(identity)


def sign(d, point, identity, message):
    context, out, n = buffer(4096), buffer(128), SIZE(0)
    identity, message = some_id(identity), unhex(message)
    assert LIB.sm2_sign_init(context, sm2_key(d, point), identity, SIZE(len(identity))) == 1
    assert LIB.sm2_sign_update(context, message, SIZE(len(message))) == 1
    assert LIB.sm2_sign_finish(context, out, ctypes.byref(n)) == 1
    return out.raw[:n.value]


def verify(point, identity, message, signature):
    context, identity, message, signature = buffer(4096), some_id(identity), unhex(message), unhex(signature)
    assert LIB.sm2_verify_init(context, sm2_key(None, point), identity, SIZE(len(identity))) == 1
    assert LIB.sm2_verify_update(context, message, SIZE(len(message))) == 1
    if LIB.sm2_verify_finish(context, signature, SIZE(len(signature))) != 1:
        raise Refused
    return b""


def encrypt(point, message):
    message, out, n = unhex(message), buffer(1024), SIZE(0)
    if len(message) > 255:
        raise Unsupported("plaintexts of 255 bytes at most")
    assert LIB.sm2_encrypt(sm2_key(None, point), message, SIZE(len(message)), out, ctypes.byref(n)) == 1
    return out.raw[:n.value]


def decrypt(d, point, ciphertext):
    ciphertext, out, n = unhex(ciphertext), buffer(1024), SIZE(0)
    if len(ciphertext) > 255 + 105:
        raise Unsupported("plaintexts of 255 bytes at most")
    if LIB.sm2_decrypt(sm2_key(d, point), ciphertext, SIZE(len(ciphertext)), out, ctypes.byref(n)) != 1:
        raise Refused
    return out.raw[:n.value]


LIB.DIGEST_sm3.restype = ctypes.c_void_p
for _name in ["hkdf_extract", "hkdf_expand", "pbkdf2_genkey"]:
    getattr(LIB, _name).argtypes = None
_digest = LIB.DIGEST_sm3
LIB.DIGEST_sm3 = lambda: ctypes.c_void_p(_digest())

serve(
    {"sm3": sm3, "hmac": hmac, "sm2-kdf": sm2_kdf, "hkdf": hkdf, "pbkdf2": pbkdf2, "sm4 ecb": ecb, "sm4 cbc": cbc,
     "sm4 ctr": ctr, "aead gcm": gcm, "sm2-sign": sign, "sm2-verify": verify, "sm2-encrypt": encrypt, "sm2-decrypt": decrypt},
    {"sm2-exchange": "only inside its TLCP", "tls12-prf": "not exported by the library", "tls13-label": "not exported by the library"},
)
