"""Botan 2.19, by its command. It signs with SM2 under its own, fixed ID and with keys of its own."""

import pathlib
import subprocess
import tempfile

from protocol import Unsupported, serve, unhex

DIR = pathlib.Path(tempfile.mkdtemp())

# What its command line takes for the ID.
ID = b"EMSA1(SM3)"


def botan(*arguments):
    return subprocess.run(["botan", *arguments], capture_output=True, check=True, cwd=DIR).stdout


def sm3(message):
    (DIR / "m").write_bytes(unhex(message))
    return bytes.fromhex(botan("hash", "--algo=SM3", "m").split()[0].decode())


def sign_own(message):
    """A signature by a fresh key of Botan's: the point, the ID and the signature in DER."""
    (DIR / "m").write_bytes(unhex(message))
    (DIR / "key.pem").write_bytes(botan("keygen", "--algo=SM2", "--params=sm2p256v1"))
    public = botan("pkcs8", "--pub-out", "--der-out", "key.pem")
    signature = botan("sign", "--der-format", "--hash=SM3", "key.pem", "m").decode()
    import base64
    return public[-65:], ID, base64.b64decode(signature)


serve(
    {"sm3": sm3, "sm2-sign-own": sign_own},
    {"hmac": "its command has no HMAC", "sm2-encrypt": "its command has no SM2 encryption"},
)
