"""A client of sealed bodies, written from docs/src/en/sealed-bodies.md: SM4-GCM and SM3 come from OpenSSL, SM2 from gmssl."""

import base64
import http.client
import os
import struct
import sys
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MEDIA_TYPE = "application/vnd.gmkit.sealed"
CHUNK = 65536
LAST = 1 << 31
AUDIENCE = b"shop/test"


def text(value):
    return bytes([len(value)]) + value.encode()


def new_head(key_name, media_type):
    now = struct.pack(">Q", int(time.time() * 1000))
    return b"GMS1" + now + os.urandom(16) + text(key_name) + text(media_type) + text("")


def parse_head(body):
    assert body[:4] == b"GMS1"
    at, texts = 28, []
    for _ in range(3):
        texts.append(body[at + 1 : at + 1 + body[at]].decode())
        at += 1 + body[at]
    return body[:at], texts, body[at:]


def context(method, target, head, answer=None):
    fields = [AUDIENCE, method.encode(), target.encode()]
    if answer:
        status, request = answer
        fields += [str(status).encode(), request]
    fields.append(head)
    kind = b"\x01" if answer else b"\x00"
    return b"gmkit seal 1" + kind + b"".join(struct.pack(">I", len(f)) + f for f in fields)


def seal(key, ctx, body):
    out, chunks = b"", [body[i : i + CHUNK] for i in range(0, len(body), CHUNK)] or [b""]
    for number, chunk in enumerate(chunks):
        last = number + 1 == len(chunks)
        nonce = os.urandom(12)
        gcm = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        gcm.authenticate_additional_data(ctx + struct.pack(">QB", number, last))
        sealed = gcm.update(chunk) + gcm.finalize()
        out += struct.pack(">I", len(chunk) | (LAST if last else 0)) + nonce + sealed + gcm.tag
    return out


def unseal(key, ctx, body):
    out, number, last = b"", 0, False
    while not last:
        (length,) = struct.unpack(">I", body[:4])
        last, length = bool(length & LAST), length & ~LAST
        nonce, sealed = body[4:16], body[16 : 16 + length]
        tag, body = body[16 + length : 32 + length], body[32 + length :]
        gcm = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
        gcm.authenticate_additional_data(ctx + struct.pack(">QB", number, last))
        out += gcm.update(sealed) + gcm.finalize()
        number += 1
    assert not body
    return out


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def der(tag, content):
    length = len(content)
    return bytes([tag]) + (bytes([length]) if length < 128 else bytes([0x81, length])) + content


def integer(octets):
    digits = octets.lstrip(b"\0")
    return der(2, (b"\0" if not digits or digits[0] & 0x80 else b"") + digits)


def session(client, d, public, service, service_public):
    """A key, its name in heads, and the header that offers it."""
    from gmssl import func, sm2

    key = os.urandom(16)
    to = sm2.CryptSM2(private_key="", public_key="", mode=1)
    # Not through the constructor: it strips every 0 and 4 from the start of X.
    to.public_key = service_public
    raw = to.encrypt(key)
    x, y, c3, c2 = raw[:32], raw[32:64], raw[64:96], raw[96:]
    envelope = der(0x30, integer(x) + integer(y) + der(4, c3) + der(4, c2))
    now = struct.pack(">Q", int(time.time() * 1000))
    offer = b"GMK1" + now + text(client) + text(service) + struct.pack(">H", len(envelope)) + envelope
    signed = b"gmkit seal session 1" + struct.pack(">I", len(AUDIENCE)) + AUDIENCE + offer
    own = sm2.CryptSM2(private_key=d, public_key="", asn1=True)
    own.public_key = public
    signature = bytes.fromhex(own.sign_with_sm3(signed, func.random_hex(64)))
    digest = hashes.Hash(hashes.SM3())
    digest.update(signed + signature)
    return key, "~" + base64url(digest.finalize()[:16]), base64url(offer + signature)


def main():
    host, more = sys.argv[1], {}
    if sys.argv[2] == "session":
        key, key_name, more["Sealed-Key"] = session(*sys.argv[3:])
    else:
        key, key_name = bytes.fromhex(sys.argv[2]), sys.argv[3]

    def ask(method, target, body=None, media_type=""):
        head = new_head(key_name, media_type)
        sealed = head + seal(key, context(method, target, head), body or b"")
        connection = http.client.HTTPConnection(host)
        if body is None:
            connection.request(method, target, headers={"Sealed": base64url(sealed), **more})
        else:
            connection.request(method, target, sealed, {"Content-Type": MEDIA_TYPE, **more})
        response = connection.getresponse()
        assert response.getheader("Content-Type") == MEDIA_TYPE, response.read()
        own, texts, rest = parse_head(response.read())
        assert texts[0] == key_name
        assert abs(time.time() * 1000 - struct.unpack(">Q", own[4:12])[0]) < 60_000
        ctx = context(method, target, own, (response.status, head))
        try:
            unseal(key, context(method, target + "x", own, (response.status, head)), rest)
            raise SystemExit("opened for another path")
        except InvalidTag:
            pass
        return response.status, texts[1], unseal(key, ctx, rest)

    big = os.urandom(3 * CHUNK + 5)
    status, media_type, body = ask("POST", "/echo?a=b", big, "application/octet-stream")
    assert (status, media_type, body) == (200, "application/octet-stream", big)
    status, media_type, body = ask("GET", "/hello")
    assert (status, media_type, body) == (200, "text/plain; charset=utf-8", "你好".encode())
    status, _, body = ask("POST", "/nowhere", b"x", "text/plain")
    assert (status, body) == (404, b""), (status, body)
    print("ok")


main()
