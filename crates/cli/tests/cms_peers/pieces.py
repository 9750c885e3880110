"""CMS messages in forms for which there is no tool here, made and opened piece by piece: SM2 by OpenSSL 4's command
line, SM4 by `cryptography`, framing by the few lines below.

    pieces.py open   OPENSSL KEY MESSAGE OUT             an encrypted message, in both dialects
    pieces.py gmsm   OPENSSL KEY CERT CONTENT OUT        SignedData over SM3(Z || content), as gmsm writes it
    pieces.py seal   OPENSSL FORM CERT CONTENT OUT       EnvelopedData; FORM: gmsm, cfca (raw C1C2C3, key identifier)
    pieces.py file   OPENSSL KEY CERT PASSWORD OUT       a .sm2 file of CFCA, in base64
    pieces.py value  MESSAGE OUT                         the signature of a message's signer
    pieces.py stamp  TOKEN MESSAGE OUT                   the message with a time stamp
    pieces.py both   OPENSSL KEY CERT RCPT CONTENT OUT   SignedAndEnvelopedData, as gmsm writes it
"""

import base64
import os
import subprocess
import sys

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ID = "distid:1234567812345678"


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + length + body


def members(data):
    out = []
    while data:
        n, at = data[1], 2
        if n & 0x80:
            k = n & 0x7F
            n, at = int.from_bytes(data[2:2 + k], "big"), 2 + k
        out.append((data[0], data[at:at + n], data[:at + n]))
        data = data[at + n:]
    return out


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    body = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        body += bytes(reversed(digits))
    return tlv(6, body)


GM = "1.2.156.10197.6.1.4.2."
DATA, NULL = oid(GM + "1"), b"\x05\x00"
SM3 = tlv(0x30, oid("1.2.156.10197.1.401"), NULL)
SM4_CBC = "1.2.156.10197.1.104.2"


def run(line, data):
    open("piece.in", "wb").write(data)
    given = "-out piece.out piece.in" if " dgst " in line else "-in piece.in -out piece.out"
    subprocess.run(f"{line} {given}", shell=True, check=True)
    return open("piece.out", "rb").read()


def sm2_sign(openssl, key, content):
    return run(f"{openssl} pkeyutl -sign -inkey {key} -rawin -digest sm3 -pkeyopt {ID}", content)


def sm2_encrypt(openssl, cert, content):
    return run(f"{openssl} pkeyutl -encrypt -certin -inkey {cert}", content)


def named(cert):
    """IssuerAndSerialNumber, its bytes taken from the certificate."""
    der = x509.load_pem_x509_certificate(open(cert, "rb").read()).public_bytes(Encoding.DER)
    tbs = members(members(members(der)[0][1])[0][1])
    return der, tlv(0x30, tbs[3][2], tbs[1][2])


def message(kind, *parts):
    return tlv(0x30, oid(GM + kind), tlv(0xA0, tlv(0x30, *parts)))


def signer(openssl, key, cert, content):
    der, name = named(cert)
    algorithm = tlv(0x30, oid("1.2.156.10197.1.301.1"), NULL)
    info = tlv(0x30, b"\x02\x01\x01", name, SM3, algorithm, tlv(4, sm2_sign(openssl, key, content)))
    return tlv(0xA0, der), tlv(0x31, info)


def sealed(openssl, form, cert, content):
    key, iv = os.urandom(16), os.urandom(16)
    pad = 16 - len(content) % 16
    cipher = Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor()
    data = cipher.update(content + bytes([pad]) * pad) + cipher.finalize()
    encrypted = sm2_encrypt(openssl, cert, key)
    name, version, algorithm = named(cert)[1], b"\x02\x01\x01", SM4_CBC
    if form == "cfca":
        x, y, c3, c2 = (value for _, value, _ in members(members(encrypted)[0][1]))
        encrypted = x[-32:].rjust(32, b"\0") + y[-32:].rjust(32, b"\0") + c2 + c3
        loaded = x509.load_pem_x509_certificate(open(cert, "rb").read())
        name = tlv(0x80, loaded.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest)
        version, algorithm = b"\x02\x01\x02", "1.2.156.10197.1.104"
    recipient = tlv(0x30, version, name, tlv(0x30, oid("1.2.156.10197.1.301.3"), NULL), tlv(4, encrypted))
    info = tlv(0x30, DATA, tlv(0x30, oid(algorithm), tlv(4, iv)), tlv(0xA0, tlv(4, data)))
    return tlv(0x31, recipient), info


