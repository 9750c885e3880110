"""Texts with personal data in them, and texts that only look so, made with Faker and python-stdnum.

Arguments: how many of the first and of the second. Lines: kind, start and end in characters, text; `-` for none.
"""
import base64
import random
import secrets
import string
import sys
import uuid

from faker import Faker
from stdnum import iban, isbn, luhn
from stdnum.cn import ric, uscc

random.seed(20261123)
chinese, english = Faker("zh_CN"), Faker("en_US")
Faker.seed(20261123)


def digits(n):
    return "".join(random.choice(string.digits) for _ in range(n))


def cn_id():
    number = chinese.ssn(min_age=1, max_age=99)
    assert number[-1] == ric.calc_check_digit(number)
    return number


def card():
    start = random.choice(["62", "622202", "4", "51", "55", "2221", "3528", "6011"])
    body = start + digits(15 - len(start))
    return body + luhn.calc_check_digit(body)


def code():
    kind = random.choice(["91", "92", "93", "51", "52", "12", "11"])
    area = random.choice(["110000", "310115", "440300", "510104", "330106"])
    body = "".join(random.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(8))
    values = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rest = 11 - sum(values.index(c) * w for c, w in zip(body, [3, 7, 9, 10, 5, 8, 4, 2])) % 11
    start = kind + area + body + {10: "X", 11: "0"}.get(rest, str(rest))
    return start + uscc.calc_check_digit(start)


def plate():
    # Faker's may have I and O behind the province, which GA 36 has not.
    while True:
        text = chinese.license_plate()
        if text[1] not in "IO":
            return text


def account():
    number = english.iban()
    assert iban.is_valid(number, check_country=False)
    return number


MAKE = {
    "cn_id": (cn_id, [""]),
    "card": (card, [""]),
    "uscc": (code, [""]),
    "iban": (account, [""]),
    "mobile": (chinese.phone_number, ["手机", "联系电话：", "phone: ", "请致电", "mobile=", "电话 "]),
    "email": (chinese.email, [""]),
    "ipv4": (english.ipv4_public, [""]),
    "ipv6": (english.ipv6, [""]),
    "mac": (english.mac_address, [""]),
    "plate": (plate, [""]),
}

BEFORE = ["", "客户", "，", "data: ", '{"value":"', "see (", "\t", "客户信息 "]
BEHIND = ["", "。", "，请核对", " and more", '"}', ")", "\n", "，谢谢"]


def plain(text):
    return text


def wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in text)


def invisible(text):
    at = random.randrange(1, len(text))
    return text[:at] + random.choice("\u200b\u2060\ufeff\u00ad\u200d") + text[at:]


def other_digits(text):
    zero = random.choice([0x660, 0x966, 0xE50, 0x1D7CE])
    return "".join(chr(zero + int(c)) if c in string.digits else c for c in text)


def grouped(text):
    joiner = random.choice([" ", "-", "\u00a0", "\u2011"])
    if len(text) == 18 and text[:17].isdigit():
        return joiner.join([text[:6], text[6:14], text[14:]])
    if len(text) == 16 and text.isdigit():
        return joiner.join(text[i : i + 4] for i in range(0, 16, 4))
    if len(text) == 11 and text.isdigit():
        return joiner.join([text[:3], text[3:7], text[7:]])
    return text


def positive():
    kind = random.choice(list(MAKE))
    make, labels = MAKE[kind]
    value = random.choice([plain, plain, wide, invisible, other_digits, grouped])(make())
    start = random.choice(BEFORE) + random.choice(labels)
    return kind, len(start), len(start) + len(value), start + value + random.choice(BEHIND)


def epoch():
    second = random.randrange(1_500_000_000, 1_999_999_999)
    return str(second) + digits(random.choice([0, 3, 6, 9]))


def dated():
    return f"20{random.randrange(10, 30)}{random.randrange(1, 13):02}{random.randrange(1, 29):02}" + digits(
        random.choice([6, 8, 10, 11])
    )


def book():
    body = "978" + digits(9)
    return body + str((10 - sum(int(c) * (1, 3)[i % 2] for i, c in enumerate(body)) % 10) % 10)


NEGATIVE = [
    epoch,
    dated,
    lambda: str(random.randrange(1 << 60, 1 << 61)),
    lambda: random.choice(["运单", "tracking ", "快递单号："]) + digits(random.randrange(10, 16)),
    lambda: isbn.format(book()).replace("-", ""),
    lambda: str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)),
    lambda: "".join(random.choice(string.digits) for _ in range(8)) + "-" + "-".join([digits(4)] * 3) + "-" + digits(12),
    lambda: "trace " + secrets.token_hex(16),
    lambda: "span=" + secrets.token_hex(8),
    lambda: secrets.token_hex(random.choice([16, 20, 32])),
    lambda: base64.b64encode(secrets.token_bytes(random.randrange(12, 60))).decode(),
    lambda: "0." + digits(11),
    lambda: f"{random.uniform(70, 140):.6f},{random.uniform(3, 53):.6f}",
    lambda: f"¥{random.randrange(10**7, 10**9)}.{digits(2)}",
    lambda: "v" + ".".join(str(random.randrange(0, 200)) for _ in range(4)),
    lambda: "Chrome/" + ".".join(str(random.randrange(0, 200)) for _ in range(4)),
    lambda: f"localhost:{random.randrange(1024, 65536)}",
    lambda: f"logo@{random.randrange(2, 4)}x.png",
    lambda: f"订单 {digits(11)} 已发货",
    lambda: digits(11),
    lambda: chinese.sentence(),
    lambda: english.sentence(),
    lambda: f"{digits(3)}****{digits(4)}",
]


def negative():
    return "-", 0, 0, random.choice(BEFORE[:6]) + random.choice(NEGATIVE)() + random.choice(BEHIND[:4])


for make, count in ((positive, int(sys.argv[1])), (negative, int(sys.argv[2]))):
    for _ in range(count):
        kind, start, end, text = make()
        text = text.replace("\n", "\u2028").replace("\t", " ")
        print(kind, start, end, text, sep="\t")
