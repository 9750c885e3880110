"""SM2, SM3 and SM4 written to be read, not to be fast and not to be used with secrets.

Plain integers and lists, straight from the standards; the only purpose is to make and check test
vectors with code that shares nothing with the Rust implementation.
"""


# ---- SM3, GB/T 32905-2016 ------------------------------------------------------------------------

IV = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
MASK = 0xFFFFFFFF


def rotl(x, n):
    n %= 32
    return ((x << n) | (x >> (32 - n))) & MASK


def sm3_compress(v, block):
    w = [int.from_bytes(block[4 * i:4 * i + 4], "big") for i in range(16)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)
        w.append(x ^ rotl(x, 15) ^ rotl(x, 23) ^ rotl(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = v
    for j in range(64):
        t = 0x79CC4519 if j < 16 else 0x7A879D8A
        ss1 = rotl((rotl(a, 12) + e + rotl(t, j)) & MASK, 7)
        ss2 = ss1 ^ rotl(a, 12)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g)
        tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & MASK
        tt2 = (gg + h + ss1 + w[j]) & MASK
        a, b, c, d = tt1, a, rotl(b, 9), c
        e, f, g, h = tt2 ^ rotl(tt2, 9) ^ rotl(tt2, 17), e, rotl(f, 19), g
    return [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]


def sm3(message):
    padded = message + b"\x80" + bytes((55 - len(message)) % 64) + (8 * len(message)).to_bytes(8, "big")
    v = IV
    for i in range(0, len(padded), 64):
        v = sm3_compress(v, padded[i:i + 64])
    return b"".join(x.to_bytes(4, "big") for x in v)


def hmac(key, message):
    key = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(k ^ 0x36 for k in key) + message)
    return sm3(bytes(k ^ 0x5C for k in key) + inner)


def hkdf(ikm, salt, info, length):
    prk = hmac(salt or bytes(32), ikm)
    out, t, n = b"", b"", 1
    while len(out) < length:
        t = hmac(prk, t + info + bytes([n]))
        out, n = out + t, n + 1
    return out[:length]


