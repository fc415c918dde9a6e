"""How values are written on the command line."""

from __future__ import annotations

import argparse
import math
import ssl
from pathlib import Path
from urllib.parse import urlsplit


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value


def number(text: str) -> float:
    """A number from 0 on."""
    try:
        return _number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on") from None


def seconds(text: str) -> float:
    """A number of seconds from 0 on."""
    try:
        return _number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None


def rate(text: str) -> float:
    """A rate, 0 standing for no limit."""
    try:
        return _number(text) or math.inf
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of queries") from None


def count(text: str) -> int:
    """A number from 1 on."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return value


def from_zero(text: str) -> int:
    """A number from 0 on."""
    return 0 if text == "0" else count(text)


def port(text: str) -> int:
    """A port, 0 standing for any free one."""
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 for any free one)")
    return value


def seed(text: str) -> int:
    """A seed of 64 bits."""
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value < 2**64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed (a number below 2**64)")
    return value


def key(text: str) -> str:
    """An API key."""
    if not text:
        raise argparse.ArgumentTypeError("a key cannot be empty")
    return text


def domain_seconds(text: str) -> tuple[str, float]:
    """A domain and a number of seconds."""
    domain, mark, value = text.rpartition("=")
    if not domain or not mark:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form DOMAIN=SECONDS")
    return domain, seconds(value)


def zyte_api_url(text: str) -> str:
    """Zyte API's address: that of the call itself, or what its own client takes (``…/v1/``)."""
    path = urlsplit(text).path.rstrip("/")
    if path in ("", "/v1") and "://" in text and not urlsplit(text).query:
        host = text.partition("#")[0].rstrip("/").removesuffix("/v1")
        return f"{host}/v1/extract"
    return text


def authority(text: str) -> Path:
    """A file with a certificate authority."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=text)
    except ssl.SSLError:
        raise argparse.ArgumentTypeError(f"{text!r} holds no certificate (PEM)") from None
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error.strerror}") from None
    return Path(text)


def why(error: OSError) -> str:
    """What went wrong with which file."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{str(error.filename)!r}: {error.strerror}"
