use std::time::Duration;

use spanwire_client_core::{
    Config, ConnectionId, Credentials, Event, Input, TokenFailure, TokenFor, Transport,
};

use crate::support::Stage;

#[test]
fn a_client_introduces_itself_and_says_what_it_wants_in_one_breath() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    stage.subscribe("x");
    let said = stage.open();
    assert_eq!(said.len(), 2);
    assert!(
        said[0].starts_with(r#"{"id":1,"connect":{"#) && said[0].contains(r#""headers":{"spanwire":"1"}"#),
        "{said:?}"
    );
    assert!(said[1].starts_with(r#"{"id":2,"subscribe":{"channel":"x""#), "{said:?}");
    stage.end();
}

#[test]
fn a_code_decides_whether_a_client_comes_back() {
    let table = [
        (1000, true),
        (1006, true),
        (1009, true),
        (3000, true),
        (3001, true),
        (3008, true),
        (3499, true),
        (3500, false),
        (3503, false),
        (3999, false),
        (4000, true),
        (4499, true),
        (4500, false),
        (4999, false),
        (5000, true),
    ];
    for (code, returns) in table {
        let mut stage = Stage::connected();
        stage.cut(code);
        let retries = if returns { ", retries" } else { "" };
        assert_eq!(stage.story(), [format!("disconnected {code}{retries}")]);
        stage.pass(20_000);
        assert_eq!(stage.has_connection(), returns, "{code}");
    }
}

#[test]
fn a_ping_is_answered_and_silence_ends_the_connection() {
    let mut stage = Stage::connected();
    stage.pass(24_000);
    stage.say("{}");
    assert_eq!(stage.sent(), ["{}"]);
    stage.pass(34_999);
    assert!(stage.told().is_empty());
    stage.pass(1);
    assert_eq!(stage.story(), ["disconnected 11, retries"]);
    stage.end();
}

#[test]
fn a_server_that_ends_may_say_when_to_come_back() {
    for (told, comes) in [(2500, 2500), (600_000, 120_000)] {
        let mut stage = Stage::connected();
        let connection = spanwire_client_core::ConnectionId(1);
        let reason = format!("shutdown, retry in {told} ms");
        stage.handle(Input::Lost { connection, code: 3001, reason });
        stage.handle(Input::Wake);
        stage.pass(comes - 1);
        assert!(!stage.has_connection(), "not before {comes} ms, whatever the network does");
        stage.pass(1);
        assert!(stage.has_connection(), "at {comes} ms");
        stage.open();
        stage.welcome();
        stage.end();
    }
}

#[test]
fn a_server_without_time_says_to_all_the_same_and_so_chance_is_added() {
    for (seconds, least, most) in [(5, 5_000, 5_300), (0, 1, 300), (600, 120_001, 120_300)] {
        let transports = vec![Transport::WebSocket, Transport::HttpStream];
        let mut stage = Stage::with(Config { transports, ..Config::default() });
        stage.handle(Input::Connect);
        stage.turn_away(503, Duration::from_secs(seconds));
        assert_eq!(stage.story(), ["disconnected 503, retries"], "no other transport is tried instead");
        stage.pass(least - 1);
        assert!(!stage.has_connection(), "not before {least} ms");
        stage.pass(most - least + 1);
        assert!(stage.has_connection(), "by {most} ms");
        stage.open();
        stage.welcome();
        stage.end();
    }
}

#[test]
fn however_long_a_server_wants_to_be_left_alone_a_client_comes_back_and_not_with_all_others() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    let waits = (0..6).map(|_| {
        stage.turn_away(429, Duration::from_secs(u64::MAX));
        let wait = stage.client.next_deadline().unwrap().since(stage.now).as_millis();
        stage.wait_for_a_try();
        wait
    });
    for (failures, wait) in waits.enumerate() {
        assert!(
            (120_001..=120_000 + (300 << failures)).contains(&wait),
            "{wait} ms after {failures} failures"
        );
    }
}

#[test]
fn a_request_that_is_turned_away_after_a_long_life_forgives_the_failures_before_it() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    for _ in 0..8 {
        stage.cut(Event::CODE_UNREACHABLE);
        stage.wait_for_a_try();
    }
    stage.open();
    stage.say(r#"{"id":1,"connect":{"client":"me"}}"#);
    stage.pass(10_000);
    // One short wait may be chance, eight are not.
    for failures in 0..8 {
        stage.turn_away(503, Duration::from_secs(1));
        let wait = stage.client.next_deadline().unwrap().since(stage.now).as_millis();
        assert!(wait <= 1_000 + (300 << failures), "{wait} ms after {failures} failures");
        stage.wait_for_a_try();
    }
}

#[test]
fn a_server_that_tells_a_client_to_come_back_at_once_does_not_get_it_in_a_loop() {
    let mut stage = Stage::connected();
    let connection = ConnectionId(1);
    let reason = "shutdown, retry in 0 ms".to_owned();
    stage.handle(Input::Lost { connection, code: 3001, reason });
    assert!(stage.client.next_deadline().unwrap() > stage.now);
}

#[test]
fn what_comes_on_a_connection_that_is_over_is_not_heard() {
    let mut stage = Stage::connected();
    let old = spanwire_client_core::ConnectionId(1);
    stage.come_back();
    stage.events.clear();
    stage.handle(Input::Frame(old, br#"{"id":1,"connect":{"client":"ghost"}}"#));
    stage.handle(Input::Lost { connection: old, code: 3500, reason: String::new() });
    assert!(stage.told().is_empty());
    stage.welcome();
    assert_eq!(stage.story(), ["connected"]);
    stage.end();
}

#[test]
fn an_opening_or_an_answer_that_takes_too_long_is_given_up() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    stage.pass(10_000);
    assert_eq!(stage.story(), ["disconnected 11, retries"]);
    stage.pass(300);
    stage.open();
    stage.pass(10_000);
    assert_eq!(stage.story(), ["disconnected 11, retries"]);
    stage.end();
}

#[test]
fn tokens_are_asked_for_and_asked_for_again_when_stale() {
    let mut stage = Stage::with(Config { credentials: Credentials::Provider, ..Config::default() });
    stage.handle(Input::Connect);
    assert_eq!(stage.asked, [TokenFor::Connection]);
    stage.handle(Input::Token(TokenFor::Connection, Ok("first".to_owned())));
    assert!(stage.open()[0].contains(r#""token":"first""#));
    stage.say(r#"{"id":1,"error":{"code":109,"message":"token expired"}}"#);
    assert_eq!(stage.story(), ["disconnected 13, retries"]);
    stage.pass(300);
    assert_eq!(stage.asked.len(), 2);
    stage.handle(Input::Token(TokenFor::Connection, Ok("second".to_owned())));
    assert!(stage.open()[0].contains(r#""token":"second""#));
    stage.say(r#"{"id":1,"connect":{"client":"me","expires":true,"ttl":100}}"#);
    stage.pass(90_000);
    assert_eq!(stage.asked.len(), 3);
    stage.handle(Input::Token(TokenFor::Connection, Ok("third".to_owned())));
    assert_eq!(stage.sent(), [r#"{"id":2,"refresh":{"token":"third"}}"#]);
    stage.end();
}

#[test]
fn a_token_that_the_server_cannot_judge_now_is_followed_by_another_one_when_it_can() {
    for (told, before, after) in [("", 0, 300), (r#","sw_retry_after":5000"#, 4999, 1)] {
        let mut stage = Stage::with(Config { credentials: Credentials::Provider, ..Config::default() });
        stage.handle(Input::Connect);
        stage.handle(Input::Token(TokenFor::Connection, Ok("first".to_owned())));
        stage.open();
        stage.say(r#"{"id":1,"connect":{"client":"me","expires":true,"ttl":100}}"#);
        stage.pass(90_000);
        stage.handle(Input::Token(TokenFor::Connection, Ok("second".to_owned())));
        stage.sent();
        stage.say(&format!(r#"{{"id":2,"error":{{"code":100,"temporary":true{told}}}}}"#));
        stage.pass(before);
        assert_eq!(stage.asked.len(), 2, "too early");
        stage.pass(after);
        assert_eq!(stage.asked.len(), 3);
        stage.handle(Input::Token(TokenFor::Connection, Ok("third".to_owned())));
        assert_eq!(stage.sent(), [r#"{"id":3,"refresh":{"token":"third"}}"#]);
        stage.say(r#"{"id":3,"error":{"code":103}}"#);
        stage.pass(60_000);
        assert_eq!(stage.asked.len(), 3, "what is refused for good is not tried again");
        stage.end();
    }
}

#[test]
fn who_gets_no_token_stays_out() {
    let mut stage = Stage::with(Config { credentials: Credentials::Provider, ..Config::default() });
    stage.handle(Input::Connect);
    stage.handle(Input::Token(TokenFor::Connection, Err(TokenFailure::Temporary)));
    assert_eq!(stage.story(), ["disconnected 14, retries"]);
    stage.pass(300);
    stage.handle(Input::Token(TokenFor::Connection, Err(TokenFailure::Unauthorized)));
    assert_eq!(stage.story(), ["disconnected 14"]);
    stage.pass(60_000);
    assert!(!stage.has_connection());
    stage.end();
}

#[test]
fn a_refusal_to_connect_is_final_unless_it_is_temporary() {
    for (temporary, told) in [("", "disconnected 13"), (r#","temporary":true"#, "disconnected 13, retries")] {
        let mut stage = Stage::new();
        stage.handle(Input::Connect);
        stage.open();
        stage.say(&format!(r#"{{"id":1,"error":{{"code":100,"message":"no"{temporary}}}}}"#));
        assert_eq!(stage.story(), [told]);
    }
}

#[test]
fn nonsense_ends_the_connection_and_not_the_client() {
    for frame in ["", "nonsense", "{}\n\n{}", r#"{"id":"#] {
        let mut stage = Stage::connected();
        stage.say(frame);
        assert_eq!(stage.story().last().unwrap(), "disconnected 12, retries", "{frame:?}");
        stage.end();
    }
}

#[test]
fn retries_are_spread_and_the_same_seed_gives_the_same_ones() {
    let times = || {
        let mut stage = Stage::connected();
        (0..5)
            .map(|_| {
                stage.cut(Event::CODE_LOST);
                let due = stage.client.next_deadline().unwrap().since(stage.now).as_millis();
                stage.wait_for_a_try();
                due
            })
            .collect::<Vec<_>>()
    };
    let first = times();
    assert_eq!(first, times());
    for (failures, wait) in first.iter().enumerate() {
        assert!(*wait <= 300 << failures, "{first:?}");
    }
}

#[test]
fn a_server_that_sends_a_client_away_says_when_it_may_come_back() {
    for (told, comes) in [(2500, 2500), (600_000, 120_000)] {
        let mut stage = Stage::new();
        stage.handle(Input::Connect);
        stage.open();
        let error = format!(r#""error":{{"code":111,"temporary":true,"sw_retry_after":{told}}}"#);
        stage.say(&format!(r#"{{"id":1,{error}}}"#));
        stage.pass(comes - 1);
        assert!(!stage.has_connection(), "not before {comes} ms");
        stage.pass(1);
        assert!(stage.has_connection(), "at {comes} ms");
        stage.open();
        stage.welcome();
        assert_eq!(stage.story(), ["disconnected 13, retries", "connected"]);
        stage.end();
    }
}
