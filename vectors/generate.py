#!/usr/bin/env python3
"""Writes the vector files of `data/` from the reference implementation.

    generate.py            writes them
    generate.py --check    fails if they differ from what it would write

Values printed in a standard are given here as literals and checked against the reference.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "reference"))
import gm  # noqa: E402

DATA = pathlib.Path(__file__).parent / "data"
K = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
h = bytes.fromhex


def pattern(label, length):
    """Bytes that look random and are the same in every run."""
    return gm.kdf(label.encode(), length)


def flip(data, bit):
    return bytes(b ^ (1 << (bit % 8) if i == bit // 8 else 0) for i, b in enumerate(data))


class File:
    def __init__(self, name, algorithm, standard, clause, header, notes):
        self.name, self.groups, self.count = name, [], 0
        self.top = {
            "algorithm": algorithm,
            "schema": "gmkit, after Wycheproof",
            "source": {"standard": standard, "clause": clause},
            "numberOfTests": 0,
            "header": header,
            "notes": {flag: {"description": text} for flag, text in notes.items()},
            "testGroups": self.groups,
        }

    def group(self, kind, **fields):
        group = {"type": kind, **fields, "tests": []}
        self.groups.append(group)
        return group["tests"]

    def test(self, tests, comment, flags, result="valid", reason=None, **fields):
        self.count += 1
        test = {"tcId": self.count, "comment": comment, "flags": flags}
        test |= {k: v.hex() if isinstance(v, bytes) else v for k, v in fields.items()}
        test["result"] = result
        if result == "invalid":
            assert reason, comment
            test["reason"] = reason
        assert all(flag in self.top["notes"] for flag in flags), flags
        tests.append(test)

    def text(self):
        self.top["numberOfTests"] = self.count
        return json.dumps(self.top, indent=1) + "\n"


def equal(got, want):
    want = h(want) if isinstance(want, str) else want
    assert got == want, (got.hex(), want.hex())
    return got


# ---- SM3 and what is built on it -----------------------------------------------------------------

def sm3_file():
    f = File("sm3_test.json", "SM3", "GB/T 32905-2016", "annex A; other lengths by the reference",
             ["Tests of type DigestTest hash msg; digest is the result."],
             {"Standard": "Printed in the standard.", "Boundary": "A length at or around a block boundary.",
              "Padding": "Padding takes a block of its own or not."})
    tests = f.group("DigestTest")
    f.test(tests, "A.1", ["Standard"], msg=b"abc",
           digest=equal(gm.sm3(b"abc"), "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0"))
    f.test(tests, "A.2", ["Standard"], msg=b"abcd" * 16,
           digest=equal(gm.sm3(b"abcd" * 16), "DEBE9FF92275B8A138604889C18E5A4D6FDB70E5387E5765293DCBA39C0C5732"))
    f.test(tests, "empty message", ["Padding"], msg=b"",
           digest=equal(gm.sm3(b""), "1AB21D8355CFA17F8E61194831E81A8F22BEC8C728FEFB747ED035EB5082AA2B"))
    for n in [1, 31, 32, 33, 55, 56, 57, 63, 64, 65, 119, 120, 121, 127, 128, 129, 191, 192, 193, 1000]:
        msg = pattern(f"sm3 {n}", n)
        f.test(tests, f"{n} bytes", ["Padding" if n % 64 in (55, 56, 57) else "Boundary"], msg=msg, digest=gm.sm3(msg))
    return f


def mac_and_kdf_files():
    mac = File("hmac_sm3_gm_test.json", "HMACSM3", "GM/T 0042-2015", "annex D; key lengths by the reference",
               ["Tests of type MacTest; tag is HMAC-SM3(key, msg)."],
               {"Standard": "Printed in the standard.", "KeyLength": "A key shorter, as long as, or longer than a block."})
    tests = mac.group("MacTest", keySize=0, tagSize=256)
    msg = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2
    for key, m, want in [
        (bytes(range(1, 33)), msg, "CA05E144ED05D1857840D1F318A4A8669E559FC8391F414485BFDF7BB408963A"),
        (bytes(range(1, 0x26)), b"\xcd" * 50, "220BF579DED555393F0159F66C99877822A3ECF610D1552154B41D44B94DB3AE"),
        (b"\x0b" * 32, b"Hi There", "C0BA18C68B90C88BC07DE794BFC7D2C8D19EC31ED8773BC2B390C9604E0BE11E"),
    ]:
        mac.test(tests, "printed example", ["Standard"], key=key, msg=m, tag=equal(gm.hmac(key, m), want))
    for n in [1, 16, 63, 64, 65, 128, 200]:
        key, m = pattern(f"hmac key {n}", n), pattern(f"hmac msg {n}", n)
        mac.test(tests, f"key of {n} bytes", ["KeyLength"], key=key, msg=m, tag=gm.hmac(key, m))

    hk = File("hkdf_sm3_test.json", "HKDF-SM3", "RFC 5869", "2; inputs of appendix A.1 with SM3",
              ["Tests of type HkdfTest; okm is HKDF-SM3(ikm, salt, info, size)."],
              {"Rfc5869": "Inputs of RFC 5869.", "Length": "Output of unusual length.", "EmptySalt": "No salt."})
    tests = hk.group("HkdfTest")
    ikm, salt, info = b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA))
    hk.test(tests, "A.1 inputs", ["Rfc5869"], ikm=ikm, salt=salt, info=info, size=42,
            okm=equal(gm.hkdf(ikm, salt, info, 42),
                      "C69FE91B7AAEE2DD5718D72DCAEE0CCE93F1B8E41F792DA51261B6A517E68B36ED2C595572B01DFA359B"))
    for size in [1, 31, 32, 33, 64, 100]:
        hk.test(tests, f"{size} bytes", ["Length"], ikm=ikm, salt=salt, info=info, size=size, okm=gm.hkdf(ikm, salt, info, size))
    hk.test(tests, "no salt, no info", ["EmptySalt"], ikm=ikm, salt=b"", info=b"", size=42, okm=gm.hkdf(ikm, b"", b"", 42))

    pb = File("pbkdf2_sm3_test.json", "PBKDF2-HMACSM3", "RFC 8018", "5.2, with HMAC-SM3",
              ["Tests of type PbkdfTest; dk is PBKDF2-HMAC-SM3."],
              {"Pseudorandom": "Ordinary inputs.", "Length": "Output longer than one block."})
    tests = pb.group("PbkdfTest")
    pb.test(tests, "one iteration, 64 bytes", ["Length"], password=b"passwd", salt=b"salt", iterationCount=1, dkLen=64,
            dk=equal(gm.pbkdf2(b"passwd", b"salt", 1, 64),
                     "30530B86537C85EA33FBE26EE0ADEA8D8BD91D283B87936F400E83AD2364EF26"
                     "32CD8662313657C0E6138FFEDA2C4E6805869CBD8030188858D8A675AC762523"))
    for n, size in [(2, 16), (1000, 16), (100, 33)]:
        pw, salt = pattern(f"pw {n}", 9), pattern(f"salt {n}", 16)
        pb.test(tests, f"{n} iterations, {size} bytes", ["Pseudorandom"], password=pw, salt=salt, iterationCount=n, dkLen=size,
                dk=gm.pbkdf2(pw, salt, n, size))

    kd = File("sm2_kdf_test.json", "SM2-KDF", "GB/T 32918.4-2016", "5.4.3",
              ["Tests of type KdfTest; out is KDF(z, 8 * size)."], {"Length": "Around a multiple of 32 bytes.", "OpenSsl": "Value from OpenSSL's X963KDF."})
    tests = kd.group("KdfTest")
    kd.test(tests, "OpenSSL X963KDF", ["OpenSsl"], z=b"\1\2", size=32,
            out=equal(gm.kdf(b"\1\2", 32), "02DB73736665F3C8EC09887772C33DA737047E7419EF8ABD4D3C7D80019FF1AE"))
    for size in [0, 1, 16, 31, 33, 64, 65, 100]:
        z = pattern(f"kdf {size}", 64)
        kd.test(tests, f"{size} bytes", ["Length"], z=z, size=size, out=gm.kdf(z, size))
    return [mac, hk, pb, kd]


# ---- SM4 -----------------------------------------------------------------------------------------

def sm4_files():
    ecb = File("sm4_block_test.json", "SM4-ECB", "GB/T 32907-2016", "annex A",
               ["Tests of type BlockTest encrypt msg, block by block, repeat times over."],
               {"Standard": "Printed in the standard.", "Million": "A million encryptions.", "Batch": "More blocks than a backend works on at once."})
    tests = ecb.group("BlockTest")
    ecb.test(tests, "A.1", ["Standard"], key=K, msg=K, repeat=1, ct=equal(gm.sm4_encrypt(K, K), "681EDF34D206965E86B3E94F536E4246"))
    ecb.test(tests, "A.2", ["Standard", "Million"], key=K, msg=K, repeat=1000000, ct=h("595298C7C6FD271F0402F804C33D3F66"))
    for blocks in [2, 7, 8, 9, 31, 32, 33, 64, 65, 100]:
        key, msg = pattern(f"sm4 key {blocks}", 16), pattern(f"sm4 {blocks}", 16 * blocks)
        ct = b"".join(gm.sm4_encrypt(key, msg[i:i + 16]) for i in range(0, len(msg), 16))
        ecb.test(tests, f"{blocks} blocks", ["Batch"], key=key, msg=msg, repeat=1, ct=ct)

    cbc = File("sm4_cbc_pkcs7_test.json", "SM4-CBC-PKCS7", "GB/T 17964-2021", "CBC, padding method 1",
               ["Tests of type CbcPkcs7Test. Invalid ciphertexts must be refused by decryption."],
               {"Standard": "Values that OpenSSL gives too.", "Length": "Around a block boundary.", "BadPadding": "The last block does not end in valid padding.", "BadLength": "Not a whole number of blocks."})
    tests = cbc.group("CbcPkcs7Test", ivSize=128, keySize=128)
    equal(gm.cbc_raw(K, K, K + K), "2677F46B09C122CC975533105BD4A22AF6125F7275CE552C3A2BBCF533DE8A3B")
    cbc.test(tests, "two blocks", ["Standard"], key=K, iv=K, msg=K + K, ct=gm.cbc(K, K, K + K))
    for n in [0, 1, 15, 16, 17, 31, 32, 33, 1040]:
        iv, msg = pattern(f"iv {n}", 16), pattern(f"cbc {n}", n)
        cbc.test(tests, f"{n} bytes", ["Length"], key=K, iv=iv, msg=msg, ct=gm.cbc(K, iv, msg))
    iv = pattern("bad padding", 16)
    for comment, last in [("padding byte 0", bytes(16)), ("padding byte 17", b"\x11" * 16), ("padding byte 255", b"\xff" * 16),
                          ("first padding byte wrong", bytes(11) + b"\x04\x05\x05\x05\x05"), ("all of 16 but one", b"\x0f" + b"\x10" * 15)]:
        cbc.test(tests, comment, ["BadPadding"], "invalid", "Rejected", key=K, iv=iv, msg=b"", ct=gm.cbc_raw(K, iv, last))
    for n in [0, 1, 15, 17]:
        cbc.test(tests, f"ciphertext of {n} bytes", ["BadLength"], "invalid", "Rejected", key=K, iv=iv, msg=b"", ct=pattern("bad length", n))

    ctr = File("sm4_ctr_test.json", "SM4-CTR", "GB/T 17964-2021", "CTR",
               ["Tests of type CtrTest: ct is msg under the keystream from iv on."],
               {"Standard": "Values that OpenSSL gives too.", "Length": "Around a block or batch boundary.", "CounterWrap": "The counter carries over 32, 64 or 128 bits."})
    tests = ctr.group("CtrTest", ivSize=128, keySize=128)
    ctr.test(tests, "two blocks", ["Standard"], key=K, iv=K, msg=K + K,
             ct=equal(gm.ctr(K, K, K + K), "693D9A535BAD5BB1786F53D7253A7056BFB9610EB9D15B162DE161753AA7AB84"))
    for n in [0, 1, 15, 16, 17, 127, 128, 129, 1023, 1024, 1025]:
        iv, msg = pattern(f"iv {n}", 16), pattern(f"ctr {n}", n)
        ctr.test(tests, f"{n} bytes", ["Length"], key=K, iv=iv, msg=msg, ct=gm.ctr(K, iv, msg))
    for bits in [32, 64, 128]:
        iv, msg = pattern("wrap", 16 - bits // 8) + b"\xff" * (bits // 8), pattern(f"wrap {bits}", 64)
        ctr.test(tests, f"carry over {bits} bits", ["CounterWrap"], key=K, iv=iv, msg=msg, ct=gm.ctr(K, iv, msg))

    gcm = File("sm4_gcm_gm_test.json", "SM4-GCM", "RFC 8998", "appendix A.1; edge cases by the reference",
               ["Tests of type AeadTest. Invalid ones must be refused by opening."],
               {"Standard": "Printed in the standard.", "Length": "Around a block boundary.", "ShortTag": "A tag of 12 to 15 bytes.",
                "LongIv": "A nonce that is not 12 bytes long.", "ModifiedTag": "One bit of the tag is flipped.", "ModifiedCiphertext": "One bit of the ciphertext is flipped.",
                "ModifiedAad": "One bit of the associated data is flipped.", "TagLength": "A tag length that is not allowed.", "EmptyIv": "A nonce of no bytes."})
    tests = gcm.group("AeadTest", ivSize=96, keySize=128, tagSize=128)
    nonce, aad = h("00001234567800000000ABCD"), h("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    msg = b"".join(bytes([c]) * 8 for c in h("AABBCCDDEEFFEEAA"))
    ct, tag = gm.gcm(K, nonce, aad, msg)
    equal(ct, "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D")
    gcm.test(tests, "A.1", ["Standard"], key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=equal(tag, "83DE3541E4C2B58177E065A9BF7B62EC"))
    for n in [0, 1, 15, 16, 17, 63, 64, 65, 1030]:
        iv, m, a = pattern(f"gcm iv {n}", 12), pattern(f"gcm {n}", n), pattern(f"gcm aad {n}", n % 37)
        c, t = gm.gcm(K, iv, a, m)
        gcm.test(tests, f"{n} bytes", ["Length"], key=K, iv=iv, aad=a, msg=m, ct=c, tag=t)
    for size in [12, 13, 14, 15]:
        gcm.test(tests, f"tag of {size} bytes", ["ShortTag"], key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=tag[:size])
    for size in [0, 1, 4, 8, 11]:
        gcm.test(tests, f"tag of {size} bytes", ["TagLength"], "invalid", "TagLength", key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=tag[:size])
    gcm.test(tests, "tag of 17 bytes", ["TagLength"], "invalid", "TagLength", key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=tag + b"\0")
    gcm.test(tests, "empty nonce", ["EmptyIv"], "invalid", "NonceLength", key=K, iv=b"", aad=aad, msg=msg, ct=ct, tag=tag)
    for size in [1, 8, 11, 13, 16, 17, 32, 60]:
        iv = pattern(f"gcm long iv {size}", size)
        c, t = gm.gcm(K, iv, aad, msg)
        gcm.test(tests, f"nonce of {size} bytes", ["LongIv"], key=K, iv=iv, aad=aad, msg=msg, ct=c, tag=t)

    for bit in [0, 7, 31, 64, 95, 127]:
        gcm.test(tests, f"tag bit {bit} flipped", ["ModifiedTag"], "invalid", "Rejected", key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=flip(tag, bit))
    for bit in [0, 255, 511]:
        gcm.test(tests, f"ciphertext bit {bit} flipped", ["ModifiedCiphertext"], "invalid", "Rejected", key=K, iv=nonce, aad=aad, msg=msg, ct=flip(ct, bit), tag=tag)
    for bit in [0, 159]:
        gcm.test(tests, f"associated data bit {bit} flipped", ["ModifiedAad"], "invalid", "Rejected", key=K, iv=nonce, aad=flip(aad, bit), msg=msg, ct=ct, tag=tag)
    gcm.test(tests, "ciphertext cut by one byte", ["ModifiedCiphertext"], "invalid", "Rejected", key=K, iv=nonce, aad=aad, msg=msg, ct=ct[:-1], tag=tag)
    return [ecb, cbc, ctr, gcm]


LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 1040, 3100, 4096]


def feedback_files():
    files = []
    for name, mode in [("cfb", gm.cfb), ("ofb", gm.ofb)]:
        f = File(f"sm4_{name}_test.json", f"SM4-{name.upper()}", "GB/T 17964-2021", f"{name.upper()}, feedback of 128 bits",
                 [f"Tests of type {name.capitalize()}Test."], {"Length": "Around a block or batch boundary."})
        tests = f.group(f"{name.capitalize()}Test", ivSize=128, keySize=128)
        for n in LENGTHS:
            iv, msg = pattern(f"{name} iv {n}", 16), pattern(f"{name} {n}", n)
            f.test(tests, f"{n} bytes", ["Length"], key=K, iv=iv, msg=msg, ct=mode(K, iv, msg))
        files.append(f)
    return files


def xts_file():
    f = File("sm4_xts_test.json", "SM4-XTS", "GB/T 17964-2021; IEEE 1619-2018", "XTS, in both conventions",
             ["Tests of type XtsGbTest and XtsIeeeTest; iv is the tweak before its encryption, key is K1 and K2."],
             {"Length": "Whole blocks, and ciphertext stealing.", "SameFirstBlock": "One block: both conventions agree.",
              "EqualKeys": "K1 = K2.", "DataUnitLength": "Less than a block."})
    key = pattern("xts key", 32)
    for kind, step in [("XtsGbTest", gm.xts_next_gb), ("XtsIeeeTest", gm.xts_next_ieee)]:
        tests = f.group(kind, ivSize=128, keySize=256)
        for n in [16, 17, 31, 32, 33, 47, 48, 512, 513, 1024, 1039, 1040, 1041, 4096]:
            # The first block's tweak is the same for both: one test says so.
            iv, msg = pattern(f"xts iv {n}", 16), pattern(f"xts {n}", n)
            f.test(tests, f"{n} bytes", ["SameFirstBlock" if n == 16 else "Length"], key=key, iv=iv, msg=msg, ct=gm.xts(key, iv, msg, step))
        iv = pattern("xts", 16)
        f.test(tests, "equal keys", ["EqualKeys"], "invalid", "EqualKeys", key=K + K, iv=iv, msg=K, ct=K)
        for n in [0, 1, 15]:
            f.test(tests, f"{n} bytes", ["DataUnitLength"], "invalid", "DataUnitLength", key=key, iv=iv, msg=pattern("short", n), ct=pattern("short", n))
    return f


def ccm_file():
    f = File("sm4_ccm_test.json", "SM4-CCM", "RFC 8998", "appendix A.2; edge cases by the reference",
             ["Tests of type CcmTest. Invalid ones must be refused by opening."],
             {"Standard": "Printed in the standard.", "Length": "Around a block boundary.", "NonceLength": "A nonce of 7 to 13 bytes.", "BadNonceLength": "Another one.",
              "TagLength": "A tag of 4 to 14 bytes.", "BadTagLength": "A tag of another length.", "LongAad": "Associated data whose length takes six bytes.", "Modified": "One bit is flipped."})
    tests = f.group("CcmTest", ivSize=96, keySize=128, tagSize=128)
    nonce, aad = h("00001234567800000000ABCD"), h("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    msg = b"".join(bytes([c]) * 8 for c in h("AABBCCDDEEFFEEAA"))
    ct, tag = gm.ccm(K, nonce, aad, msg)
    equal(ct, "48AF93501FA62ADBCD414CCE6034D895DDA1BF8F132F042098661572E7483094FD12E518CE062C98ACEE28D95DF4416BED31A2F04476C18BB40C84A74B97DC5B")
    f.test(tests, "A.2", ["Standard"], key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=equal(tag, "16842D4FA186F56AB33256971FA110F4"))

    def add(comment, flags, n, iv, a, size=16, **more):
        m = pattern(f"ccm {n}", n)
        c, t = gm.ccm(K, iv, a, m, size)
        f.test(tests, comment, flags, key=K, iv=iv, aad=a, msg=m, ct=c, tag=t, **more)

    for n in [0, 1, 15, 16, 17, 63, 64, 65, 1030]:
        add(f"{n} bytes", ["Length"], n, pattern(f"ccm iv {n}", 12), pattern(f"ccm aad {n}", n % 37))
    for n in range(7, 14):
        add(f"nonce of {n} bytes", ["NonceLength"], 20, pattern("ccm nonce", n), b"a")
    for size in [4, 6, 8, 10, 12, 14]:
        add(f"tag of {size} bytes", ["TagLength"], 20, nonce, aad, size)
    for n in [13, 14, 15, 0xFEFF, 0xFF00]:
        add(f"{n} bytes of associated data", ["LongAad"], 20, nonce, pattern("long aad", n))
    for bit in range(128):
        f.test(tests, f"tag bit {bit} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=flip(tag, bit))
    for bit in [0, 255, 511]:
        f.test(tests, f"ciphertext bit {bit} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=nonce, aad=aad, msg=msg, ct=flip(ct, bit), tag=tag)
        f.test(tests, f"associated data bit {bit % 160} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=nonce, aad=flip(aad, bit % 160), msg=msg, ct=ct, tag=tag)
        f.test(tests, f"nonce bit {bit % 96} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=flip(nonce, bit % 96), aad=aad, msg=msg, ct=ct, tag=tag)
    for n in [0, 6, 14]:
        f.test(tests, f"nonce of {n} bytes", ["BadNonceLength"], "invalid", "NonceLength", key=K, iv=pattern("ccm nonce", n), aad=aad, msg=msg, ct=ct, tag=tag)
    for size in [0, 2, 3, 5, 15]:
        f.test(tests, f"tag of {size} bytes", ["BadTagLength"], "invalid", "TagLength", key=K, iv=nonce, aad=aad, msg=msg, ct=ct, tag=tag[:size])
    return f


def gcm_siv_file():
    f = File("sm4_gcm_siv_test.json", "SM4-GCM-SIV", "RFC 8452, with SM4", "by the reference",
             ["Tests of type GcmSivTest. No other implementation is known to agree or not."],
             {"Length": "Around a block boundary.", "Modified": "One bit is flipped."})
    tests = f.group("GcmSivTest", ivSize=96, keySize=128, tagSize=128)
    # The reference's POLYVAL and key derivation are RFC 8452's: its own example of POLYVAL.
    equal(gm.polyval(h("25629347589242761d31f826ba4b757b"), h("4f4f95668c83dfb6401762bb2d01a262d1a24ddd2721d006bbe45f20d3c9f362")), "f7a3b47b846119fae5b7866cf5e5b77e")
    iv, aad = pattern("siv iv", 12), pattern("siv aad", 20)
    for n in [0, 1, 15, 16, 17, 63, 64, 65, 1030]:
        m = pattern(f"siv {n}", n)
        c, t = gm.gcm_siv(K, iv, aad[:n % 21], m)
        f.test(tests, f"{n} bytes", ["Length"], key=K, iv=iv, aad=aad[:n % 21], msg=m, ct=c, tag=t)
    m = pattern("siv modified", 40)
    c, t = gm.gcm_siv(K, iv, aad, m)
    for bit in range(128):
        f.test(tests, f"tag bit {bit} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=iv, aad=aad, msg=m, ct=c, tag=flip(t, bit))
    for bit in [0, 95, 159]:
        f.test(tests, f"ciphertext bit {bit} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=iv, aad=aad, msg=m, ct=flip(c, bit), tag=t)
        f.test(tests, f"associated data bit {bit} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=iv, aad=flip(aad, bit), msg=m, ct=c, tag=t)
        f.test(tests, f"nonce bit {bit % 96} flipped", ["Modified"], "invalid", "Rejected", key=K, iv=flip(iv, bit % 96), aad=aad, msg=m, ct=c, tag=t)
    return f


def cmac_file():
    f = File("sm4_cmac_test.json", "SM4-CMAC", "NIST SP 800-38B", "with SM4, by the reference; OpenSSL agrees",
             ["Tests of type CmacTest."], {"Length": "Around a block boundary.", "Modified": "One bit of the tag is flipped."})
    tests = f.group("CmacTest", keySize=128, tagSize=128)
    for n in LENGTHS:
        msg = pattern(f"cmac {n}", n)
        f.test(tests, f"{n} bytes", ["Length"], key=K, msg=msg, tag=gm.cmac(K, msg))
    for bit in [0, 63, 127]:
        f.test(tests, f"tag bit {bit} flipped", ["Modified"], "invalid", "Rejected", key=K, msg=K, tag=flip(gm.cmac(K, K), bit))
    return f


def wrap_file():
    f = File("sm4_wrap_test.json", "SM4 key wrap", "RFC 3394; RFC 5649", "with SM4, by the reference",
             ["Tests of type WrapTest (whole words) and WrapPaddedTest. Invalid ones must be refused by unwrapping."],
             {"Length": "Lengths around the words' ends.", "Modified": "One bit is flipped.", "KeyDataLength": "A length that no wrapped key has."})
    for kind, work, sizes in [("WrapTest", gm.wrap, [16, 24, 32, 40, 64, 256]), ("WrapPaddedTest", gm.wrap_padded, [1, 7, 8, 9, 15, 16, 17, 20, 31, 32, 100])]:
        tests = f.group(kind, keySize=128)
        for n in sizes:
            msg = pattern(f"wrap {n}", n)
            f.test(tests, f"{n} bytes", ["Length"], key=K, msg=msg, ct=work(K, msg))
        ct = work(K, pattern("wrap", 20 if work is gm.wrap_padded else 24))
        for bit in range(8 * len(ct)):
            f.test(tests, f"bit {bit} flipped", ["Modified"], "invalid", "Rejected", key=K, msg=b"", ct=flip(ct, bit))
        for n in [0, 8, 15, 17, 23, 25]:
            f.test(tests, f"{n} bytes", ["KeyDataLength"], "invalid", "KeyDataLength", key=K, msg=b"", ct=pattern("no wrap", n))
    return f


# ---- SM2 -----------------------------------------------------------------------------------------

D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
NONCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21


def uncompressed(point):
    return b"\4" + gm.xy(point)


def sm2_verify_file():
    f = File("sm2_verify_test.json", "SM2", "GB/T 32918.2-2016", "7.1; example of GB/T 32918.5-2017, annex A; DER of GB/T 35276-2017, 7.3",
             ["Tests of type Sm2Verify verify a DER signature; reason names the error of a refusal.",
              "Groups of type Sm2VerifyE give e itself and a raw signature r || s."],
             {"Standard": "Printed in the standard.", "Pseudorandom": "Ordinary inputs.", "Id": "Another ID than the default.",
              "WrongId": "Made under another ID.", "WrongMessage": "Made over another message.", "WrongKey": "Made with another key.",
              "ZeroR": "r = 0.", "ZeroS": "s = 0.", "RIsN": "r = n.", "SIsN": "s = n.", "RAboveN": "r = n + 1 or more.", "SAboveN": "s = n + 1 or more.",
              "RPlusN": "r replaced by r + n, which is the same residue.", "SPlusN": "s replaced by s + n.",
              "ZeroT": "r + s = n, so that t = 0 and the public key drops out.", "Infinity": "The computed point is the point at infinity.",
              "NegativeInteger": "A negative INTEGER.", "NonMinimalInteger": "Needless leading zeros.", "BerLength": "A length that is not in its shortest form, or indefinite.",
              "TrailingData": "Bytes behind a value.", "Truncated": "The encoding ends too early.", "WrongTag": "A value of another type.", "IntegerSize": "An INTEGER with no byte or with too many.",
              "Malleated": "s replaced by n - s, which ECDSA would accept.", "NoZ": "Made over SM3(M) without Z.", "ExtremeE": "e at the ends of its range.", "XAboveN": "x1 is n or more, so that (e + x1) mod n hides it."})
    public = gm.multiply(D, gm.G)
    msg = b"message digest"
    e = gm.e_value(public, gm.DEFAULT_ID, msg)
    r, s = gm.sign_e(D, e, NONCE)
    assert (r, s) == (0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3, 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA)
    good = gm.der_signature(r, s)
    tests = f.group("Sm2Verify", publicKey=uncompressed(public).hex(), id=gm.DEFAULT_ID.hex())
    n = gm.N

    def bad(comment, flags, reason, sig, m=msg):
        f.test(tests, comment, flags, "invalid", reason, msg=m, sig=sig)

    f.test(tests, "A.2", ["Standard"], msg=msg, sig=good)
    bad("another message", ["WrongMessage"], "Rejected", good, b"message digesT")
    bad("empty message", ["WrongMessage"], "Rejected", good, b"")
    bad("s replaced by n - s", ["Malleated"], "Rejected", gm.der_signature(r, n - s))
    bad("r and s exchanged", ["WrongMessage"], "Rejected", gm.der_signature(s, r))
    plain = int.from_bytes(gm.sm3(msg), "big")
    bad("signed without Z", ["NoZ"], "Rejected", gm.der_signature(*gm.sign_e(D, plain, NONCE)))
    for rr, ss, flags in [(0, s, ["ZeroR"]), (r, 0, ["ZeroS"]), (0, 0, ["ZeroR", "ZeroS"]), (n, s, ["RIsN"]), (r, n, ["SIsN"]),
                          (n + 1, s, ["RAboveN"]), (r, n + 1, ["SAboveN"]), (2**256 - 1, s, ["RAboveN"]), (r, 2**256 - 1, ["SAboveN"])]:
        bad(f"{'r' if rr != r else 's'} out of range: {flags[0]}", flags, "SignatureRange", gm.der_signature(rr, ss))
    bad("r + n", ["RPlusN"], "Der(IntegerSize)", gm.der_signature(r + n, s))
    bad("s + n", ["SPlusN"], "Der(IntegerSize)", gm.der_signature(r, s + n))
    bad("r + s = n", ["ZeroT"], "Rejected", gm.der_signature(1, n - 1))
    bad("r + s = n, real r", ["ZeroT"], "Rejected", gm.der_signature(r, n - r))

    ri, si = gm.der_integer(r), gm.der_integer(s)
    assert ri[:3] == b"\x02\x21\x00" and si[:3] == b"\x02\x21\x00"
    bad("r without its sign byte is negative", ["NegativeInteger"], "Der(NegativeInteger)", gm.tlv(0x30, b"\x02\x20" + ri[3:] + si))
    bad("s without its sign byte is negative", ["NegativeInteger"], "Der(NegativeInteger)", gm.tlv(0x30, ri + b"\x02\x20" + si[3:]))
    bad("r = -1", ["NegativeInteger"], "Der(NegativeInteger)", gm.tlv(0x30, b"\x02\x01\xff" + si))
    bad("r with another zero", ["NonMinimalInteger"], "Der(NonMinimalInteger)", gm.tlv(0x30, b"\x02\x22\x00" + ri[2:] + si))
    bad("s = 00 01", ["NonMinimalInteger"], "Der(NonMinimalInteger)", gm.tlv(0x30, ri + b"\x02\x02\x00\x01"))
    bad("sequence length in two bytes", ["BerLength"], "Der(Length)", b"\x30\x81" + good[1:])
    bad("r's length in two bytes", ["BerLength"], "Der(Length)", gm.tlv(0x30, b"\x02\x81" + ri[1:] + si))
    bad("indefinite length", ["BerLength"], "Der(Length)", b"\x30\x80" + ri + si + b"\0\0")
    bad("length of 2 GiB", ["Truncated"], "Der(Truncated)", b"\x30\x84\x7f\xff\xff\xff" + ri + si)
    bad("trailing zero", ["TrailingData"], "Der(TrailingData)", good + b"\0")
    bad("a third integer", ["TrailingData"], "Der(TrailingData)", gm.tlv(0x30, ri + si + b"\x02\x01\x01"))
    bad("last byte missing", ["Truncated"], "Der(Truncated)", good[:-1])
    bad("s missing", ["Truncated"], "Der(Truncated)", gm.tlv(0x30, ri))
    bad("nothing at all", ["Truncated"], "Der(Truncated)", b"")
    bad("a set instead of a sequence", ["WrongTag"], "Der(Tag)", b"\x31" + good[1:])
    bad("r as octet string", ["WrongTag"], "Der(Tag)", gm.tlv(0x30, b"\x04" + ri[1:] + si))
    bad("r with no bytes", ["IntegerSize"], "Der(IntegerSize)", gm.tlv(0x30, b"\x02\x00" + si))
    bad("r with 257 bits", ["IntegerSize"], "Der(IntegerSize)", gm.tlv(0x30, gm.der_integer(2**256) + si))

    for n_id, identity in enumerate([b"", b"ALICE123@YAHOO.COM", b"TLSv1.3+GM+Cipher+Suite", pattern("long id", 8191)]):
        d = int.from_bytes(pattern(f"d {n_id}", 32), "big") % (n - 2) + 1
        pub = gm.multiply(d, gm.G)
        tests = f.group("Sm2Verify", publicKey=uncompressed(pub).hex(), id=identity.hex())
        for length in [0, 1, 64, 300]:
            m = pattern(f"m {n_id} {length}", length)
            k = int.from_bytes(pattern(f"k {n_id} {length}", 32), "big") % (n - 1) + 1
            sig = gm.der_signature(*gm.sign_e(d, gm.e_value(pub, identity, m), k))
            f.test(tests, f"message of {length} bytes", ["Id", "Pseudorandom"], msg=m, sig=sig)
        other = gm.der_signature(*gm.sign_e(d, gm.e_value(pub, gm.DEFAULT_ID, b"x"), NONCE))
        f.test(tests, "made under the default ID", ["WrongId"], "invalid", "Rejected", msg=b"x", sig=other)
        f.test(tests, "made with another key", ["WrongKey"], "invalid", "Rejected", msg=b"x",
               sig=gm.der_signature(*gm.sign_e(D, gm.e_value(pub, identity, b"x"), NONCE)))

    # With d = 1 the public key is G itself, and every multiple of it is known.
    tests = f.group("Sm2VerifyE", publicKey=uncompressed(gm.G).hex())

    def raw(comment, flags, ee, rr, ss, ok=False):
        assert gm.verify_e(gm.G, ee, rr, ss) == ok, comment
        extra = {} if ok else {"result": "invalid", "reason": "Rejected"}
        f.test(tests, comment, flags, **extra, e=gm.b32(ee), sig=gm.b32(rr) + gm.b32(ss))

    x = gm.G[0]
    raw("forgery that t = 0 would allow: e = r - x(G)", ["ZeroT"], (n - 1 - x) % n, n - 1, 1)
    for ee in (n - 2, 0, (n - 2 - x) % n):
        raw("sG + tP = O", ["Infinity"], ee, n - 2, 1)
    k = 12345
    xk = gm.multiply(k, gm.G)[0]
    for ee in (0, 1, n - 1, n, n + 1, 2**256 - 1, (n - xk + 5) % n):
        sig = gm.sign_e(1, ee, k)
        raw("extreme e", ["ExtremeE"], ee, *sig, ok=True)
    # Such x1 do not occur by chance: take a point that has one, and the key that leads to it.
    x = next(v for v in range(n, n + 100) if pow(v**3 + gm.A * v + gm.B, (gm.P - 1) // 2, gm.P) == 1)
    point = (x, pow(x**3 + gm.A * x + gm.B, (gm.P + 1) // 4, gm.P))
    s, t = 5, 7
    minus_sg = gm.multiply(n - s, gm.G)
    key = gm.multiply(pow(t, -1, n), gm.add(point, minus_sg))
    r, ee = t - s, (t - s - x) % n
    assert gm.verify_e(key, ee, r, s)
    tests = f.group("Sm2VerifyE", publicKey=uncompressed(key).hex())
    f.test(tests, "x1 above n", ["XAboveN"], e=gm.b32(ee), sig=gm.b32(r) + gm.b32(s))
    f.test(tests, "x1 above n, e off by one", ["WrongMessage"], "invalid", "Rejected", e=gm.b32(ee + 1), sig=gm.b32(r) + gm.b32(s))
    return f


def sm2_sign_file():
    f = File("sm2_sign_test.json", "SM2", "GB/T 32918.2-2016", "6.1; example of GB/T 32918.5-2017, annex A",
             ["Tests of type Sm2Sign sign msg under id with d and the given k; sig is r || s."],
             {"Standard": "Printed in the standard.", "Pseudorandom": "Ordinary inputs.", "EdgeKey": "d or k at the end of its range.",
              "KeyRange": "d is not in [1, n-2].", "NonceRange": "k is not in [1, n-1]."})
    tests = f.group("Sm2Sign", id=gm.DEFAULT_ID.hex())
    n = gm.N

    def case(comment, flags, d, k, msg):
        public = gm.multiply(d, gm.G)
        r, s = gm.sign_e(d, gm.e_value(public, gm.DEFAULT_ID, msg), k)
        f.test(tests, comment, flags, d=gm.b32(d), k=gm.b32(k), msg=msg, sig=gm.b32(r) + gm.b32(s))

    case("A.2", ["Standard"], D, NONCE, b"message digest")
    for d in (1, 2, n - 3, n - 2):
        case("extreme d", ["EdgeKey"], d, NONCE, b"edge")
    for k in (1, 2, n - 2, n - 1):
        case("extreme k", ["EdgeKey"], D, k, b"edge")
    for i in range(12):
        d = int.from_bytes(pattern(f"sign d {i}", 32), "big") % (n - 2) + 1
        k = int.from_bytes(pattern(f"sign k {i}", 32), "big") % (n - 1) + 1
        case("pseudorandom", ["Pseudorandom"], d, k, pattern(f"sign m {i}", 7 * i))
    for d in (0, n - 1, n, n + 1, 2**256 - 1):
        f.test(tests, "d out of range", ["KeyRange"], "invalid", "PrivateKeyRange", d=gm.b32(d), k=gm.b32(NONCE), msg=b"x", sig=b"")
    for k in (0, n, 2**256 - 1):
        f.test(tests, "k out of range", ["NonceRange"], "invalid", "NonceRange", d=gm.b32(D), k=gm.b32(k), msg=b"x", sig=b"")
    return f


def sm2_point_file():
    f = File("sm2_point_test.json", "SM2", "GB/T 32918.1-2016", "4.2.10 and 6.2.1",
             ["Tests of type Sm2Point read a public key; point is its uncompressed form."],
             {"Uncompressed": "04 || X || Y.", "Compressed": "02 or 03 || X.", "OffCurve": "The equation does not hold.", "Infinity": "The point at infinity, however written.",
              "AboveP": "A coordinate is p or more.", "Hybrid": "06 or 07 || X || Y.", "Length": "Not 33 or 65 bytes.", "NotASquare": "No point has this x.", "Twist": "On the quadratic twist."})
    tests = f.group("Sm2Point")
    p = gm.P

    def good(comment, flags, encoded, point):
        assert gm.on_curve(point)
        f.test(tests, comment, flags, encoded=encoded, point=uncompressed(point))

    def bad(comment, flags, reason, encoded):
        f.test(tests, comment, flags, "invalid", reason, encoded=encoded)

    public = gm.multiply(D, gm.G)
    minus = (public[0], p - public[1])
    for name, point in [("the standard's key", public), ("its negative", minus), ("G", gm.G)]:
        good(name, ["Uncompressed"], uncompressed(point), point)
        good(name, ["Compressed"], bytes([2 + point[1] % 2]) + gm.b32(point[0]), point)
    x, y = public
    bad("y + 1", ["OffCurve"], "PointNotOnCurve", b"\4" + gm.b32(x) + gm.b32(y + 1))
    bad("x and y exchanged", ["OffCurve"], "PointNotOnCurve", b"\4" + gm.b32(y) + gm.b32(x))
    bad("(0, 0)", ["OffCurve", "Infinity"], "PointNotOnCurve", b"\4" + bytes(64))
    bad("one zero byte", ["Infinity"], "PointEncoding", b"\0")
    bad("65 zero bytes", ["Infinity"], "PointEncoding", bytes(65))
    small = next(v for v in range(100) if gm.multiply(1, (v, 0)) and pow(v**3 + gm.A * v + gm.B, (p - 1) // 2, p) == 1)
    root = pow(small**3 + gm.A * small + gm.B, (p + 1) // 4, p)
    good("a small x", ["Uncompressed"], uncompressed((small, root)), (small, root))
    bad("a small x plus p", ["AboveP"], "PointNotOnCurve", b"\4" + gm.b32(small + p) + gm.b32(root))
    bad("a small x plus p, compressed", ["AboveP"], "PointNotOnCurve", bytes([2 + root % 2]) + gm.b32(small + p))
    bad("x = p", ["AboveP"], "PointNotOnCurve", b"\4" + gm.b32(p) + gm.b32(root))
    bad("all ones", ["AboveP"], "PointNotOnCurve", b"\4" + b"\xff" * 64)
    bad("hybrid", ["Hybrid"], "PointEncoding", bytes([6 + y % 2]) + gm.xy(public))
    for cut in (uncompressed(public)[:-1], uncompressed(public) + b"\0", b"\2" + gm.b32(x)[:-1], b"\2" + gm.b32(x) + b"\0", b""):
        bad(f"{len(cut)} bytes", ["Length"], "PointEncoding", cut)
    bad("uncompressed length, compressed tag", ["Length"], "PointEncoding", b"\2" + gm.xy(public))
    none = next(v for v in range(100) if pow(v**3 + gm.A * v + gm.B, (p - 1) // 2, p) == p - 1)
    bad("no such x", ["NotASquare", "Twist"], "PointNotOnCurve", b"\2" + gm.b32(none))
    return f


def sm2_decrypt_file():
    f = File("sm2_decrypt_test.json", "SM2", "GB/T 32918.4-2016", "7.1; example of GB/T 32918.5-2017, annex C; DER of GB/T 35276-2017, 7.2",
             ["Tests of type Sm2Decrypt decrypt ct, whose form the group names, with d; msg is the plaintext."],
             {"Standard": "Printed in the standard.", "Pseudorandom": "Ordinary inputs.", "ModifiedC1": "C1 damaged.", "ModifiedC2": "C2 damaged.", "ModifiedC3": "C3 damaged.",
              "OffCurve": "C1 is not on the curve.", "Infinity": "C1 is the point at infinity.", "Length": "A part is missing or has the wrong length.", "SwappedOrder": "C2 and C3 in the other form's order.",
              "ZeroMask": "KDF gives zeros only.", "NonMinimalInteger": "Needless leading zeros.", "NegativeInteger": "A negative INTEGER.", "BerLength": "A length that is not DER.",
              "TrailingData": "Bytes behind a value.", "WrongKey": "Encrypted to another key.", "ShortCoordinate": "x or y of C1 has leading zero bytes.", "AboveP": "A coordinate is p or more."})
    public = gm.multiply(D, gm.G)
    c1, c3, c2 = gm.encrypt(public, b"encryption standard", NONCE)
    equal(c2, "21886CA989CA9C7D58087307CA93092D651EFA")
    equal(c3, "59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766")
    forms = {"C1C3C2": lambda a, b, c: uncompressed(a) + b + c, "C1C2C3": lambda a, b, c: uncompressed(a) + c + b, "DER": gm.der_ciphertext}

    def flip(data, i):
        return data[:i] + bytes([data[i] ^ 1]) + data[i + 1:]

    # A nonce whose C1 has a short coordinate, so that the DER integers are short.
    short_k = next(k for k in range(1, 5000) if min(gm.multiply(k, gm.G)) < 2**248)
    zero_k = next(k for k in range(1, 5000) if gm.kdf(gm.xy(gm.multiply(k, public)), 1) == b"\0")
    for form, write in forms.items():
        tests = f.group("Sm2Decrypt", form=form, d=gm.b32(D).hex())

        def bad(comment, flags, reason, ct):
            f.test(tests, comment, flags, "invalid", reason, msg=b"", ct=ct)

        f.test(tests, "C.2", ["Standard"], msg=b"encryption standard", ct=write(c1, c3, c2))
        for length in [1, 31, 32, 33, 255, 300]:
            k, m = int.from_bytes(pattern(f"enc k {length}", 32), "big") % (gm.N - 1) + 1, pattern(f"enc m {length}", length)
            f.test(tests, f"{length} bytes", ["Pseudorandom"], msg=m, ct=write(*gm.encrypt(public, m, k)))
        f.test(tests, "short coordinate in C1", ["ShortCoordinate"], msg=b"short", ct=write(*gm.encrypt(public, b"short", short_k)))
        other = gm.multiply(NONCE, gm.G)
        bad("to another key", ["WrongKey"], "Rejected", write(*gm.encrypt(other, b"x" * 20, NONCE)))
        bad("C3 damaged", ["ModifiedC3"], "Rejected", write(c1, flip(c3, 31), c2))
        bad("C2 damaged", ["ModifiedC2"], "Rejected", write(c1, c3, flip(c2, 0)))
        bad("C2 cut by one byte", ["ModifiedC2"], "Rejected", write(c1, c3, c2[:-1]))
        bad("C1 negated", ["ModifiedC1"], "Rejected", write((c1[0], gm.P - c1[1]), c3, c2))
        bad("C1 off the curve", ["OffCurve"], "PointNotOnCurve", write((c1[0], c1[1] ^ 1), c3, c2))
        bad("C1 = (0, 0)", ["OffCurve", "Infinity"], "PointNotOnCurve", write((0, 0), c3, c2))
        bad("no C2", ["Length"], "CiphertextLength", write(c1, c3, b""))
        shared = gm.multiply(zero_k, public)
        hash_of = gm.sm3(gm.b32(shared[0]) + b"A" + gm.b32(shared[1]))
        bad("mask of zeros, C3 right", ["ZeroMask"], "Rejected", write(gm.multiply(zero_k, gm.G), hash_of, b"A"))
        if form != "DER":
            swap = forms["C1C2C3" if form == "C1C3C2" else "C1C3C2"](c1, c3, c2)
            bad("the other order", ["SwappedOrder"], "Rejected", swap)
            for n in (0, 64, 65, 96):
                bad(f"{n} bytes", ["Length"], "CiphertextLength", write(c1, c3, c2)[:n])
            bad("C1 = 00...", ["Infinity"], "PointEncoding", b"\0" + write(c1, c3, c2)[1:])
            continue
        x, y = gm.der_integer(c1[0]), gm.der_integer(c1[1])
        tail = gm.tlv(4, c3) + gm.tlv(4, c2)
        bad("x with another zero", ["NonMinimalInteger"], "Der(NonMinimalInteger)", gm.tlv(0x30, b"\x02" + bytes([x[1] + 1]) + b"\0" + x[2:] + y + tail))
        bad("y without its sign byte", ["NegativeInteger"], "Der(NegativeInteger)", gm.tlv(0x30, x + b"\x02\x20" + y[-32:] + tail))
        bad("x = p", ["AboveP"], "PointNotOnCurve", gm.tlv(0x30, gm.der_integer(gm.P) + y + tail))
        bad("C3 of 31 bytes", ["Length"], "CiphertextLength", gm.tlv(0x30, x + y + gm.tlv(4, c3[:31]) + gm.tlv(4, c2)))
        bad("C3 of 33 bytes", ["Length"], "CiphertextLength", gm.tlv(0x30, x + y + gm.tlv(4, c3 + b"\0") + gm.tlv(4, c2)))
        bad("indefinite length", ["BerLength"], "Der(Length)", b"\x30\x80" + x + y + tail + b"\0\0")
        bad("trailing byte", ["TrailingData"], "Der(TrailingData)", gm.der_ciphertext(c1, c3, c2) + b"\0")
        bad("trailing byte inside", ["TrailingData"], "Der(TrailingData)", gm.tlv(0x30, x + y + tail + b"\x05\x00"))
        bad("C2 missing", ["Length"], "Der(Truncated)", gm.tlv(0x30, x + y + gm.tlv(4, c3)))
    return f


def sm2_exchange_file():
    f = File("sm2_exchange_test.json", "SM2 key exchange", "GB/T 32918.3-2016", "example of GB/T 32918.5-2017, annex B; others by the reference",
             ["Tests of type Sm2Exchange run both sides: private keys, ephemeral keys, IDs; K of klen bytes and both confirmations."],
             {"Standard": "Printed in the standard.", "Length": "Another klen; 48 bytes are TLCP's.", "Ids": "IDs that are not the default.",
              "WrongId": "The parties do not mean the same: a confirmation must be refused."})
    d_a, d_b = (int(x, 16) for x in ["81EB26E941BB5AF16DF116495F90695272AE2CD63D6C4AE1678418BE48230029", "785129917D45A9EA5437A59356B82338EAADDA6CEB199088F14AE10DEFA229B5"])
    r_a, r_b = (int(x, 16) for x in ["D4DE15474DB74D06491C440D305E012400990F3E390C7E87153C12DB2EA60BB3", "7E07124814B309489125EAED101113164EBF0F3458C5BD88335C1F9D596243D6"])
    default = b"1234567812345678"
    tests = f.group("Sm2Exchange")

    def add(comment, flags, a, b, ra, rb, id_a, id_b, klen, result="valid", reason=None, told=None):
        k, s_a, s_b = gm.exchange(a, b, ra, rb, id_a, id_b, klen)
        f.test(tests, comment, flags, result, reason, d=gm.b32(a), dB=gm.b32(b), rA=gm.b32(ra), rB=gm.b32(rb), idA=id_a,
               idB=id_b if told is None else told, size=klen, key=k, sA=s_a, sB=s_b)
        return k, s_a, s_b

    k, s_a, s_b = add("annex B", ["Standard"], d_a, d_b, r_a, r_b, default, default, 16)
    equal(k, "6C89347354DE2484C60B4AB1FDE4C6E5")
    equal(s_a, "18C7894B3816DF16CF07B05C5EC0BEF5D655D58F779CC1B400A4F3884644DB88")
    equal(s_b, "D3A0FE15DEE185CEAE907A6B595CC32A266ED7B3367E9983A896DC32FA20F8EB")
    for klen in [1, 31, 32, 33, 48, 100]:
        add(f"klen of {klen} bytes", ["Length"], d_a, d_b, r_a, r_b, default, default, klen)
    for i in range(8):
        a, b, ra, rb = (int.from_bytes(pattern(f"exchange {i} {j}", 32), "big") % (gm.N - 2) + 1 for j in range(4))
        add(f"random {i}", ["Ids"], a, b, ra, rb, pattern(f"id a {i}", 3 * i), b"Bob", 16)
    add("another ID for B", ["WrongId"], d_a, d_b, r_a, r_b, default, default, 16, "invalid", "Rejected", b"Eve")
    return f


def rare_modes_file():
    f = File("sm4_rare_test.json", "SM4 in BC, OFBNLF and HCTR mode", "GB/T 17964-2021", "by the reference; the first of each agrees with another implementation's",
             ["Tests of type BcTest, OfbnlfTest and HctrTest; for HCTR key is K1 and K2, and iv the tweak."],
             {"Known": "Another implementation has the same value.", "Length": "Another number of blocks.", "Partial": "HCTR with a partial last block.", "TooShort": "Less than a block."})
    key, iv, tweak = h("2B7E151628AED2A6ABF7158809CF4F3C"), bytes(range(16)), bytes(range(0xF0, 0x100))
    msg = h("6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710")
    for kind, mode, want in [
        ("BcTest", gm.bc, "AC529AF989A62FCE9CDDC5FFB84125CAFB8CDE77339FFE481D113C40BBD5B6786FFC9916F98F94FF12D78319707E240428718707605BC1EAC503153EBAA0FB1D"),
        ("OfbnlfTest", gm.ofbnlf, "00A5B5C9E645557C20CE7F267736F308A18037828850B9D78883CA622851F86CB7CAEFDFB6D4CABA6AE2D2FCE369CEB31001DD71FDDA9341F8D221CB720FF27B"),
    ]:
        tests = f.group(kind, ivSize=128, keySize=128)
        f.test(tests, "four blocks", ["Known"], key=key, iv=iv, msg=msg, ct=equal(mode(key, iv, msg), want))
        for n in [0, 1, 2, 63, 64, 65, 130]:
            m = pattern(f"{kind} {n}", 16 * n)
            f.test(tests, f"{n} blocks", ["Length"], key=K, iv=iv, msg=m, ct=mode(K, iv, m))
    tests = f.group("HctrTest", ivSize=128, keySize=256)
    want = "9CD7481D3B7CA904B14B4084D9D4C83ED39EAC8E16747895FC2AE1EECD220276AF3D0D2F21CB3807561347C81AD138117DD85C652AFE16A47DC68EB884068AE3"
    f.test(tests, "four blocks", ["Known"], key=key + iv, iv=tweak, msg=msg, ct=equal(gm.hctr(key, iv, tweak, msg), want))
    for n in [16, 17, 31, 32, 33, 48, 1023, 1024, 1040, 1041, 1056, 3000]:
        m = pattern(f"hctr {n}", n)
        f.test(tests, f"{n} bytes", ["Length" if n % 16 == 0 else "Partial"], key=K + iv, iv=tweak, msg=m, ct=gm.hctr(K, iv, tweak, m))
    for n in [0, 1, 15]:
        m = pattern("short", n)
        f.test(tests, f"{n} bytes", ["TooShort"], "invalid", "TooShort", key=K + iv, iv=tweak, msg=m, ct=m)
    return f


def ff1_file():
    f = File("sm4_ff1_test.json", "SM4-FF1", "NIST SP 800-38G revision 1", "algorithms 7 and 8 with SM4, by the reference",
             ["Tests of type Ff1Test; msg and ct are numerals of two bytes each, aad is the tweak."],
             {"Radix": "Another radix.", "Length": "An even or odd number of numerals, or a long one.", "Tweak": "A tweak of another length.",
              "Domain": "Less than a million values, or too many numerals.", "Numeral": "A numeral that is not below the radix.", "BadRadix": "A radix that there is not."})
    tests = f.group("Ff1Test", keySize=128)

    def words(numerals):
        return b"".join(x.to_bytes(2, "big") for x in numerals)

    def add(comment, flag, radix, n, tweak):
        raw = pattern(f"ff1 {radix} {n}", 4 * n)
        m = [int.from_bytes(raw[4 * i:4 * i + 4], "big") % radix for i in range(n)]
        f.test(tests, comment, [flag], key=K, size=radix, aad=tweak, msg=words(m), ct=words(gm.ff1(K, radix, tweak, m)))

    for radix, n in [(2, 20), (2, 127), (3, 13), (10, 6), (16, 32), (26, 11), (36, 18), (255, 9), (256, 16), (1000, 5), (65521, 4), (65535, 2), (65536, 7)]:
        add(f"radix {radix}, {n} numerals", "Radix", radix, n, b"tweak")
    for n in [7, 8, 9, 16, 18, 19, 56, 57, 58, 300]:
        add(f"{n} digits", "Length", 10, n, b"")
    for n in [0, 1, 3, 4, 5, 6, 7, 15, 16, 17, 31, 32, 200]:
        add(f"tweak of {n} bytes", "Tweak", 10, 16, pattern("ff1 tweak", n))

    def bad(comment, flag, reason, radix, m):
        f.test(tests, comment, [flag], "invalid", reason, key=K, size=radix, aad=b"", msg=words(m), ct=words(m))

    bad("5 digits", "Domain", "Domain", 10, [1] * 5)
    bad("nothing", "Domain", "Domain", 10, [])
    bad("one numeral of 65536", "Domain", "Domain", 65536, [1])
    bad("19 bits", "Domain", "Domain", 2, [1] * 19)
    bad("4097 digits", "Domain", "Domain", 10, [1] * 4097)
    bad("a ten among digits", "Numeral", "Numeral", 10, [1] * 9 + [10])
    bad("65535 among digits", "Numeral", "Numeral", 10, [65535] + [1] * 9)
    bad("radix 1", "BadRadix", "Radix", 1, [0] * 30)
    bad("radix 0", "BadRadix", "Radix", 0, [])
    bad("radix 65537", "BadRadix", "Radix", 65537, [1] * 9)
    return f


def tls_prf_file():
    f = File("tls_prf_sm3_test.json", "PRFs of TLS with SM3", "GB/T 38636-2020; RFC 5246; RFC 8446", "PRF; 5; 7.1",
             ["Tests of type Tls12PrfTest: key is the secret, info the label, salt the seed. Tests of type Tls13LabelTest: info is the label without tls13, aad the context."],
             {"Capture": "From a published TLCP connection.", "Length": "Output of another length.", "BadLength": "A length that HKDF does not allow."})
    tests = f.group("Tls12PrfTest")
    pre = h("0101E582AAC5064CF164DCAC7A14BFEC7BF30AF646558DC7DC63CBC77265EDE6E7721D2161FA098EF3EC41FECBFEF107")
    client = h("B20653C9B35996333D8079CF401FE28791704502700584C4C6A0F04894597DE1")
    server = h("D76E6BC156B1BA2A5CEA6C251B6C2038E00CBD8194132BC33452E22E0F324F2D")
    master = equal(gm.tls12_prf(pre, b"master secret", client + server, 48), "E64A628ECEE2F1F1E2A3E1ADFBA7E4AEE7358177212594F272F97592B709F0DB65995D25B116FAE296890BA1A84F6BFB")
    f.test(tests, "master secret", ["Capture"], key=pre, info=b"master secret", salt=client + server, size=48, okm=master)
    block = gm.tls12_prf(master, b"key expansion", server + client, 128)
    equal(block, "B18D1B2B677EA3AB5C081B6BF281059EC325E9ED2AFA64A9C9BE87F0925FA60EE450F3DC2868B963DAB20103C4059345F8F8A9E7B0118FEE48A933BC883664EB"
          "E5F8542F7B2301C6A3BF39DAD815E9C80F318420AD795BBE66DA750395C81C48A30C3A50F2651DC59BB7AA29CF5A3C620AFB86A81B2B61D3F0688CFD6DEBF8E7")
    f.test(tests, "key block", ["Capture"], key=master, info=b"key expansion", salt=server + client, size=128, okm=block)
    for size in [1, 12, 31, 32, 33, 100]:
        key = pattern(f"prf {size}", size)
        f.test(tests, f"{size} bytes", ["Length"], key=key, info=b"test label", salt=server, size=size, okm=gm.tls12_prf(key, b"test label", server, size))
    tests = f.group("Tls13LabelTest")
    for size in [0, 1, 12, 16, 32, 33, 100, 8160]:
        label, context = [b"key", b"iv", b"finished", b"c hs traffic"][size % 4], pattern("context", size % 33)
        f.test(tests, f"{size} bytes", ["Length"], key=server, info=label, aad=context, size=size, okm=gm.tls13_expand_label(server, label, context, size))
    for comment, key, label, context, size in [("secret of 31 bytes", server[1:], b"key", b"", 16), ("label of 250 bytes", server, b"k" * 250, b"", 16),
                                               ("context of 256 bytes", server, b"key", bytes(256), 16), ("8161 bytes", server, b"key", b"", 8161)]:
        f.test(tests, comment, ["BadLength"], "invalid", "LengthError", key=key, info=label, aad=context, size=size, okm=bytes(size))
    return f


def drng_file():
    f = File("drng_test.json", "DRNG", "GM/T 0105-2021", "SM3 and SM4 mechanism; the first of each agrees with another implementation's",
             ["Tests of type DrngSm3Test and DrngSm4Test: ikm is the entropy, iv the nonce, info the personalization, key the entropy for reseeding, aad the additional input of each request, okm the second output of size bytes."],
             {"Known": "Another implementation has the same value.", "Inputs": "With personalization, additional input, or several steps."})
    for kind, drng, step, entropy, nonce, reseed, want in [
        ("DrngSm3Test", gm.HashDrng, 32, "63363377E41E86468DEB0AB4A8ED683F6A134E47E014C700454E81E95358A569", "808AA38F2A72A62359915A9F8A04CA68",
         "E62B8A8EE8F141B6980566E3BFE3C04903DAD4AC2CDF9F2280010A6739BC83D3", "00D98D35A2FAB8DF23E9E1FB9AAD143D62C0759EB79E15C37E8F2BC5064E68DA"),
        ("DrngSm4Test", gm.CtrDrng, 16, "2D4C9F46B981C6A0B2B5D8C69391E569FF13851437EBC0FC00D616340252FED5", "0BF814B411F65EC4866BE1ABB59D3C32",
         "93500FAE4FA32B86033B7A7BAC9D37E710DCC67CA266BC8607D665937766D207", "E732A524DE8AD239AA293AC8AE588F9D"),
    ]:
        tests = f.group(kind)

        def add(comment, flag, entropy, nonce, reseed, info, aad, size):
            d = drng(entropy, nonce, info)
            d.reseed(reseed, b"")
            for _ in range(2):
                out = b"".join(d.generate(aad, min(step, size - i)) for i in range(0, size, step))
            f.test(tests, comment, [flag], ikm=entropy, iv=nonce, info=info, key=reseed, aad=aad, size=size, okm=out)
            return out

        equal(add("without extras", "Known", h(entropy), h(nonce), h(reseed), b"", b"", step), want)
        for i, (info, aad, size) in enumerate([(b"person", b"", step), (b"", b"additional", step), (b"both", b"of them", 3 * step + 1), (b"", b"", 1)]):
            e, n, r = (pattern(f"{kind} {i} {x}", 32) for x in "enr")
            add(f"case {i}", "Inputs", e, n[:16], r, info, aad, size)
    return f


def enveloped_key_file():
    f = File("sm2_enveloped_key_test.json", "SM2 enveloped key", "GB/T 35276-2017", "7.4",
             ["Tests of type EnvelopedKeyTest: d is the recipient's private key, msg the envelope, dB the private key inside."],
             {"Good": "As national software writes it, or as some write it.", "Changed": "Changed on the way.", "Malformed": "Not what the standard says."})
    tests = f.group("EnvelopedKeyTest")
    owner, inside = D, int.from_bytes(pattern("inside", 32), "big") % (gm.N - 2) + 1
    key, ecb = pattern("sm4 key", 16), gm.tlv(6, h("2A811CCF5501680" "1"))
    public = gm.tlv(3, b"\0" + uncompressed(gm.multiply(inside, gm.G)))
    cipher = gm.encrypt(gm.multiply(owner, gm.G), key, NONCE)
    sealed = b"".join(gm.sm4_encrypt(key, gm.b32(inside)[i:i + 16]) for i in (0, 16))

    def envelope(algorithm=ecb + b"\5\0", cipher=gm.der_ciphertext(*cipher), public=public, sealed=sealed, tail=b""):
        return gm.tlv(0x30, gm.tlv(0x30, algorithm) + cipher + public + gm.tlv(3, b"\0" + sealed) + tail)

    def bad(comment, flag, reason, message, d=owner):
        f.test(tests, comment, [flag], "invalid", reason, d=gm.b32(d), dB=gm.b32(inside), msg=message)

    f.test(tests, "SM4-ECB with NULL", ["Good"], d=gm.b32(owner), dB=gm.b32(inside), msg=envelope())
    f.test(tests, "SM4-ECB without parameters", ["Good"], d=gm.b32(owner), dB=gm.b32(inside), msg=envelope(ecb))
    f.test(tests, "SM4 without a mode", ["Good"], d=gm.b32(owner), dB=gm.b32(inside), msg=envelope(gm.tlv(6, h("2A811CCF550168")) + b"\5\0"))
    bad("for somebody else", "Changed", "Rejected", envelope(), inside)
    for bit in [0, 100, 255]:
        bad(f"bit {bit} of the private key flipped", "Changed", "Rejected", envelope(sealed=flip(sealed, bit)))
    other = gm.tlv(3, b"\0" + uncompressed(gm.G))
    bad("another public key", "Changed", "Rejected", envelope(public=other))
    c1, c3, c2 = cipher
    bad("C3 changed", "Changed", "Rejected", envelope(cipher=gm.der_ciphertext(c1, flip(c3, 7), c2)))
    long = gm.encrypt(gm.multiply(owner, gm.G), key + b"x", NONCE)
    bad("SM4 key of 17 bytes", "Changed", "Rejected", envelope(cipher=gm.der_ciphertext(*long)))
    bad("SM4-CBC", "Malformed", "Encryption(Cipher(ObjectIdentifier(1.2.156.10197.1.104.2)))", envelope(gm.tlv(6, h("2A811CCF55016802")) + b"\5\0"))
    bad("parameters", "Malformed", "Encryption(Parameters)", envelope(ecb + gm.tlv(4, key)))
    bad("private key of 48 bytes", "Malformed", "Encryption(Parameters)", envelope(sealed=sealed + sealed[:16]))
    bad("public key off the curve", "Malformed", "Key(PointNotOnCurve)", envelope(public=gm.tlv(3, b"\0\4" + bytes(64))))
    bad("something behind", "Malformed", "Key(Der(TrailingData))", envelope() + b"\0")
    bad("cut short", "Malformed", "Key(Der(Truncated))", envelope()[:-1])
    bad("nothing", "Malformed", "Key(Der(Truncated))", b"")
    return f


def main():
    files = [sm3_file(), *mac_and_kdf_files(), *sm4_files(), *feedback_files(), xts_file(), ccm_file(), gcm_siv_file(), cmac_file(), wrap_file(), sm2_verify_file(), sm2_sign_file(), sm2_point_file(), sm2_decrypt_file(), sm2_exchange_file(), rare_modes_file(), ff1_file(), tls_prf_file(), drng_file(), enveloped_key_file()]
    stale = []
    for f in files:
        path = DATA / f.name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != f.text():
                stale.append(f.name)
        else:
            path.write_text(f.text())
    if stale:
        sys.exit(f"not what generate.py writes: {', '.join(stale)}")
    print(f"{len(files)} files, {sum(f.count for f in files)} tests")


if __name__ == "__main__":
    main()
