//! RFC 6455 section 7: closing the connection.

mod common;

use common::{Heard, feed, masked, masked_close};
use spanwire_ws::close::REASON_BYTES_MAX;
use spanwire_ws::{CloseCode, CloseFrame, Connection, Ending, Limits, Opcode, PeerError, Role, State};

/// Plays `wire` to a server's connection.
fn hear(connection: &mut Connection, wire: &[u8]) -> Vec<Heard> {
    let mut heard = Vec::new();
    feed(connection, wire, &Limits::default(), &mut heard);
    heard
}

fn code(number: u16) -> CloseCode {
    CloseCode::new(number).unwrap()
}

#[test]
fn section_5_5_1_a_close_is_answered_once_with_its_own_code() {
    let mut connection = Connection::new(Role::Server);
    hear(&mut connection, &masked_close(3501, b"bad request"));
    assert_eq!(connection.state(), State::CloseReceived(Some(code(3501))));
    assert_eq!(connection.answer(), Some(CloseFrame::new(code(3501), "")));
    assert_eq!(connection.state(), State::Closed(Ending::Agreed(Some(code(3501)))));
    assert_eq!(connection.answer(), None);
}

#[test]
fn section_5_5_1_a_close_without_a_code_is_answered_without_one() {
    let mut connection = Connection::new(Role::Server);
    hear(&mut connection, &masked(Opcode::Close, b""));
    assert_eq!(connection.answer(), Some(CloseFrame::EMPTY));
    assert_eq!(connection.state(), State::Closed(Ending::Agreed(None)));
}

#[test]
fn section_1_4_what_was_on_its_way_is_heard_after_our_close_until_theirs() {
    let mut connection = Connection::new(Role::Server);
    let farewell = CloseFrame::new(CloseCode::GOING_AWAY, "deploy");
    assert_eq!(connection.close(farewell), Some(farewell));
    assert_eq!(connection.state(), State::CloseSent);
    assert!(!connection.state().may_send());
    assert_eq!(hear(&mut connection, &masked(Opcode::Text, b"wait")), [Heard::Text("wait".to_owned())]);
    hear(&mut connection, &masked_close(1001, b""));
    assert_eq!(connection.state(), State::Closed(Ending::Agreed(Some(CloseCode::GOING_AWAY))));
    assert_eq!(connection.answer(), None, "both close frames are out");
}

#[test]
fn section_5_5_1_no_second_close_is_sent() {
    let mut connection = Connection::new(Role::Server);
    assert!(connection.close(CloseFrame::EMPTY).is_some());
    assert_eq!(connection.close(CloseFrame::EMPTY), None);
    hear(&mut connection, b"\xff");
    assert_eq!(connection.state(), State::Closed(Ending::Failed(PeerError::ReservedBit)));
    assert_eq!(connection.answer(), None, "a sin after our close changes nothing for the peer");
}

#[test]
fn section_7_1_7_a_peer_who_errs_is_told_which_sin_it_was() {
    let mut connection = Connection::new(Role::Server);
    hear(&mut connection, &masked(Opcode::Text, b"\xff"));
    assert_eq!(connection.state(), State::Failed(PeerError::InvalidUtf8));
    let answer = connection.answer().unwrap();
    assert_eq!((answer.code(), answer.reason()), (Some(CloseCode::INVALID_PAYLOAD), "text is not UTF-8"));
    assert_eq!(connection.state(), State::Closed(Ending::Failed(PeerError::InvalidUtf8)));
    assert_eq!(connection.answer(), None);
}

#[test]
fn an_owner_with_a_better_word_may_answer_with_it() {
    let mut connection = Connection::new(Role::Server);
    hear(&mut connection, &masked_close(1000, b""));
    let better = CloseFrame::new(code(3000), "shutdown");
    assert_eq!(connection.close(better), Some(better));
    assert_eq!(connection.state(), State::Closed(Ending::Agreed(Some(CloseCode::NORMAL))));
    assert_eq!(connection.answer(), None);
}

#[test]
fn section_7_4_only_codes_that_may_travel_exist() {
    let travels = |number: u16| match number {
        1004..=1006 | 1015 => false, // Reserved for interfaces, section 7.4.1.
        1000..=1014 => true,         // The RFC's own, and what IANA registered since.
        3000..=4999 => true,         // Libraries and applications, section 7.4.2.
        _ => false,
    };
    for number in 0..=u16::MAX {
        assert_eq!(CloseCode::new(number).map(CloseCode::number), travels(number).then_some(number));
    }
}

#[test]
fn every_named_code_may_travel() {
    let named = [
        (CloseCode::NORMAL, 1000),
        (CloseCode::GOING_AWAY, 1001),
        (CloseCode::PROTOCOL_ERROR, 1002),
        (CloseCode::UNSUPPORTED, 1003),
        (CloseCode::INVALID_PAYLOAD, 1007),
        (CloseCode::POLICY, 1008),
        (CloseCode::TOO_BIG, 1009),
        (CloseCode::EXTENSION_MISSING, 1010),
        (CloseCode::INTERNAL_ERROR, 1011),
        (CloseCode::SERVICE_RESTART, 1012),
        (CloseCode::TRY_AGAIN_LATER, 1013),
    ];
    for (named, number) in named {
        assert_eq!(CloseCode::new(number), Some(named));
    }
}

#[test]
fn section_5_5_a_reason_is_cut_between_characters() {
    for (reason, kept) in [("é".repeat(62), 122), ("x".repeat(124), 123), ("🎈".repeat(31), 120)] {
        let frame = CloseFrame::new(CloseCode::POLICY, &reason);
        assert_eq!(frame.reason(), &reason[..kept]);
        assert!(kept <= REASON_BYTES_MAX);
        let mut wire = Vec::new();
        frame.encode_into(&mut wire, Some(common::KEY));
        let heard = hear(&mut Connection::new(Role::Server), &wire);
        assert_eq!(heard, [Heard::Close(Some(1008), reason[..kept].to_owned())]);
    }
}

#[test]
fn every_sin_has_a_code_and_a_reason_that_fit_a_close_frame() {
    use PeerError::*;
    let sins = [
        (ReservedBit, 1002),
        (UnknownOpcode(3), 1002),
        (ControlFragmented, 1002),
        (ControlTooLong, 1002),
        (LengthNotMinimal, 1002),
        (LengthOutOfRange, 1002),
        (MaskMissing, 1002),
        (MaskForbidden, 1002),
        (ContinuationOfNothing, 1002),
        (MessageInterrupted, 1002),
        (FrameTooLong(1), 1009),
        (MessageTooLong(1), 1009),
        (TooManyFragments, 1009),
        (InvalidUtf8, 1007),
        (CloseCodeCut, 1002),
        (CloseCodeIllegal(1005), 1002),
        (CloseReasonInvalidUtf8, 1007),
    ];
    for (sin, code) in sins {
        assert_eq!(sin.close_code().number(), code, "{sin:?}");
        let told = CloseFrame::new(sin.close_code(), sin.reason());
        assert_eq!(told.reason(), sin.reason(), "{sin:?} is told whole");
        assert!(sin.to_string().starts_with(sin.reason()));
    }
}