def pbkdf2(password, salt, iterations, length):
    out = b""
    for n in range(1, -(-length // 32) + 1):
        u = hmac(password, salt + n.to_bytes(4, "big"))
        t = int.from_bytes(u, "big")
        for _ in range(iterations - 1):
            u = hmac(password, u)
            t ^= int.from_bytes(u, "big")
        out += t.to_bytes(32, "big")
    return out[:length]


def kdf(z, length):
    """GB/T 32918.4-2016, 5.4.3; length in bytes."""
    return b"".join(sm3(z + n.to_bytes(4, "big")) for n in range(1, -(-length // 32) + 1))[:length]


# ---- SM4, GB/T 32907-2016 ------------------------------------------------------------------------

def gf_multiply(a, b):
    r = 0
    while b:
        r ^= a if b & 1 else 0
        a = (a << 1) ^ (0x1F5 if a & 0x80 else 0)
        b >>= 1
    return r


def sm4_affine(x):
    y = 0xD3
    for i in range(8):
        row = (0xA7 << i | 0xA7 >> (8 - i)) & 0xFF
        y ^= (bin(x & row).count("1") & 1) << i
    return y


def sm4_s(x):
    x, y = sm4_affine(x), 1
    for _ in range(254):
        y = gf_multiply(y, x)
    return sm4_affine(y)


SBOX = [sm4_s(x) for x in range(256)]


def tau(x):
    return int.from_bytes(bytes(SBOX[b] for b in x.to_bytes(4, "big")), "big")


def sm4_round_keys(key):
    fk = [0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC]
    k = [int.from_bytes(key[4 * i:4 * i + 4], "big") ^ fk[i] for i in range(4)]
    for i in range(32):
        ck = int.from_bytes(bytes((28 * i + 7 * j) % 256 for j in range(4)), "big")
        b = tau(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ ck)
        k.append(k[i] ^ b ^ rotl(b, 13) ^ rotl(b, 23))
    return k[4:]


def sm4_crypt(rk, block):
    x = [int.from_bytes(block[4 * i:4 * i + 4], "big") for i in range(4)]
    for i in range(32):
        b = tau(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ rk[i])
        x.append(x[i] ^ b ^ rotl(b, 2) ^ rotl(b, 10) ^ rotl(b, 18) ^ rotl(b, 24))
    return b"".join(v.to_bytes(4, "big") for v in (x[35], x[34], x[33], x[32]))


def sm4_encrypt(key, block):
    return sm4_crypt(sm4_round_keys(key), block)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def cbc_raw(key, iv, padded):
    out, rk = b"", sm4_round_keys(key)
    for i in range(0, len(padded), 16):
        iv = sm4_crypt(rk, xor(padded[i:i + 16], iv))
        out += iv
    return out


def cbc(key, iv, plain):
    pad = 16 - len(plain) % 16
    return cbc_raw(key, iv, plain + bytes([pad]) * pad)


def ctr(key, iv, data):
    rk, counter, out = sm4_round_keys(key), int.from_bytes(iv, "big"), b""
    for i in range(0, len(data), 16):
        out += xor(data[i:i + 16], sm4_crypt(rk, counter.to_bytes(16, "big")))
        counter = (counter + 1) % 2**128
    return out


def ghash(h, data):
    y = 0
    h = int.from_bytes(h, "big")
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i:i + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = (v >> 1) ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def gcm(key, nonce, aad, plain):
    def pad(x):
        return x + bytes(-len(x) % 16)

    def lengths(a, c):
        return (8 * a).to_bytes(8, "big") + (8 * c).to_bytes(8, "big")

    rk = sm4_round_keys(key)
    h = sm4_crypt(rk, bytes(16))
    j0 = nonce + b"\0\0\0\1" if len(nonce) == 12 else ghash(h, pad(nonce) + lengths(0, len(nonce)))
    count, out = int.from_bytes(j0[12:], "big"), b""
    for i in range(0, len(plain), 16):
        count = (count + 1) % 2**32
        out += xor(plain[i:i + 16], sm4_crypt(rk, j0[:12] + count.to_bytes(4, "big")))
    tag = xor(ghash(h, pad(aad) + pad(out) + lengths(len(aad), len(out))), sm4_crypt(rk, j0))
    return out, tag


def cfb(key, iv, plain):
    rk, out = sm4_round_keys(key), b""
    for i in range(0, len(plain), 16):
        iv = xor(plain[i:i + 16], sm4_crypt(rk, iv))
        out += iv
    return out


def ofb(key, iv, data):
    rk, out = sm4_round_keys(key), b""
    for i in range(0, len(data), 16):
        iv = sm4_crypt(rk, iv)
        out += xor(data[i:i + 16], iv)
    return out


def xts_next_gb(tweak):
    """Times x, bits counted from the most significant one of the first byte (as GHASH)."""
    t = int.from_bytes(tweak, "big")
    return ((t >> 1) ^ (0xE1 << 120 if t & 1 else 0)).to_bytes(16, "big")


def xts_next_ieee(tweak):
    """Times x, bits counted from the least significant one of the first byte."""
    t = int.from_bytes(tweak, "little") << 1
    return (t ^ (1 << 128 | 0x87) if t >> 128 else t).to_bytes(16, "little")


def xts(key, tweak, plain, step):
    rk, t = sm4_round_keys(key[:16]), sm4_encrypt(key[16:], tweak)
    blocks, size = [], len(plain) // 16 * 16
    for i in range(0, size, 16):
        blocks.append(xor(sm4_crypt(rk, xor(plain[i:i + 16], t)), t))
        t = step(t)
    tail = plain[size:]
    if tail:
        stolen = blocks.pop()
        last = xor(sm4_crypt(rk, xor(tail + stolen[len(tail):], t)), t)
        blocks += [last, stolen[:len(tail)]]
    return b"".join(blocks)


def ccm(key, nonce, aad, plain, tag_len=16):
    rk, q = sm4_round_keys(key), 15 - len(nonce)
    flags = (64 if aad else 0) + 8 * ((tag_len - 2) // 2) + q - 1
    data = bytes([flags]) + nonce + len(plain).to_bytes(q, "big")
    if aad:
        size = len(aad)
        data += size.to_bytes(2, "big") if size < 0xFF00 else b"\xff\xfe" + size.to_bytes(4, "big")
        data += aad
        data += bytes(-len(data) % 16)
    data += plain + bytes(-len(plain) % 16)
    mac = bytes(16)
    for i in range(0, len(data), 16):
        mac = sm4_crypt(rk, xor(data[i:i + 16], mac))
    stream = ctr(key, bytes([q - 1]) + nonce + bytes(q), bytes(16) + plain)
    return stream[16:], xor(mac, stream[:16])[:tag_len]


def cmac(key, message):
    def double(block):
        t = int.from_bytes(block, "big") << 1
        return (t ^ (1 << 128 | 0x87) if t >> 128 else t).to_bytes(16, "big")

    rk = sm4_round_keys(key)
    k1 = double(sm4_crypt(rk, bytes(16)))
    whole = max(0, (len(message) - 1) // 16 * 16)
    last = message[whole:]
    last = xor(last, k1) if len(last) == 16 else xor(last + b"\x80" + bytes(15 - len(last)), double(k1))
    mac = bytes(16)
    for block in [message[i:i + 16] for i in range(0, whole, 16)] + [last]:
        mac = sm4_crypt(rk, xor(block, mac))
    return mac


def polyval(h, data):
    """POLYVAL by GHASH, RFC 8452, appendix A."""
    t = int.from_bytes(h[::-1], "big")
    times_x = ((t >> 1) ^ (0xE1 << 120 if t & 1 else 0)).to_bytes(16, "big")
    swapped = b"".join(data[i:i + 16][::-1] for i in range(0, len(data), 16))
    return ghash(times_x, swapped)[::-1]


def gcm_siv(key, nonce, aad, plain):
    """RFC 8452, 4, with SM4 for AES."""
    derived = b"".join(sm4_encrypt(key, i.to_bytes(4, "little") + nonce)[:8] for i in range(4))
    auth, enc = derived[:16], derived[16:]
    lengths = (8 * len(aad)).to_bytes(8, "little") + (8 * len(plain)).to_bytes(8, "little")
    s = polyval(auth, aad + bytes(-len(aad) % 16) + plain + bytes(-len(plain) % 16) + lengths)
    s = xor(s, nonce + bytes(4))
    tag = sm4_encrypt(enc, s[:15] + bytes([s[15] & 0x7F]))
    block, out = tag[:15] + bytes([tag[15] | 0x80]), b""
    for i in range(0, len(plain), 16):
        out += xor(plain[i:i + 16], sm4_encrypt(enc, block))
        count = (int.from_bytes(block[:4], "little") + 1) % 2**32
        block = count.to_bytes(4, "little") + block[4:]
    return out, tag


def wrap_words(key, a, words):
    """W of SP 800-38F, 6.1, which RFC 3394 describes by index."""
    rk, n = sm4_round_keys(key), len(words)
    for t in range(1, 6 * n + 1):
        b = sm4_crypt(rk, a + words[0])
        a = xor(b[:8], t.to_bytes(8, "big"))
        words = words[1:] + [b[8:]]
    return a + b"".join(words)


def wrap(kek, key):
    return wrap_words(kek, b"\xa6" * 8, [key[i:i + 8] for i in range(0, len(key), 8)])


def wrap_padded(kek, key):
    iv = b"\xa6\x59\x59\xa6" + len(key).to_bytes(4, "big")
    padded = key + bytes(-len(key) % 8)
    if len(padded) == 8:
        return sm4_encrypt(kek, iv + padded)
    return wrap_words(kek, iv, [padded[i:i + 8] for i in range(0, len(padded), 8)])


def sm4_decrypt(key, block):
    return sm4_crypt(sm4_round_keys(key)[::-1], block)


def hctr(k1, k2, tweak, plain):
    """GB/T 17964-2021, HCTR."""
    def hash_of(x):
        data = x + tweak
        return ghash(k2, data + bytes(-len(data) % 16) + (8 * len(data)).to_bytes(16, "big"))

    rk = sm4_round_keys(k1)
    z1 = xor(plain[:16], hash_of(plain[16:]))
    z2 = sm4_crypt(rk, z1)
    s, rest = int.from_bytes(xor(z1, z2), "big"), b""
    for i in range(16, len(plain), 16):
        rest += xor(plain[i:i + 16], sm4_crypt(rk, (s ^ (i // 16)).to_bytes(16, "big")))
    return xor(z2, hash_of(rest)) + rest


def bc(key, iv, plain):
    rk, f, out = sm4_round_keys(key), iv, b""
    for i in range(0, len(plain), 16):
        c = sm4_crypt(rk, xor(plain[i:i + 16], f))
        f, out = xor(f, c), out + c
    return out


def ofbnlf(key, iv, plain):
    out = b""
    for i in range(0, len(plain), 16):
        iv = sm4_encrypt(key, iv)
        out += sm4_encrypt(iv, plain[i:i + 16])
    return out


def ff1(key, radix, tweak, numerals):
    """NIST SP 800-38G revision 1, algorithm 7, with SM4."""
    def num(x):
        value = 0
        for digit in x:
            value = value * radix + digit
        return value

    n, u = len(numerals), len(numerals) // 2
    v = n - u
    a, b = numerals[:u], numerals[u:]
    size = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * ((size + 3) // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    for i in range(10):
        q = tweak + bytes((-len(tweak) - size - 1) % 16) + bytes([i]) + num(b).to_bytes(size, "big")
        r = cbc_raw(key, bytes(16), p + q)[-16:]
        s = r
        for j in range(1, (d + 15) // 16):
            s += sm4_encrypt(key, xor(r, j.to_bytes(16, "big")))
        m = u if i % 2 == 0 else v
        c = (num(a) + int.from_bytes(s[:d], "big")) % radix**m
        digits = []
        for _ in range(m):
            c, digit = divmod(c, radix)
            digits.insert(0, digit)
        a, b = b, digits
    return a + b


# ---- PRFs of TLS, with SM3 -----------------------------------------------------------------------

def tls12_prf(secret, label, seed, length):
    out, a = b"", hmac(secret, label + seed)
    while len(out) < length:
        out += hmac(secret, a + label + seed)
        a = hmac(secret, a)
    return out[:length]


def tls13_expand_label(secret, label, context, length):
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    out, block, i = b"", b"", 1
    while len(out) < length:
        block = hmac(secret, block + info + bytes([i]))
        out, i = out + block, i + 1
    return out[:length]


# ---- GM/T 0105-2021 ------------------------------------------------------------------------------

class HashDrng:
    def __init__(self, entropy, nonce, personalization=b""):
        self.seed(entropy + nonce + personalization)

    def seed(self, material):
        self.v = self.df(material)
        self.c = self.df(b"\0" + self.v)
        self.counter = 1

    @staticmethod
    def df(m):
        return b"".join(sm3(bytes([i]) + (440).to_bytes(4, "big") + m) for i in (1, 2))[:55]

    def reseed(self, entropy, additional=b""):
        self.seed(b"\1" + entropy + self.v + additional)

    def generate(self, additional, length):
        def plus(*terms):
            return (sum(int.from_bytes(t, "big") for t in terms) % 2**440).to_bytes(55, "big")

        if additional:
            self.v = plus(self.v, sm3(b"\2" + self.v + additional))
        out = sm3(self.v)[:length]
        self.v = plus(self.v, sm3(b"\3" + self.v), self.c, self.counter.to_bytes(8, "big"))
        self.counter += 1
        return out


class CtrDrng:
    def __init__(self, entropy, nonce, personalization=b""):
        self.key = self.v = bytes(16)
        self.update(self.df(entropy + nonce + personalization))

    @staticmethod
    def df(m):
        s = len(m).to_bytes(4, "big") + (32).to_bytes(4, "big") + m + b"\x80"
        s += bytes(-len(s) % 16)
        k = bytes(range(16))
        t = b"".join(cbc_raw(k, bytes(16), i.to_bytes(4, "big") + bytes(12) + s)[-16:] for i in (0, 1))
        x = sm4_encrypt(t[:16], t[16:])
        return x + sm4_encrypt(t[:16], x)

    def next(self):
        self.v = ((int.from_bytes(self.v, "big") + 1) % 2**128).to_bytes(16, "big")
        return sm4_encrypt(self.key, self.v)

    def update(self, provided):
        t = xor(self.next() + self.next(), provided)
        self.key, self.v = t[:16], t[16:]

    def reseed(self, entropy, additional=b""):
        self.update(self.df(entropy + additional))

    def generate(self, additional, length):
        provided = bytes(32)
        if additional:
            provided = self.df(additional)
            self.update(provided)
        out = self.next()[:length]
        self.update(provided)
        return out


# ---- SM2, GB/T 32918-2016 ------------------------------------------------------------------------

P = 2**256 - 2**224 - 2**96 + 2**64 - 1
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)


def on_curve(point):
    x, y = point
    return (y * y - x**3 - A * x - B) % P == 0


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0]**2 + A) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope**2 - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def multiply(k, point):
    out = None
    while k:
        out = add(out, point) if k & 1 else out
        point, k = add(point, point), k >> 1
    return out


def b32(x):
    return x.to_bytes(32, "big")


def xy(point):
    return b32(point[0]) + b32(point[1])


DEFAULT_ID = b"1234567812345678"


def z_value(public, identity):
    entl = (8 * len(identity)).to_bytes(2, "big")
    return sm3(entl + identity + b32(A) + b32(B) + xy(G) + xy(public))


def e_value(public, identity, message):
    return int.from_bytes(sm3(z_value(public, identity) + message), "big")


def sign_e(d, e, k):
    r = (e + multiply(k, G)[0]) % N
    s = pow(1 + d, -1, N) * (k - r * d) % N
    return (r, s) if r and s and (r + k) % N else None


def verify_e(public, e, r, s):
    if not (1 <= r < N and 1 <= s < N) or (r + s) % N == 0:
        return False
    point = add(multiply(s, G), multiply((r + s) % N, public))
    return point is not None and (e + point[0]) % N == r


def encrypt(public, message, k):
    """C1 as a point, C3, C2; None if another k is needed."""
    shared = multiply(k, public)
    t = kdf(xy(shared), len(message))
    if not any(t):
        return None
    c3 = sm3(b32(shared[0]) + message + b32(shared[1]))
    return multiply(k, G), c3, xor(message, t)


# ---- DER -----------------------------------------------------------------------------------------

def exchange(d_a, d_b, r_a, r_b, id_a, id_b, length):
    """Both sides of GB/T 32918.3-2016 at once: K, S_A, S_B."""
    def bar(point):
        return 2**127 + point[0] % 2**127

    p_a, p_b, big_a, big_b = (multiply(k, G) for k in (d_a, d_b, r_a, r_b))
    t_a = (d_a + bar(big_a) * r_a) % N
    u = multiply(t_a, add(p_b, multiply(bar(big_b), big_b)))
    t_b = (d_b + bar(big_b) * r_b) % N
    assert u == multiply(t_b, add(p_a, multiply(bar(big_a), big_a)))
    x, y = b32(u[0]), b32(u[1])
    z = z_value(p_a, id_a) + z_value(p_b, id_b)
    inner = sm3(x + z + xy(big_a) + xy(big_b))
    return kdf(x + y + z, length), sm3(b"\3" + y + inner), sm3(b"\2" + y + inner)


def der_length(n):
    if n < 128:
        return bytes([n])
    digits = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def tlv(tag, content):
    return bytes([tag]) + der_length(len(content)) + content


def der_integer(x):
    return tlv(2, x.to_bytes(x.bit_length() // 8 + 1, "big"))


def der_signature(r, s):
    return tlv(0x30, der_integer(r) + der_integer(s))


def der_ciphertext(c1, c3, c2):
    return tlv(0x30, der_integer(c1[0]) + der_integer(c1[1]) + tlv(4, c3) + tlv(4, c2))
