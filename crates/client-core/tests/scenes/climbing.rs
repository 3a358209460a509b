use std::time::Duration;

use spanwire_client_core::Transport::{HttpStream, Sse, WebSocket};
use spanwire_client_core::{Config, Event, Input, Limits};

use crate::support::Stage;

/// A client that may take all transports, and has begun.
fn setting_out() -> Stage {
    let transports = vec![WebSocket, HttpStream, Sse];
    let mut stage = Stage::with(Config { transports, ..Config::default() });
    stage.handle(Input::Connect);
    stage
}

#[test]
fn where_one_transport_brings_no_answer_the_next_is_tried_at_once() {
    let mut stage = setting_out();
    stage.cut(403);
    stage.open();
    stage.cut(Event::CODE_LOST);
    stage.open();
    assert_eq!(stage.tried, [WebSocket, HttpStream, Sse]);
    assert!(stage.told().is_empty(), "nobody needs to know, as long as there is another way");
    stage.welcome();
    assert_eq!(stage.story(), ["connected"]);
    stage.end();
}

#[test]
fn silence_is_waited_out_for_four_seconds_on_a_websocket_and_for_one_on_a_stream() {
    let mut stage = setting_out();
    for (millis, next) in [(4_000, HttpStream), (1_000, Sse)] {
        stage.pass(millis - 1);
        let before = stage.tried.len();
        stage.pass(1);
        assert_eq!(stage.tried[before..], [next]);
    }
    stage.pass(1_000);
    assert_eq!(stage.story(), ["disconnected 11, retries"]);
    stage.end();
}

/// A client that is connected by a stream, with positions in the channel `x`, when it is time to look further up.
fn looking_up() -> Stage {
    let mut stage = setting_out();
    stage.cut(403);
    stage.open();
    stage.welcome();
    stage.subscribe("x");
    stage.say(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":5}}"#);
    stage.tried.clear();
    while stage.scout.is_none() {
        stage.pass(1_000);
        stage.say("{}");
    }
    stage.told();
    stage.sent();
    stage
}

#[test]
fn the_one_that_worked_is_gone_back_to() {
    let mut stage = setting_out();
    stage.cut(403);
    stage.open();
    stage.welcome();
    stage.tried.clear();
    stage.come_back();
    stage.welcome();
    assert_eq!(stage.tried, [HttpStream]);
    stage.end();
}

#[test]
fn a_better_transport_is_looked_for_after_a_while_and_changed_to_without_a_break() {
    assert_eq!(Limits::default().climb_after, Duration::from_secs(300));
    let mut stage = looking_up();
    assert_eq!(stage.tried, [WebSocket]);
    let scout = stage.scout.expect("one looks for a WebSocket");
    stage.handle(Input::Opened(scout));
    let said = stage.sent();
    assert!(said[0].starts_with(r#"{"id":1,"connect""#), "{said:?}");
    assert!(said[1].contains(r#""recover":true,"epoch":"e","offset":5"#), "{said:?}");
    stage.welcome();
    stage.say(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":5,"was_recovering":true,"recovered":true}}"#);
    assert_eq!(stage.story(), ["connected", "subscribed recovered at e5"]);
    for _ in 0..700 {
        stage.pass(1_000);
        stage.say("{}");
    }
    assert_eq!(stage.tried, [WebSocket], "there is nothing better to look for");
    stage.end();
}

#[test]
fn while_something_is_under_way_a_client_stays_where_it_is() {
    let mut stage = looking_up();
    stage.publish(1, "1");
    let scout = stage.scout.expect("one looks for a WebSocket");
    stage.handle(Input::Opened(scout));
    assert!(stage.scout.is_none() && stage.told().is_empty());
    stage.say(r#"{"id":3,"publish":{}}"#);
    assert_eq!(stage.story(), ["acked 1"]);
    stage.pass(1_000);
    assert_eq!(stage.tried, [WebSocket, WebSocket], "and looks again soon");
    stage.end();
}

#[test]
fn a_better_transport_that_cannot_be_had_is_looked_for_again_later() {
    let mut stage = looking_up();
    let connection = stage.scout.take().expect("one looks for a WebSocket");
    stage.handle(Input::Lost { connection, code: 403, reason: String::new() });
    assert!(stage.told().is_empty(), "nobody needs to know");
    for _ in 0..299 {
        stage.pass(1_000);
        stage.say("{}");
    }
    assert_eq!(stage.tried, [WebSocket]);
    stage.pass(1_000);
    assert_eq!(stage.tried, [WebSocket, WebSocket]);
    // This one is neither opened nor refused.
    stage.pass(4_000);
    assert!(stage.scout.is_none());
    stage.end();
}

#[test]
fn whoever_looks_for_a_better_transport_is_called_back_when_the_connection_is_lost() {
    let mut stage = looking_up();
    stage.cut(Event::CODE_LOST);
    assert!(stage.scout.is_none());
    assert_eq!(stage.story(), ["disconnected 1006, retries"]);
    stage.end();
}

#[test]
fn a_server_that_is_not_there_is_not_looked_for_in_other_ways_before_the_third_time() {
    let mut stage = setting_out();
    for _ in 0..2 {
        stage.cut(Event::CODE_UNREACHABLE);
        assert_eq!(stage.story(), ["disconnected 1013, retries"]);
        stage.wait_for_a_try();
    }
    stage.cut(Event::CODE_UNREACHABLE);
    assert_eq!(stage.tried, [WebSocket, WebSocket, WebSocket, HttpStream]);
    stage.end();
}

#[test]
fn a_box_that_answers_every_websocket_with_retry_after_is_believed_twice_and_then_gone_around() {
    let mut stage = setting_out();
    for _ in 0..2 {
        stage.turn_away(503, Duration::from_secs(5));
        assert_eq!(stage.story(), ["disconnected 503, retries"]);
        stage.wait_for_a_try();
    }
    stage.turn_away(503, Duration::from_secs(5));
    assert_eq!(stage.tried, [WebSocket, WebSocket, WebSocket, HttpStream]);
    assert!(stage.has_connection() && stage.told().is_empty(), "the next one is tried at once");
    // Where none of them is let through, it is waited as long as was told.
    stage.turn_away(503, Duration::from_secs(5));
    stage.turn_away(503, Duration::from_secs(5));
    assert_eq!(stage.tried.len(), 5);
    assert_eq!(stage.story(), ["disconnected 503, retries"]);
    stage.pass(4_999);
    assert!(!stage.has_connection());
    stage.wait_for_a_try();
    stage.end();
}

#[test]
fn a_server_that_says_no_is_believed_on_any_transport() {
    for code in [3000, 3004, 3008] {
        let mut stage = setting_out();
        stage.open();
        stage.cut(code);
        assert_eq!(stage.story(), [format!("disconnected {code}, retries")]);
        assert_eq!(stage.tried, [WebSocket]);
    }
    let mut stage = setting_out();
    stage.open();
    stage.say(r#"{"id":1,"error":{"code":100,"message":"no","temporary":true}}"#);
    assert_eq!(stage.story(), ["disconnected 13, retries"]);
    assert_eq!(stage.tried, [WebSocket]);
    stage.end();
}

#[test]
fn what_is_lost_once_connected_is_no_reason_to_climb_down() {
    let mut stage = setting_out();
    stage.open();
    stage.welcome();
    stage.come_back();
    assert_eq!(stage.tried, [WebSocket, WebSocket]);
    stage.end();
}
