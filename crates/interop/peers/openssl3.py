"""The system's OpenSSL 3: its command."""

import pathlib
import subprocess
import tempfile

from protocol import Refused, Unsupported, serve, unhex

DIR = pathlib.Path(tempfile.mkdtemp())


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False, cwd=DIR)


def done(result):
    if result.returncode != 0:
        raise RuntimeError(result.stderr.decode())
    return result.stdout


def sm3(message):
    return done(openssl("dgst", "-sm3", "-binary", data=unhex(message)))


def hmac(key, message):
    if key == "-":
        raise Unsupported("no empty key")
    return done(openssl("dgst", "-sm3", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary", data=unhex(message)))


def cmac(key, message):
    return done(openssl("mac", "-cipher", "SM4-CBC", "-macopt", f"hexkey:{key}", "-binary", "-in", "-", "CMAC", data=unhex(message)))


def kdf(name, length, *options):
    arguments = [argument for option in ["digest:SM3", *options] for argument in ("-kdfopt", option)]
    return done(openssl("kdf", "-keylen", length, "-binary", *arguments, name))


def hkdf(ikm, salt, info, length):
    if "-" in (ikm, salt, info):
        raise Unsupported("no empty inputs")
    return kdf("HKDF", length, f"hexkey:{ikm}", f"hexsalt:{salt}", f"hexinfo:{info}")


def pbkdf2(password, salt, rounds, length):
    if password == "-":
        raise Unsupported("no empty password")
    return kdf("PBKDF2", length, f"hexpass:{password}", f"hexsalt:{salt}", f"iter:{rounds}", "pkcs5:1")


def mode(name):
    def crypt(direction, key, iv, data):
        options = ["-nopad"] if name == "ecb" else ["-iv", iv]
        result = openssl("enc", f"-sm4-{name}", "-e" if direction == "enc" else "-d", "-K", key, *options, data=unhex(data))
        if result.returncode != 0:
            raise Refused
        return result.stdout
    return crypt


# Object identifiers of id-ecPublicKey and SM2.
ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")


def public_file(point):
    path = DIR / "pub.der"
    path.write_bytes(bytes.fromhex("3059") + ALGORITHM + bytes.fromhex("034200") + unhex(point))
    return str(path)


def private_file(d, point):
    inner = bytes.fromhex("306b0201010420") + unhex(d) + bytes.fromhex("a144034200") + unhex(point)
    path = DIR / "key.der"
    path.write_bytes(bytes.fromhex("308187020100") + ALGORITHM + bytes.fromhex("046d") + inner)
    return str(path)


def identity_option(identity):
    if identity == "-":
        raise Unsupported("the command takes no empty ID")
    return ["-pkeyopt", f"hexdistid:{identity}"]


def sign(d, point, identity, message):
    (DIR / "m").write_bytes(unhex(message))
    return done(openssl("pkeyutl", "-sign", "-keyform", "DER", "-inkey", private_file(d, point), "-rawin", "-digest", "sm3",
                        *identity_option(identity), "-in", "m"))


def verify(point, identity, message, signature):
    (DIR / "m").write_bytes(unhex(message))
    (DIR / "s").write_bytes(unhex(signature))
    result = openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", public_file(point), "-rawin", "-digest", "sm3",
                     *identity_option(identity), "-in", "m", "-sigfile", "s")
    if result.returncode != 0:
        raise Refused
    return b""


def encrypt(point, message):
    return done(openssl("pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", public_file(point), data=unhex(message)))


def decrypt(d, point, ciphertext):
    result = openssl("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", private_file(d, point), data=unhex(ciphertext))
    if result.returncode != 0:
        raise Refused
    return result.stdout


serve(
    {"sm3": sm3, "hmac": hmac, "cmac": cmac, "hkdf": hkdf, "pbkdf2": pbkdf2, "sm4 ecb": mode("ecb"), "sm4 cbc": mode("cbc"), "sm4 ctr": mode("ctr"),
     "sm4 cfb": mode("cfb"), "sm4 ofb": mode("ofb"), "sm2-sign": sign, "sm2-verify": verify, "sm2-encrypt": encrypt,
     "sm2-decrypt": decrypt},
    {"tls12-prf": "not asked: OpenSSL 4 has the same code", "tls13-label": "not asked: OpenSSL 4 has the same code",
     "sm2-kdf": "not asked: OpenSSL 4 has the same code"},
)
