"""Notifications as agents send them."""

from __future__ import annotations

from typing import Any

from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v1, v2c

LINK = "1.3.6.1.6.3.1.1.5"


def trap(oid: str, *objects: tuple[str, Any], community: str = "public", inform: bool = False) -> bytes:
    """A notification of version 2c with these objects; a text or a number each."""
    pdu = v2c.InformRequestPDU() if inform else v2c.SNMPv2TrapPDU()
    v2c.apiTrapPDU.set_defaults(pdu)
    said = [
        ("1.3.6.1.2.1.1.3.0", v2c.TimeTicks(12345)),
        ("1.3.6.1.6.3.1.1.4.1.0", v2c.ObjectIdentifier(oid)),
        *((name, value if hasattr(value, "asOctets") else _value(value)) for name, value in objects),
    ]
    v2c.apiTrapPDU.set_varbinds(pdu, [(v2c.ObjectIdentifier(name), value) for name, value in said])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def old_trap(generic: int, *, specific: int = 0, agent: str = "10.0.0.7") -> bytes:
    """A trap of version 1, of the enterprise 1.3.6.1.4.1.9."""
    pdu = v1.TrapPDU()
    v1.apiTrapPDU.set_defaults(pdu)
    v1.apiTrapPDU.set_generic_trap(pdu, generic)
    v1.apiTrapPDU.set_specific_trap(pdu, specific)
    v1.apiTrapPDU.set_enterprise(pdu, "1.3.6.1.4.1.9")
    v1.apiTrapPDU.set_agent_address(pdu, agent)
    message = v1.Message()
    v1.apiMessage.set_defaults(message)
    v1.apiMessage.set_community(message, "public")
    v1.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def link(state: str, index: int, **more: Any) -> bytes:
    objects = (
        (f"1.3.6.1.2.1.2.2.1.1.{index}", index),
        (f"1.3.6.1.2.1.2.2.1.2.{index}", f"Gi0/{index}"),
        (f"1.3.6.1.2.1.2.2.1.8.{index}", 1 if state == "up" else 2),
    )
    return trap(f"{LINK}.{4 if state == 'up' else 3}", *objects, **more)


def _value(value: int | str | bytes) -> Any:
    return v2c.Integer(value) if isinstance(value, int) else v2c.OctetString(value)
