use std::time::Duration;

use spanwire_client_core::{Config, Event, Input, Limits, SubscribeOptions};

use crate::support::Stage;

fn move_of(client: &str, event: &str) -> String {
    format!(r#"{{"push":{{"channel":"x","{event}":{{"info":{{"user":"{client}","client":"{client}"}}}}}}}}"#)
}

/// A connected client that has asked for a channel and who is in it; both are not answered yet.
fn asking(limits: Limits) -> Stage {
    let mut stage = Stage::with(Config { limits, ..Config::default() });
    stage.handle(Input::Connect);
    stage.open();
    stage.welcome();
    let options = SubscribeOptions { presence: true, ..SubscribeOptions::default() };
    stage.handle(Input::Subscribe { channel: "x".to_owned(), options });
    assert!(
        stage.sent()[0].contains(r#""join_leave":true"#),
        "joins and leaves are what keeps the list true"
    );
    stage.say(r#"{"id":2,"subscribe":{}}"#);
    assert_eq!(stage.sent(), [r#"{"id":3,"presence":{"channel":"x"}}"#]);
    stage.events.clear();
    stage
}

const ANN_IS_HERE: &str = r#"{"id":3,"presence":{"presence":{"ann":{"user":"ann","client":"ann"}}}}"#;

#[test]
fn who_is_there_is_told_once_the_channel_is_heard_and_at_each_change() {
    let mut stage = asking(Limits::default());
    stage.say(ANN_IS_HERE);
    stage.say(&move_of("bob", "join"));
    stage.say(&move_of("ann", "leave"));
    let told = ["presence ann", "join bob", "presence ann bob", "leave ann", "presence bob"];
    assert_eq!(stage.story(), told);
    stage.end();
}

#[test]
fn whoever_moves_before_the_list_is_here_is_in_it_as_they_moved() {
    let mut stage = asking(Limits::default());
    stage.say(&move_of("bob", "join"));
    stage.say(&move_of("ann", "leave"));
    stage.say(ANN_IS_HERE);
    assert_eq!(stage.story(), ["join bob", "leave ann", "presence bob"]);
    stage.end();
}

#[test]
fn a_client_that_comes_back_asks_anew_and_an_old_answer_is_not_for_it() {
    let mut stage = asking(Limits::default());
    stage.come_back();
    stage.say(r#"{"id":1,"connect":{"client":"me"}}"#);
    stage.say(r#"{"id":2,"subscribe":{}}"#);
    assert_eq!(stage.sent(), [r#"{"id":3,"presence":{"channel":"x"}}"#]);
    stage.events.clear();
    stage.say(r#"{"push":{"channel":"x","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#);
    stage.say(ANN_IS_HERE);
    assert_eq!(stage.story(), ["unsubscribed 2500, retries"], "nobody hears the channel now");
    stage.pass(300);
    stage.say(r#"{"id":4,"subscribe":{}}"#);
    stage.say(r#"{"id":5,"presence":{"presence":{}}}"#);
    assert_eq!(stage.story(), ["subscribed", "presence "]);
    stage.end();
}

#[test]
fn a_list_that_is_refused_for_now_is_asked_for_again() {
    let mut stage = asking(Limits::default());
    stage.say(r#"{"id":3,"error":{"code":100,"message":"internal","temporary":true}}"#);
    stage.say(&move_of("bob", "join"));
    stage.pass(300);
    assert_eq!(stage.sent(), [r#"{"id":4,"presence":{"channel":"x"}}"#]);
    stage.say(r#"{"id":4,"error":{"code":100,"message":"busy","temporary":true,"sw_retry_after":4000}}"#);
    stage.pass(3_999);
    assert!(stage.sent().is_empty(), "the server has told when");
    stage.pass(1);
    assert_eq!(stage.sent(), [r#"{"id":5,"presence":{"channel":"x"}}"#]);
    stage.say(r#"{"id":5,"presence":{"presence":{"bob":{"user":"bob","client":"bob"}}}}"#);
    assert_eq!(stage.story(), ["join bob", "presence bob"]);
    stage.end();
}

#[test]
fn a_list_that_does_not_come_is_asked_for_again_and_the_late_answer_counts_no_more() {
    let mut stage = asking(Limits { call_within: Duration::from_secs(3), ..Limits::default() });
    stage.pass(2_999);
    assert!(stage.sent().is_empty());
    stage.pass(301);
    assert_eq!(stage.sent(), [r#"{"id":4,"presence":{"channel":"x"}}"#]);
    stage.say(ANN_IS_HERE);
    assert!(stage.told().is_empty(), "it may be older than what was heard since");
    stage.say(r#"{"id":4,"presence":{"presence":{}}}"#);
    assert_eq!(stage.story(), ["presence "]);
    stage.end();
}

#[test]
fn a_server_that_does_not_say_who_is_there_is_heard_all_the_same() {
    let mut stage = asking(Limits::default());
    stage.say(r#"{"id":3,"error":{"code":108,"message":"not available"}}"#);
    stage.say(&move_of("bob", "join"));
    assert_eq!(stage.story(), ["no presence 108", "join bob"]);
    stage.end();
}

#[test]
fn a_crowd_that_there_is_no_room_for_is_not_kept() {
    let limits = Limits { members_max: 1, ..Limits::default() };
    let mut stage = asking(limits.clone());
    stage.say(ANN_IS_HERE);
    stage.say(&move_of("bob", "join"));
    stage.say(&move_of("bob", "leave"));
    assert_eq!(stage.story(), ["presence ann", "join bob", "no presence 106", "leave bob"]);
    stage.end();
    let mut stage = asking(limits);
    stage.say(&move_of("bob", "join"));
    stage.say(&move_of("cid", "join"));
    stage.say(ANN_IS_HERE);
    assert_eq!(stage.story(), ["join bob", "join cid", "no presence 106"]);
    stage.end();
}

#[test]
fn nobody_is_asked_who_is_there_where_nobody_wants_to_know() {
    let mut stage = Stage::hearing("x");
    stage.sent();
    stage.say(&move_of("bob", "join"));
    assert!(stage.sent().is_empty());
    assert!(matches!(stage.told()[..], [Event::Join { .. }]));
    stage.end();
}
