"""The protocol of `src/peer.rs` for peers in Python: a request per line, its words in hexadecimal
("-" for nothing); the answer is "ok" with the results, "refused", or "unsupported" with the reason.
"""

import sys


class Unsupported(Exception):
    """The peer cannot do this; the text says why."""


class Refused(Exception):
    """The peer says no: a tag, a signature or a ciphertext does not fit."""


def unhex(word):
    return b"" if word == "-" else bytes.fromhex(word)


def serve(functions, reasons=None):
    """Answers until there are no more requests. `functions` maps the first word, or the first two
    joined by a blank, to a function of the other words; `reasons` says why something is missing."""
    for line in sys.stdin:
        words = line.split()
        pair = " ".join(words[:2])
        function, rest = (functions.get(pair), words[2:]) if pair in functions else (functions.get(words[0]), words[1:])
        try:
            if function is None:
                reasons = reasons or {}
                raise Unsupported(reasons.get(pair) or reasons.get(words[0]) or "the library has no such function")
            results = function(*rest)
            results = results if isinstance(results, tuple) else (results,)
            print("ok", *(r.hex() or "-" for r in results), flush=True)
        except Unsupported as reason:
            print("unsupported", reason, flush=True)
        except Refused:
            print("refused", flush=True)
