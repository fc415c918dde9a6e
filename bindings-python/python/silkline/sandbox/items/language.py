"""In which languages a page is written."""

from __future__ import annotations

import re

from silkline.sandbox.items.page import Page
from silkline.sandbox.items.structured import Graph

TAG = re.compile(r"([a-zA-Z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?:[-_.@].*)?$")
SAMPLE = 4000
# Letters that only one of the common languages uses, or nearly so.
SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("uk", re.compile("[іїєґ]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
COMMON = {
    "en": "the and of to is that it was for with you this are not have be on",
    "de": "der die das und ist nicht ein eine den von zu mit sich auf für im dem auch",
    "fr": "le la les des et est une un que pour dans qui pas sur au avec ce il elle",
    "es": "el la los las y es una que por para con del se en no lo como más su",
    "it": "il la che di e un una per non con del della sono è si le gli nel",
    "pt": "o a os as e que não uma um para com do da em no na é mais por",
    "nl": "de het een en van is dat niet op te zijn met voor die in er aan",
}
WORDS = {code: frozenset(words.split()) for code, words in COMMON.items()}


def language_tag(text: str | None) -> str | None:
    """A language as BCP 47 writes it: `en-GB` for `en_gb`."""
    match = TAG.match((text or "").strip())
    if match is None or match.group(1).lower() in ("und", "mul", "zxx"):
        return None
    code, script, region = match.groups()
    parts = (code.lower(), (script or "").title(), (region or "").upper())
    return "-".join(part for part in parts if part)


def languages(page: Page, graph: Graph) -> list[str]:
    """The languages of a page, the most prominent first; none if it does not show."""
    said = [page.tree.get("lang"), page.tree.get("xml:lang"), page.body.get("lang")]
    said += (page.meta_first("content-language") or "").split(",")
    said += [page.meta_first("og:locale"), page.meta_first("dc.language", "language")]
    for node in graph.nodes:
        if node.within is None and not node.is_a(("WebSite", "Organization")):
            said += node.texts("inLanguage")
    found: list[str] = []
    for text in said:
        tag = language_tag(text)
        if tag and not any(tag.split("-")[0] == other.split("-")[0] for other in found):
            found.append(tag)
    if not found and (guess := guessed(page)):
        found.append(guess)
    return found


def guessed(page: Page) -> str | None:
    """The language that the words of a page look like."""
    pieces: list[str] = []
    size = 0
    for element in page.body.iter("p", "h1", "h2", "h3", "li", "td", "div", "blockquote", "a"):
        text = (element.text or "").strip()
        pieces.append(text)
        size += len(text)
        if size > SAMPLE:
            break
    sample = " ".join(pieces)[:SAMPLE].lower()
    letters = sum(letter.isalpha() for letter in sample)
    for code, letter in SCRIPTS:
        if letters and len(letter.findall(sample)) > letters * (0.03 if code == "uk" else 0.15):
            return code
    words = re.findall(r"[^\W\d_]+", sample)
    counts = {code: sum(word in known for word in words) for code, known in WORDS.items()}
    best = max(counts, key=lambda code: counts[code])
    runner_up = max(count for code, count in counts.items() if code != best)
    if counts[best] >= 4 and counts[best] > 1.3 * runner_up:
        return best
    return None
