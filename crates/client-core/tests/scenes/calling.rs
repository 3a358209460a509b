use spanwire_client_core::{Answer, Call, Config, Event, Input, Key, Limits};

use crate::support::Stage;

const WELCOME_WITHOUT_KEYS: &str = r#"{"id":1,"connect":{"client":"me"}}"#;

fn key_of(command: &str) -> &str {
    command.split(r#""sw_key":""#).nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn a_publish_whose_answer_was_lost_is_repeated_under_its_key() {
    let mut stage = Stage::connected();
    stage.publish(7, "1");
    let first = stage.sent().remove(0);
    let second = {
        stage.come_back();
        stage.events.clear();
        stage.welcome();
        stage.sent().remove(0)
    };
    assert_eq!(key_of(&first), key_of(&second));
    stage.say(r#"{"id":2,"publish":{"sw_offset":3,"sw_epoch":"e"}}"#);
    assert_eq!(stage.story(), ["connected", "acked 7 at e3"]);
    stage.end();
}

#[test]
fn without_keys_a_lost_answer_is_reported_and_nothing_is_repeated() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    stage.open();
    stage.say(WELCOME_WITHOUT_KEYS);
    stage.publish(7, "1");
    assert_eq!(stage.sent(), [r#"{"id":2,"publish":{"channel":"x","data":1}}"#]);
    stage.come_back();
    stage.say(WELCOME_WITHOUT_KEYS);
    assert!(stage.sent().is_empty());
    assert!(
        stage.story().contains(&"failed 7: sent, but the answer was lost: it may have been done".to_owned())
    );
    stage.end();
}

#[test]
fn a_key_is_not_trusted_to_a_server_that_does_not_know_keys() {
    let mut stage = Stage::connected();
    stage.publish(7, "1");
    stage.come_back();
    stage.events.clear();
    stage.sent();
    stage.say(WELCOME_WITHOUT_KEYS);
    assert!(stage.sent().is_empty());
    assert_eq!(stage.story()[1], "failed 7: sent, but the answer was lost: it may have been done");
    stage.end();
}

#[test]
fn what_waited_for_a_connection_leaves_in_order_behind_the_welcome() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    for key in [1, 2, 3] {
        stage.publish(key, "0");
    }
    assert_eq!(stage.open().len(), 1);
    stage.welcome();
    let keys: Vec<_> =
        stage.sent().iter().map(|command| key_of(command).rsplit('-').next().unwrap().to_owned()).collect();
    assert_eq!(keys, ["0", "1", "2"]);
    stage.end();
}

#[test]
fn a_publish_refused_for_now_is_tried_again_and_one_refused_is_over() {
    let mut stage = Stage::connected();
    stage.publish(7, "1");
    let first = stage.sent().remove(0);
    stage.say(r#"{"id":2,"error":{"code":100,"message":"internal","temporary":true}}"#);
    stage.pass(300);
    assert_eq!(key_of(&stage.sent().remove(0)), key_of(&first));
    stage.say(r#"{"id":3,"error":{"code":103,"message":"permission denied"}}"#);
    assert_eq!(stage.story(), ["failed 7: refused: 103 permission denied"]);
    stage.end();
}

#[test]
fn questions_are_repeated_and_deeds_are_not() {
    let mut stage = Stage::connected();
    stage.handle(Input::Call(Key(1), Call::Presence { channel: "x".to_owned() }));
    stage.handle(Input::Call(Key(2), Call::Rpc { method: "pay".to_owned(), data: "1".into() }));
    stage.sent();
    stage.come_back();
    stage.welcome();
    assert_eq!(stage.sent(), [r#"{"id":2,"presence":{"channel":"x"}}"#]);
    stage.events.clear();
    stage.say(r#"{"id":2,"presence":{"presence":{}}}"#);
    assert_eq!(stage.told(), [Event::Answered { key: Key(1), answer: Answer::Presence(Default::default()) }]);
    stage.end();
}

#[test]
fn whoever_waits_too_long_is_told_whether_it_was_sent() {
    let mut stage = Stage::connected();
    stage.publish(1, "1");
    stage.cut(Event::CODE_LOST);
    stage.publish(2, "2");
    stage.events.clear();
    stage.now = stage.now + Limits::default().publish_within;
    stage.handle(Input::Tick);
    let story = stage.story();
    assert!(
        story.contains(&"failed 1: sent, but the answer was lost: it may have been done".to_owned()),
        "{story:?}"
    );
    assert!(story.contains(&"failed 2: its time was over, and nothing was done".to_owned()), "{story:?}");
    stage.end();
}

#[test]
fn the_queue_is_bounded_in_number_and_in_bytes() {
    for limits in
        [Limits { calls_max: 2, ..Limits::default() }, Limits { calls_bytes_max: 4, ..Limits::default() }]
    {
        let mut stage = Stage::with(Config { limits, ..Config::default() });
        stage.handle(Input::Connect);
        for key in [1, 2, 3] {
            stage.publish(key, "0");
        }
        assert_eq!(stage.story(), ["failed 3: too much waits already: it was not taken"]);
        stage.handle(Input::Disconnect);
        assert_eq!(stage.story().len(), 3, "a closed client keeps nobody waiting");
        stage.publish(4, "0");
        assert_eq!(stage.story(), ["failed 4: the client is closed: it was not sent"]);
        stage.end();
    }
}

#[test]
fn what_was_too_large_for_the_server_is_not_sent_again() {
    let mut stage = Stage::connected();
    stage.publish(1, "1");
    stage.cut(1009);
    assert_eq!(
        stage.story(),
        ["disconnected 1009, retries", "failed 1: sent, but the answer was lost: it may have been done"]
    );
    stage.end();
}

#[test]
fn many_commands_of_one_moment_are_cut_into_frames_that_servers_take() {
    let limits = Limits { frame_bytes_max: 200, ..Limits::default() };
    let mut stage = Stage::with(Config { limits, ..Config::default() });
    stage.handle(Input::Connect);
    for key in 0..20 {
        stage.publish(key, "12345678");
    }
    stage.open();
    let before = stage.frames;
    stage.welcome();
    assert_eq!(stage.sent().len(), 20);
    assert!(
        stage.frames - before >= 10 && stage.longest_frame <= 200,
        "{} {}",
        stage.frames - before,
        stage.longest_frame
    );
    stage.end();
}

/// What an application wants published now or never.
fn now_or_never(stage: &mut Stage) {
    let call = Call::Publish { channel: "x".to_owned(), data: "1".into(), queue: false };
    stage.handle(Input::Call(Key(7), call));
}

#[test]
fn what_is_published_now_or_never_does_not_wait_for_a_connection() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    now_or_never(&mut stage);
    assert_eq!(stage.story(), ["failed 7: there is no connection now: it was not sent"]);
    stage.open();
    stage.welcome();
    assert!(stage.sent().is_empty());
    now_or_never(&mut stage);
    assert_eq!(stage.sent().len(), 1);
    stage.end();
}

#[test]
fn what_is_published_now_or_never_does_not_go_out_twice() {
    let mut stage = Stage::connected();
    now_or_never(&mut stage);
    stage.say(r#"{"id":2,"error":{"code":111,"message":"too many requests","temporary":true}}"#);
    assert_eq!(stage.story(), ["failed 7: refused: 111 too many requests"]);
    now_or_never(&mut stage);
    stage.come_back();
    stage.welcome();
    assert!(stage.sent().is_empty());
    assert!(
        stage.story().contains(&"failed 7: sent, but the answer was lost: it may have been done".to_owned())
    );
    stage.end();
}
