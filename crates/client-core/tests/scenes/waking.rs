use spanwire_client_core::{Config, Event, Input, Transport};

use crate::support::Stage;

#[test]
fn a_connection_that_is_waited_for_is_tried_at_once_when_the_network_is_another_one() {
    let mut stage = Stage::connected();
    stage.cut(Event::CODE_LOST);
    assert!(!stage.has_connection());
    stage.handle(Input::Wake);
    assert!(stage.has_connection());
    stage.open();
    stage.welcome();
    stage.end();
}

#[test]
fn on_another_network_the_best_transport_is_tried_first_again() {
    let transports = vec![Transport::WebSocket, Transport::HttpStream];
    let mut stage = Stage::with(Config { transports, ..Config::default() });
    stage.handle(Input::Connect);
    stage.cut(403);
    stage.open();
    stage.welcome();
    stage.cut(Event::CODE_LOST);
    stage.handle(Input::Wake);
    assert_eq!(stage.tried, [Transport::WebSocket, Transport::HttpStream, Transport::WebSocket]);
    stage.end();
}

#[test]
fn whom_the_server_told_when_to_come_back_does_not_come_before() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    stage.open();
    stage.say(r#"{"id":1,"error":{"code":111,"temporary":true,"sw_retry_after":5000}}"#);
    stage.handle(Input::Wake);
    assert!(!stage.has_connection());
    stage.pass(5000);
    assert!(stage.has_connection());
    stage.end();
}

#[test]
fn a_connection_that_slept_must_give_a_sign_of_life_in_two_seconds() {
    for answers in [true, false] {
        let mut stage = Stage::connected();
        stage.handle(Input::Wake);
        assert_eq!(stage.sent(), [r#"{"id":2,"unsubscribe":{"channel":"spanwire-probe"}}"#]);
        stage.pass(1999);
        if answers {
            stage.say(r#"{"id":2,"unsubscribe":{}}"#);
        }
        stage.pass(1);
        let told: &[&str] = if answers { &[] } else { &["disconnected 11, retries"] };
        assert_eq!(stage.story(), told);
        stage.end();
    }
}

#[test]
fn what_was_on_its_way_before_the_sleep_is_no_sign_of_life() {
    let mut stage = Stage::hearing("x");
    stage.handle(Input::Wake);
    stage.say(r#"{"push":{"channel":"x","pub":{"data":6,"offset":6}}}"#);
    assert_eq!(stage.story(), ["6"]);
    stage.pass(2000);
    assert_eq!(stage.story()[0], "disconnected 11, retries");
    stage.end();
}

#[test]
fn a_client_that_wants_no_connection_is_not_woken() {
    let mut stage = Stage::new();
    stage.handle(Input::Wake);
    assert!(!stage.has_connection());
    stage.end();
}
