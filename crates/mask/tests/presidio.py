"""What Presidio finds of the same corpus: its recognizers that need no model, on a blank tokenizer.

Lines of the corpus come from standard input. The kinds are those that both have.
"""

import logging
import sys
import time

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer import predefined_recognizers as recognizers
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

KINDS = {
    "card": "CREDIT_CARD",
    "email": "EMAIL_ADDRESS",
    "iban": "IBAN_CODE",
    "ipv4": "IP_ADDRESS",
    "ipv6": "IP_ADDRESS",
    "mobile": "PHONE_NUMBER",
}


class Blank(NlpEngine):
    """Words, and nothing about them."""

    def __init__(self):
        self.words = spacy.blank("en")

    def load(self):
        pass

    def is_loaded(self):
        return True

    def process_text(self, text, language):
        doc = self.words(text)
        return NlpArtifacts(
            entities=[], tokens=doc, tokens_indices=[token.idx for token in doc],
            lemmas=[token.text for token in doc], nlp_engine=self, language=language,
        )

    def process_batch(self, texts, language, **_):
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word, language):
        return False

    def is_punct(self, word, language):
        return False

    def get_supported_entities(self):
        return []

    def get_supported_languages(self):
        return ["en"]


# It asks the network for newer names of top-level domains, and has its own list where there is none.
logging.getLogger("tldextract").setLevel(logging.CRITICAL)
registry = RecognizerRegistry()
for name in ["CreditCard", "Email", "Iban", "Ip", "UsSsn", "Url"]:
    registry.add_recognizer(getattr(recognizers, f"{name}Recognizer")())
registry.add_recognizer(recognizers.PhoneRecognizer(supported_regions=("CN", "US", "GB")))
engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
engine.analyze("13800138000", language="en")

there, found, empty, false_hits, length, seconds = {}, {}, 0, 0, 0, 0.0
for line in sys.stdin:
    kind, start, end, text = line.rstrip("\n").split("\t", 3)
    started = time.perf_counter()
    hits = engine.analyze(text, language="en")
    seconds += time.perf_counter() - started
    length += len(text.encode())
    if kind == "-":
        empty += 1
        false_hits += any(hit.score >= 0.5 for hit in hits)
    elif kind in KINDS:
        there[kind] = there.get(kind, 0) + 1
        found[kind] = found.get(kind, 0) + any(
            hit.entity_type == KINDS[kind] and hit.start <= int(start) + 6 and hit.end >= int(end)
            for hit in hits
        )
print(f"{'kind':<12} {'there':>8} {'found':>8}")
for kind in sorted(there):
    print(f"{kind:<12} {there[kind]:>8} {found[kind]:>8}")
print(f"{false_hits} texts with false hits of {empty} with nothing in them")
print(f"{length / seconds / 1e6:.3f} MB/s")
