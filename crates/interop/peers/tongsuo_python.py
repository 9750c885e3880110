"""tongsuopy 1.0.1: BabaSSL 8.3.2, Tongsuo's predecessor."""

from tongsuopy.crypto import exceptions, hashes
from tongsuopy.crypto.asymciphers import ec
from tongsuopy.crypto.ciphers import Cipher, algorithms, modes
from tongsuopy.crypto.ciphers.aead import SM4CCM, SM4GCM

from protocol import Refused, Unsupported, serve, unhex

DEFAULT_ID = b"1234567812345678"


def sm3(message):
    context = hashes.Hash(hashes.SM3())
    context.update(unhex(message))
    return context.finalize()


def mode(make):
    def crypt(direction, key, iv, data):
        cipher = Cipher(algorithms.SM4(unhex(key)), make(unhex(iv)))
        context = cipher.encryptor() if direction == "enc" else cipher.decryptor()
        return context.update(unhex(data)) + context.finalize()
    return crypt


def padded(direction, key, iv, data):
    data, crypt = unhex(data), mode(modes.CBC)
    if direction == "enc":
        n = 16 - len(data) % 16
        return crypt(direction, key, iv, (data + bytes([n]) * n).hex())
    plain = crypt(direction, key, iv, data.hex())
    return plain[:-plain[-1]]


def aead(kind):
    def crypt(direction, key, nonce, aad, data, tag="-"):
        nonce, data = unhex(nonce), unhex(data)
        if kind is SM4GCM and not 8 <= len(nonce) <= 128:
            raise Unsupported("nonces of 8 to 128 bytes only")
        if not data:
            raise Unsupported("no empty message")
        try:
            if direction == "enc":
                sealed = kind(unhex(key)).encrypt(nonce, data, unhex(aad))
                return sealed[:-16], sealed[-16:]
            return kind(unhex(key)).decrypt(nonce, data + unhex(tag), unhex(aad))
        except exceptions.InvalidTag as error:
            raise Refused from error
    return crypt


def default_id(identity):
    if unhex(identity) != DEFAULT_ID:
        raise Unsupported("the default ID only")


def sign(d, _, identity, message):
    default_id(identity)
    return ec.derive_private_key(int(d, 16), ec.SM2()).sign(unhex(message), ec.ECDSA(hashes.SM3()))


def verify(point, identity, message, signature):
    default_id(identity)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SM2(), unhex(point))
    try:
        key.verify(unhex(signature), unhex(message), ec.ECDSA(hashes.SM3()))
    except (exceptions.InvalidSignature, exceptions.InternalError) as error:  # the second for malformed DER
        raise Refused from error
    return b""


serve(
    {"sm3": sm3, "sm4 ecb": mode(lambda _: modes.ECB()), "sm4 cbc": padded, "sm4 ctr": mode(modes.CTR), "sm4 ofb": mode(modes.OFB),
     "sm4 cfb": mode(modes.CFB), "aead gcm": aead(SM4GCM), "aead ccm": aead(SM4CCM), "sm2-sign": sign, "sm2-verify": verify},
)
