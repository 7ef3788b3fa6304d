"""Every declared type with values made from its own declaration, and with any octets at all."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols import ber
from protocols.asn1 import Type
from protocols.csta import causes, events, operations, user_information
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

# A tag that no declared type uses, so that the element must survive as unknown.
UNKNOWN = st.builds(ber.tlv, st.sampled_from([0xBF7F, 0x9F7E, 0xDF7D]), st.binary(max_size=5))

PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "BOOLEAN": st.booleans(),
    "INTEGER": st.integers(-(2**63), 2**63),
    "NULL": st.none(),
    "OCTET STRING": st.binary(max_size=6),
    "BIT STRING": st.text(alphabet="01", max_size=20),
    "IA5String": st.text(alphabet=st.characters(max_codepoint=255), max_size=6),
    "GeneralizedTime": st.just("20261123120000"),
    "OBJECT IDENTIFIER": st.sampled_from(["1.3.12.0.218", "2.999.1"]),
}


@functools.cache
def values(type_: Type) -> st.SearchStrategy[Any]:
    """Values of a type, unknown parts included."""
    if type_.kind in PLAIN:
        return PLAIN[type_.kind]
    if type_.kind == "ENUMERATED":
        return st.one_of(st.sampled_from(sorted(type_.names.values())), st.integers(1000, 70000))
    if type_.kind == "EXPLICIT" and type_.inner is not None:
        return values(type_.inner)
    if type_.kind == "SEQUENCE OF" and type_.inner is not None:
        return st.lists(values(type_.inner), max_size=2)
    if type_.kind == "ANY":
        tags = sorted(type_.accepts) or [0x04, 0x30]
        return st.builds(ber.tlv, st.sampled_from(tags), st.binary(max_size=6))
    if type_.kind == "CHOICE":
        named = [st.tuples(st.just(part.name), values(part.type)) for part in type_.parts]
        return st.one_of(*named, st.tuples(st.just("_unknown"), UNKNOWN))
    assert type_.kind == "SEQUENCE"
    mandatory = {part.name: values(part.type) for part in type_.parts if not part.optional}
    optional = {part.name: values(part.type) for part in type_.parts if part.optional}
    optional["_unknown"] = st.lists(UNKNOWN, min_size=1, max_size=2)
    return st.fixed_dictionaries(mandatory, optional=optional)


def unknown_in_untagged_choice(type_: Type, value: Any) -> bool:
    """Whether a value puts an unknown alternative where only a known one can be told from an unknown element.

    An untagged CHOICE that is optional, or an element of a CHOICE, shows no tag of its own; its unknown alternative is
    read as an unknown element of what is around it. That is right; only the comparison below cannot be made.
    """
    if type_.kind == "EXPLICIT" and type_.inner is not None:
        return unknown_in_untagged_choice(type_.inner, value)
    if type_.kind == "SEQUENCE OF" and type_.inner is not None:
        return any(unknown_in_untagged_choice(type_.inner, each) for each in value)
    if type_.kind == "CHOICE" and value[0] != "_unknown":
        inner = next(part.type for part in type_.parts if part.name == value[0])
        nested = inner.kind == "CHOICE" and value[1][0] == "_unknown"
        return nested or unknown_in_untagged_choice(inner, value[1])
    if type_.kind == "SEQUENCE":
        for part in type_.parts:
            if part.name in value:
                hidden = part.optional and part.type.kind == "CHOICE" and value[part.name][0] == "_unknown"
                if hidden or unknown_in_untagged_choice(part.type, value[part.name]):
                    return True
    return False


DECLARED = {f"{each.name} argument": each.argument for each in operations.DECLARED}
DECLARED |= {f"{each.name} result": each.result for each in operations.DECLARED}
DECLARED["universalFailure"] = causes.UniversalFailure
for group in events.EventSpecificInfo.parts:
    assert group.type.inner is not None
    bodies = [part for part in group.type.inner.parts if part.type.kind == "SEQUENCE"]
    DECLARED |= {f"{group.name} {part.name}": part.type for part in bodies}
# Many operations share a result that says nothing; one of them is enough.
DECLARED = {name: type_ for name, type_ in DECLARED.items() if type_ is not operations.NoData}
DECLARED["noData"] = operations.NoData
DECLARED["userInformation"] = user_information.ACSEUserInformationForCSTA


@pytest.mark.parametrize("name", DECLARED)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_value_survives(name: str, data: st.DataObject) -> None:
    type_ = DECLARED[name]
    value = data.draw(values(type_))
    octets = type_.encode(value)
    decoded = type_.decode_all(octets)
    if not unknown_in_untagged_choice(type_, value):
        assert decoded == value
    assert type_.encode(decoded) == octets


@pytest.mark.parametrize("name", DECLARED)
@settings(max_examples=25, deadline=None)
@given(octets=st.binary(max_size=60), data=st.data())
def test_any_octets_are_a_value_or_short_or_malformed(name: str, octets: bytes, data: st.DataObject) -> None:
    type_ = DECLARED[name]
    first = data.draw(st.sampled_from(sorted(type_.accepts) or [0x04]))
    for attempt in (octets, ber.tlv(first, octets)):
        try:
            value, _ = type_.decode(attempt)
        except (NeedMoreData, RemoteProtocolError):
            continue
        assert type_.decode_all(type_.encode(value)) == value


@pytest.mark.parametrize("name", DECLARED)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_flipped_octet_never_breaks_more_than_the_value(name: str, data: st.DataObject) -> None:
    type_ = DECLARED[name]
    octets = bytearray(type_.encode(data.draw(values(type_))))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        value, _ = type_.decode(bytes(octets))
    except (NeedMoreData, RemoteProtocolError):
        return
    assert type_.decode_all(type_.encode(value)) == value


def simple(type_: Type) -> Any:
    """One value of a type, with no more in it than must be."""
    if type_.kind == "ENUMERATED":
        return min(type_.names.items())[1]
    if type_.kind == "EXPLICIT" and type_.inner is not None:
        return simple(type_.inner)
    if type_.kind == "CHOICE":
        return type_.parts[0].name, simple(type_.parts[0].type)
    if type_.kind == "SEQUENCE":
        return {part.name: simple(part.type) for part in type_.parts if not part.optional}
    if type_.kind == "ANY":
        return ber.tlv(min(type_.accepts or {4}), b"")
    plain: dict[str, Any] = {
        "BOOLEAN": True,
        "INTEGER": 5,
        "NULL": None,
        "OCTET STRING": b"\x01",
        "BIT STRING": "1",
        "SEQUENCE OF": [],
        "IA5String": "1",
        "GeneralizedTime": "20261123120000",
    }
    return plain[type_.kind]


SEQUENCES = {name: type_ for name, type_ in DECLARED.items() if type_.kind == "SEQUENCE"}


@pytest.mark.parametrize("name", SEQUENCES)
def test_every_field_alone_and_all_together(name: str) -> None:
    type_ = SEQUENCES[name]
    least = simple(type_)
    whole = {part.name: simple(part.type) for part in type_.parts}
    for value in (least, whole, *(least | {part.name: simple(part.type)} for part in type_.parts)):
        assert type_.decode_all(type_.encode(value)) == value


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_missing_mandatory_field_is_named(name: str) -> None:
    type_ = SEQUENCES[name]
    least = simple(type_)
    for part in type_.parts:
        if part.optional:
            continue
        short = {field: value for field, value in least.items() if field != part.name}
        with pytest.raises(LocalProtocolError, match=f"{part.name} is missing"):
            type_.encode(short)
        octets = b"".join(each.type.encode(short[each.name]) for each in type_.parts if each.name in short)
        assert type_.identifier is not None
        with pytest.raises(RemoteProtocolError, match="is missing before octet"):
            type_.decode_all(ber.tlv(type_.identifier, octets))


@pytest.mark.parametrize("name", SEQUENCES)
def test_unknown_elements_at_the_end_are_kept(name: str) -> None:
    """What a later edition, or newer firmware, appends: a tag nobody knows, and one that has had its turn."""
    type_ = SEQUENCES[name]
    value = {part.name: simple(part.type) for part in type_.parts}
    appended = [bytes.fromhex("BF7F03020107"), bytes.fromhex("DF7D00")]
    assert type_.identifier is not None
    _, first, last, _ = ber.element(plain := type_.encode(value), 0, len(plain))
    octets = ber.tlv(type_.identifier, plain[first:last] + b"".join(appended))
    assert type_.decode_all(octets) == value | {"_unknown": appended}
    assert type_.encode(type_.decode_all(octets)) == octets


@pytest.mark.parametrize("name", SEQUENCES)
def test_unknown_numbers_are_kept(name: str) -> None:
    type_ = SEQUENCES[name]
    for part in type_.parts:
        inner = part.type.inner if part.type.kind == "EXPLICIT" else part.type
        if inner is not None and inner.kind == "ENUMERATED":
            value = simple(type_) | {part.name: 12345}
            assert type_.decode_all(type_.encode(value)) == value