def unsealed(openssl, key, data):
    kind, explicit = members(members(data)[0][1])
    fields = members(members(explicit[1])[0][1])
    recipients = members(fields[1][1])
    _, _, algorithm, encrypted = members(recipients[0][1])
    assert algorithm[1] in (oid("1.2.156.10197.1.301.3"), oid("1.2.156.10197.1.301.2")), algorithm[1]
    cek = run(f"{openssl} pkeyutl -decrypt -inkey {key}", encrypted[1])
    _, cipher, content = members(fields[2][1])
    name, parameters = members(cipher[1])
    assert content[0] == 0x80
    if name[2] == oid(SM4_CBC):
        cipher = Cipher(algorithms.SM4(cek), modes.CBC(parameters[1])).decryptor()
        plain = cipher.update(content[1]) + cipher.finalize()
        assert plain.endswith(plain[-1:] * plain[-1]) and kind[2] != oid("1.2.840.113549.1.9.16.1.23")
        return plain[:-plain[-1]]
    assert name[2] == oid("1.2.156.10197.1.104.8") and kind[2] == oid("1.2.840.113549.1.9.16.1.23")
    nonce, length = members(parameters[1])
    assert (len(nonce[1]), length[1], len(fields[3][1])) == (12, b"\x10", 16)
    cipher = Cipher(algorithms.SM4(cek), modes.GCM(nonce[1], fields[3][1])).decryptor()
    return cipher.update(content[1]) + cipher.finalize()


def key_file(openssl, key, cert, password):
    stretched = run(f"{openssl} dgst -sm3 -binary", password + b"\0\0\0\1").ljust(32)
    text = subprocess.run(f"{openssl} pkey -in {key} -noout -text", shell=True, check=True, capture_output=True).stdout
    d = bytes.fromhex("".join(text.decode().split("priv:")[1].split("pub:")[0].replace(":", "").split()))[-32:]
    cipher = Cipher(algorithms.SM4(stretched[16:]), modes.CBC(stretched[:16])).encryptor()
    data = cipher.update(d + b"\x10" * 16) + cipher.finalize()
    secret = tlv(0x30, DATA, oid("1.2.156.10197.1.104"), tlv(4, data))
    return base64.encodebytes(tlv(0x30, b"\x02\x01\x01", secret, tlv(0x30, DATA, tlv(4, named(cert)[0]))))


def with_stamp(token, data):
    kind, explicit = members(members(data)[0][1])
    fields = members(members(explicit[1])[0][1])
    info = members(fields[-1][1])[0][1]
    attribute = tlv(0x30, oid("1.2.840.113549.1.9.16.2.14"), tlv(0x31, token))
    infos = tlv(0x31, tlv(0x30, info, tlv(0xA1, attribute)))
    signed = tlv(0x30, *(raw for _, _, raw in fields[:-1]), infos)
    return tlv(0x30, kind[2], tlv(0xA0, signed))


def signature(data):
    signed = members(members(members(data)[0][1])[1][1])[0][1]
    return members(members(members(signed)[-1][1])[0][1])[-1][1]


def main(verb, openssl, *args):
    out = open(args[-1], "wb")
    if verb == "value":
        out.write(signature(open(openssl, "rb").read()))
        return
    if verb == "stamp":
        out.write(with_stamp(open(openssl, "rb").read(), open(args[0], "rb").read()))
        return
    if verb == "open":
        out.write(unsealed(openssl, args[0], open(args[1], "rb").read()))
        return
    if verb == "file":
        out.write(key_file(openssl, args[0], args[1], args[2].encode()))
        return
    content = open(args[-2], "rb").read()
    if verb == "gmsm":
        certificates, signers = signer(openssl, args[0], args[1], content)
        inner = tlv(0x30, DATA, tlv(0xA0, tlv(4, content)))
        out.write(message("2", b"\x02\x01\x01", tlv(0x31, SM3), inner, certificates, signers))
    elif verb == "seal":
        version = b"\x02\x01\x02" if args[0] == "cfca" else b"\x02\x01\x01"
        out.write(message("3", version, *sealed(openssl, args[0], args[1], content)))
    elif verb == "both":
        certificates, signers = signer(openssl, args[0], args[1], content)
        recipients, info = sealed(openssl, "gmsm", args[2], content)
        out.write(message("4", b"\x02\x01\x01", recipients, tlv(0x31, SM3), info, certificates, signers))


main(*sys.argv[1:])
