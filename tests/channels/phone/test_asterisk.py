"""What Asterisk says, message by message, as a call of ours. The messages are cut to what is read of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tierdesk.channels.phone.asterisk import Interpreter, Message
from tierdesk.channels.phone.progress import CallEvent, Happening

CALL = "1764066000.7"
CALLER = {"uniqueid": CALL, "linkedid": CALL, "context": "from-trunk", "channel": "PJSIP/trunk-00000007"}
NEW = {"event": "Newchannel", "calleridnum": "+49301234501", "exten": "4930999", **CALLER}
RINGS = {"event": "DialBegin", "linkedid": CALL, "dialstring": "42", "destchannel": "PJSIP/42-00000008"}
TAKEN = {"event": "DialEnd", "dialstatus": "ANSWER", "linkedid": CALL, "destchannel": RINGS["destchannel"]}
GONE = {"event": "Hangup", "cause": "16", "cause-txt": "Normal Clearing", **CALLER}


def told(messages: Iterable[Message], going: Mapping[str, bool] | None = None) -> list[CallEvent]:
    interpreter = Interpreter(["from-trunk"], going)
    return [event for message in messages for event in interpreter.events(message)]


def test_a_call_from_outside_rings_is_taken_and_ends() -> None:
    events = told([NEW, RINGS, TAKEN, GONE])
    assert [event.what for event in events] == [
        Happening.RINGS,
        Happening.RINGS,
        Happening.ANSWERED,
        Happening.ENDED,
    ]
    assert {(event.call_id, event.incoming) for event in events} == {(CALL, True)}
    assert (events[0].number, events[0].our_number) == ("+49301234501", "4930999")
    assert (events[1].agents, events[2].agents) == (("42", "42"), ("", "42"))


def test_a_number_may_come_after_the_call_began() -> None:
    events = told([NEW | {"calleridnum": "<unknown>"}, NEW | {"event": "NewCallerid"}])
    assert [event.number for event in events] == ["<unknown>", "+49301234501"]


def test_the_extension_of_a_local_channel_is_read_past_its_options() -> None:
    local = {"dialstring": "42@phones/n", "destchannel": "Local/42@phones-00000001;1"}
    assert told([NEW, RINGS | local])[-1].agents == ("42", "42")


def test_a_call_that_asterisk_was_asked_to_make_does_not_answer_itself() -> None:
    itself = {"event": "DialEnd", "dialstatus": "ANSWER", "destuniqueid": CALL, "destlinkedid": CALL}
    assert [event.what for event in told([NEW, itself])] == [Happening.RINGS]


def test_normal_clearing_alone_does_not_mean_that_anybody_answered() -> None:
    """Asterisk gives cause 16 for a caller who gave up as well."""
    assert told([NEW, RINGS, GONE])[-1].cause == "Normal Clearing"


def test_a_telephone_that_is_not_taken_ends_nothing() -> None:
    others = [RINGS | {"event": "DialEnd", "dialstatus": status} for status in ("NOANSWER", "BUSY", "CANCEL")]
    leg = GONE | {"uniqueid": "1764066000.8"}
    assert [event.what for event in told([NEW, *others, leg])] == [Happening.RINGS]


def test_a_call_of_ours_is_outgoing_and_names_who_makes_it() -> None:
    mine = NEW | {"context": "from-internal", "channel": "PJSIP/42-00000001", "calleridnum": "42"}
    events = told([mine | {"exten": "030123450"}, RINGS, TAKEN, GONE])
    assert [(event.what, event.incoming) for event in events] == [
        (Happening.RINGS, False),
        (Happening.ANSWERED, False),
        (Happening.ENDED, False),
    ]
    assert (events[0].number, events[0].agents) == ("030123450", ("42", "42"))


def test_a_call_from_desk_to_desk_is_none_of_ours() -> None:
    assert told([NEW | {"context": "from-internal", "exten": "43"}, RINGS, TAKEN, GONE]) == []


def test_what_happened_while_the_line_was_down_is_made_up_for() -> None:
    shown = NEW | {"event": "CoreShowChannel", "context": "macro-dial"}
    going = {CALL: True, "1764065000.1": True}
    [ended] = told([shown, {"event": "CoreShowChannelsComplete"}], going)
    assert (ended.call_id, ended.what) == ("1764065000.1", Happening.ENDED)
    [begun] = told([NEW | {"event": "CoreShowChannel"}, {"event": "CoreShowChannelsComplete"}])
    assert (begun.call_id, begun.what) == (CALL, Happening.RINGS)


def test_other_messages_say_nothing() -> None:
    assert told([{}, {"response": "Success"}, {"event": "FullyBooted"}, {"event": "Hangup"}]) == []
