"""Mails that nobody here can read say so, instead of passing for empty ones."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from tests.channels.conftest import PostOffice
from tests.channels.email.letters import multipart, raw_mail
from tierdesk.channels.email.message import Attachment, parse
from tierdesk.channels.email.sealed import sealed

WORDS = b"The printer burns."


@pytest.fixture(scope="module")
def identity() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ann")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    return key, made.not_valid_after(datetime(2036, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())


def mail(content: bytes, kind: str = "application/pkcs7-mime; name=smime.p7m") -> bytes:
    return raw_mail(
        base64.encodebytes(content).decode(), content_type=kind, content_transfer_encoding="base64"
    )


def test_an_encrypted_mail_says_that_it_is(identity: tuple[rsa.RSAPrivateKey, x509.Certificate]) -> None:
    made = pkcs7.PKCS7EnvelopeBuilder().set_data(WORDS).add_recipient(identity[1])
    content = made.encrypt(serialization.Encoding.DER, [])
    found = parse(mail(content))
    assert sealed(found.attachments).startswith("(What came is encrypted")
    assert "kept as smime.p7m" in sealed(found.attachments)
    assert [file.content for file in found.attachments] == [content]


def test_a_text_within_its_signature_is_not_called_encrypted(
    identity: tuple[rsa.RSAPrivateKey, x509.Certificate],
) -> None:
    made = pkcs7.PKCS7SignatureBuilder().set_data(WORDS).add_signer(identity[1], identity[0], hashes.SHA256())
    content = made.sign(serialization.Encoding.DER, [])
    assert WORDS in content
    assert sealed(parse(mail(content)).attachments).startswith("(The text lies within its signature")
    renamed = mail(content, "application/octet-stream; name=SMIME.P7M")
    assert "within its signature" in sealed(parse(renamed).attachments), "gateways forget the type"


def test_a_mail_encrypted_with_pgp_names_the_file_that_holds_it() -> None:
    found = parse(
        multipart(
            "Content-Type: application/pgp-encrypted\n\nVersion: 1",
            "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----",
        )
    )
    assert "kept as encrypted.asc" in sealed(found.attachments)


def test_other_files_hide_no_words() -> None:
    assert sealed([Attachment("a.pdf", "application/pdf", b"%PDF"), Attachment("b", "image/png", b"")]) == ""
    assert sealed([]) == ""


def test_its_ticket_says_so_in_the_place_of_words(
    at: datetime, post: PostOffice, identity: tuple[rsa.RSAPrivateKey, x509.Certificate]
) -> None:
    made = pkcs7.PKCS7EnvelopeBuilder().set_data(WORDS).add_recipient(identity[1])
    content = base64.encodebytes(made.encrypt(serialization.Encoding.DER, [])).decode()
    kind = "application/pkcs7-mime; name=smime.p7m"
    ticket = post.arrive(at, content, content_type=kind, content_transfer_encoding="base64").ticket
    assert ticket is not None
    assert ticket.messages.get().text.startswith("(What came is encrypted")
