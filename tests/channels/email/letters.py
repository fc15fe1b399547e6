"""Raw mails for tests: short to write, exact in their bytes."""

from __future__ import annotations

SUPPORT = "support@desk.example"


def raw_mail(
    body: str | bytes = "The printer is on fire.", *, crlf: bool = True, **headers: str | None
) -> bytes:
    """A mail from a1@acme.example to the desk. `in_reply_to="…"` sets In-Reply-To; None leaves one out."""
    fields: dict[str, str | None] = {
        "From": "Anna Arens <a1@acme.example>",
        "To": SUPPORT,
        "Subject": "Printer",
        "Message-Id": "<m1@acme.example>",
        "Date": "Mon, 08 Jun 2026 10:00:00 +0200",
    }
    fields |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in fields.items() if value is not None)
    words = body.encode() if isinstance(body, str) else body
    raw = head.encode("utf-8", "surrogateescape") + b"\n" + words
    return raw.replace(b"\n", b"\r\n") if crlf else raw


def multipart(*parts: str, kind: str = "mixed", **headers: str | None) -> bytes:
    """A mail of several parts; each part is its headers, an empty line, and its content."""
    content_type = f'multipart/{kind}; boundary="=_b"'
    body = "".join(f"--=_b\n{part}\n" for part in parts) + "--=_b--\n"
    return raw_mail(body, mime_version="1.0", content_type=content_type, **headers)
