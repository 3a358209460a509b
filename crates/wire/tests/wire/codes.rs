//! The numbers by which the protocol says why.

use std::time::Duration;

use spanwire_wire::code::{InvalidDisconnect, UnknownCode, reconnects, resubscribes, told_to_retry_in};
use spanwire_wire::message::{Disconnect, Error, Unsubscribe};
use spanwire_wire::{DisconnectCode, DisconnectReason, ErrorCode, UnsubscribeCode};

#[test]
fn errors_have_the_numbers_and_sentences_that_sdks_know() {
    let table = [
        (100, "internal server error", true),
        (101, "unauthorized", false),
        (102, "unknown channel", false),
        (103, "permission denied", false),
        (104, "method not found", false),
        (105, "already subscribed", false),
        (106, "limit exceeded", false),
        (107, "bad request", false),
        (108, "not available", false),
        (109, "token expired", false),
        (110, "expired", false),
        (111, "too many requests", true),
        (112, "unrecoverable position", false),
        (113, "concurrent pagination", true),
    ];
    for (code, message, temporary) in table {
        let known = ErrorCode::try_from(code).expect("it is in the table");
        assert_eq!(Error::from(known), Error { code, message: message.into(), temporary, sw_retry_after: 0 });
    }
    assert_eq!(ErrorCode::ALL.len(), table.len());
    assert_eq!(ErrorCode::try_from(114), Err(UnknownCode(114)));
}

#[test]
fn disconnects_have_the_numbers_and_sentences_that_sdks_know() {
    let table = [
        (3000, "connection closed", true),
        (3001, "shutdown", true),
        (3004, "internal server error", true),
        (3005, "connection expired", true),
        (3006, "subscription expired", true),
        (3008, "slow", true),
        (3009, "write error", true),
        (3010, "insufficient state", true),
        (3011, "force reconnect", true),
        (3012, "no pong", true),
        (3013, "too many requests", true),
        (3014, "state invalidated", true),
        (3500, "invalid token", false),
        (3501, "bad request", false),
        (3502, "stale", false),
        (3503, "force disconnect", false),
        (3504, "connection limit", false),
        (3505, "channel limit", false),
        (3506, "inappropriate protocol", false),
        (3507, "permission denied", false),
        (3508, "not available", false),
        (3509, "too many errors", false),
    ];
    for (code, reason, reconnect) in table {
        let known = DisconnectCode::try_from(code).expect("it is in the table");
        assert_eq!((known.code(), known.reason(), known.reconnect()), (code, reason, reconnect));
        let push = Disconnect { code, reason: reason.into(), reconnect: false };
        assert_eq!(Disconnect::from(&DisconnectReason::from(known)), push);
    }
    assert_eq!(DisconnectCode::ALL.len(), table.len());
    assert_eq!(DisconnectCode::try_from(3002), Err(UnknownCode(3002)));
}

#[test]
fn unsubscribes_have_the_numbers_and_sentences_that_sdks_know() {
    let table = [
        (0, "client unsubscribed", false),
        (1, "client disconnected", false),
        (2000, "server unsubscribe", false),
        (2500, "insufficient state", true),
        (2501, "subscription expired", true),
        (2502, "state invalidated", true),
    ];
    for (code, reason, resubscribe) in table {
        let known = UnsubscribeCode::try_from(code).expect("it is in the table");
        assert_eq!(known.resubscribe(), resubscribe);
        assert_eq!(Unsubscribe::from(known), Unsubscribe { code, reason: reason.into() });
    }
    assert_eq!(UnsubscribeCode::ALL.len(), table.len());
    assert_eq!(UnsubscribeCode::try_from(2), Err(UnknownCode(2)));
}

#[test]
fn the_sentence_of_a_shutdown_says_when_to_come_back() {
    let wait = Duration::from_millis(1234);
    let told = DisconnectReason::shutdown(wait);
    assert_eq!((told.code(), told.text()), (3001, "shutdown, retry in 1234 ms"));
    let most = DisconnectReason::shutdown(Duration::from_millis(u64::MAX));
    assert!(most.text().len() <= DisconnectReason::TEXT_BYTES_MAX);
    for (reason, expected) in [
        (told.text(), Some(wait)),
        ("maintenance; retry in 60000 ms, please", Some(Duration::from_secs(60))),
        ("shutdown", None),
        ("retry in 5 minutes", None),
        ("retry in soon ms", None),
        ("retry in -1 ms", None),
        ("retry in 99999999999999999999 ms", None),
    ] {
        assert_eq!(told_to_retry_in(reason), expected, "{reason}");
    }
}

#[test]
fn the_range_of_a_code_says_whether_to_come_back() {
    for code in [0, 1000, 1009, 2999, 3000, 3499, 4000, 4499, 5000, u32::MAX] {
        assert!(reconnects(code), "{code}");
    }
    for code in [3500, 3999, 4500, 4999] {
        assert!(!reconnects(code), "{code}");
    }
    assert!([2500, 2600, 2999].into_iter().all(resubscribes));
    assert!(![0, 2000, 2100, 2499].into_iter().any(resubscribes));
}

#[test]
fn a_reason_of_the_application_fits_in_a_close_frame_and_is_not_json() {
    let long = "x".repeat(123);
    let reason = DisconnectReason::new(4500, long.clone()).expect("123 bytes fit");
    assert_eq!((reason.code(), reason.text(), reason.reconnect()), (4500, long.as_str(), false));
    assert!(DisconnectReason::new(4000, "").expect("no text is fine").reconnect());

    let refused = [
        (2999, "early".to_owned(), InvalidDisconnect::Code(2999)),
        (5000, "late".to_owned(), InvalidDisconnect::Code(5000)),
        (4000, "x".repeat(124), InvalidDisconnect::TextTooLong(124)),
        (4000, "é".repeat(62), InvalidDisconnect::TextTooLong(124)),
        (4000, "42".to_owned(), InvalidDisconnect::TextIsJson),
        (4000, r#""bye""#.to_owned(), InvalidDisconnect::TextIsJson),
        (4000, r#"{"reason":"bye"}"#.to_owned(), InvalidDisconnect::TextIsJson),
    ];
    for (code, text, why) in refused {
        assert_eq!(DisconnectReason::new(code, text), Err(why));
    }
    for code in DisconnectCode::ALL {
        DisconnectReason::new(code.code(), code.reason()).expect("our own reasons keep the rule");
    }
}
