"""gmssl 3.2.2 of PyPI: pure Python, no relation to the C library of that name."""

from Cryptodome.Util.asn1 import DerOctetString, DerSequence
from gmssl import func, sm2, sm3, sm4

from protocol import Refused, Unsupported, serve, unhex

DEFAULT_ID = b"1234567812345678"


def key_of(d, point):
    key = sm2.CryptSM2(private_key=d or "", public_key="", mode=1, asn1=True)
    # Not through the constructor: it strips every 0 and 4 from the start of X.
    key.public_key = point[2:]
    return key


def default_id(identity):
    if unhex(identity) != DEFAULT_ID:
        raise Unsupported("the default ID only")


def sign(d, point, identity, message):
    default_id(identity)
    return bytes.fromhex(key_of(d, point).sign_with_sm3(unhex(message), func.random_hex(64)))


def verify(point, identity, message, signature):
    default_id(identity)
    try:
        good = key_of(None, point).verify_with_sm3(signature, unhex(message))
    except Exception as error:
        raise Refused from error
    if not good:
        raise Refused
    return b""


def encrypt(point, message):
    raw = key_of(None, point).encrypt(unhex(message))
    if raw is None:
        raise Unsupported("gives up when the KDF gives zeros only")
    x, y = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
    return DerSequence([x, y, DerOctetString(raw[64:96]), DerOctetString(raw[96:])]).encode()


def decrypt(d, point, ciphertext):
    """Does not check C3: what it gives for a changed ciphertext says nothing."""
    x, y, c3, c2 = DerSequence().decode(unhex(ciphertext))
    octets = [DerOctetString().decode(value).payload for value in (c3, c2)]
    return key_of(d, point).decrypt(x.to_bytes(32, "big") + y.to_bytes(32, "big") + b"".join(octets))


def crypt(direction, key, iv, data):
    cipher = sm4.CryptSM4()
    cipher.set_key(unhex(key), sm4.SM4_ENCRYPT if direction == "enc" else sm4.SM4_DECRYPT)
    return cipher.crypt_cbc(unhex(iv), unhex(data))


def hash_of(message):
    return bytes.fromhex(sm3.sm3_hash(list(unhex(message))))


def kdf(z, length):
    if len(unhex(z)) == 0:
        raise Unsupported("no empty secret")
    return bytes.fromhex(sm3.sm3_kdf(z.encode(), int(length)))


serve(
    {"sm3": hash_of, "sm2-kdf": kdf, "sm4 cbc": crypt, "sm2-sign": sign, "sm2-verify": verify, "sm2-encrypt": encrypt,
     "sm2-decrypt": decrypt},
    {"sm4 ecb": "always pads"},
)
