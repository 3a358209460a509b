use spanwire_client_core::{
    Config, Filter, Input, Limits, Position, SubscribeOptions, TokenFailure, TokenFor,
};

use crate::support::Stage;

fn publication(offset: u64) -> String {
    format!(r#"{{"push":{{"channel":"x","pub":{{"data":{offset},"offset":{offset}}}}}}}"#)
}

#[test]
fn a_client_that_comes_back_asks_from_where_it_was_and_hears_the_missed_before_the_live() {
    let mut stage = Stage::hearing("x");
    stage.say(&publication(6));
    let said = stage.come_back();
    assert!(said[1].contains(r#""recover":true,"epoch":"e","offset":6"#), "{said:?}");
    stage.events.clear();
    stage.welcome();
    let reply = concat!(
        r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":6,"was_recovering":true,"recovered":true,"#,
        r#""publications":[{"data":7,"offset":7},{"data":8,"offset":8}]}}"#
    );
    stage.say(&format!("{reply}\n{}", publication(9)));
    assert_eq!(stage.story(), ["connected", "recovered 7", "recovered 8", "subscribed recovered at e8", "9"]);
    stage.end();
}

#[test]
fn what_was_delivered_is_not_delivered_twice() {
    let mut stage = Stage::hearing("x");
    for offset in [6, 6, 5, 7, 6, 8] {
        stage.say(&publication(offset));
    }
    assert_eq!(stage.story(), ["6", "7", "8"]);
    stage.end();
}

#[test]
fn a_hole_is_told_before_what_is_behind_it() {
    let mut stage = Stage::hearing("x");
    stage.say(&publication(6));
    stage.say(&publication(9));
    assert_eq!(stage.story(), ["6", "gap e6..e8", "9"]);
    stage.end();
}

#[test]
fn what_a_filter_passes_over_is_no_gap() {
    let mut stage = Stage::connected();
    let wanted = Filter::any_of("kind", ["goal", "card"]).and(Filter::is("team", "red").not());
    let options = SubscribeOptions { filter: Some(wanted.clone().or(wanted)), ..SubscribeOptions::default() };
    stage.handle(Input::Subscribe { channel: "x".to_owned(), options });
    let both = concat!(
        r#"{"op":"and","nodes":[{"key":"kind","cmp":"in","vals":["goal","card"]},"#,
        r#"{"op":"not","nodes":[{"key":"team","cmp":"eq","val":"red"}]}]}"#
    );
    let said = stage.sent().concat();
    assert!(said.contains(&format!(r#""tf":{{"op":"or","nodes":[{both},{both}]}}"#)), "{said}");
    stage.say(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":5}}"#);
    stage.say(&publication(9));
    stage.say(&publication(9));
    assert_eq!(stage.story(), ["subscribed at e5", "9"]);
    let said = stage.come_back();
    assert!(said[1].contains(r#""recover":true,"epoch":"e","offset":9"#), "{said:?}");
    assert!(said[1].contains(r#""tf":{"op":"or""#), "{said:?}");
    stage.end();
}

#[test]
fn what_cannot_be_recovered_is_told_as_a_gap() {
    let mut stage = Stage::hearing("x");
    stage.come_back();
    stage.events.clear();
    stage.welcome();
    stage.say(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"f","offset":2,"was_recovering":true}}"#);
    assert_eq!(stage.story(), ["connected", "gap e5..f2", "subscribed unrecovered at f2"]);
    stage.end();
}

#[test]
fn the_latest_of_a_channel_is_heard_whatever_was_missed_before_it_and_that_is_told() {
    let joined = r#""recoverable":true,"positioned":true"#;
    let latest = |offset| format!(r#""publications":[{{"data":9,"offset":{offset}}}]"#);
    let table = [
        // It was away, and missed some.
        (
            format!(
                r#"{joined},"epoch":"e","offset":9,"was_recovering":true,"recovered":true,{}"#,
                latest(9)
            ),
            &["connected", "gap e5..e8", "recovered 9", "subscribed recovered at e9"][..],
        ),
        // It missed only this one.
        (
            format!(
                r#"{joined},"epoch":"e","offset":6,"was_recovering":true,"recovered":true,{}"#,
                latest(6)
            ),
            &["connected", "recovered 9", "subscribed recovered at e6"],
        ),
        // The stream has begun anew, and is not as far yet as the former was.
        (
            format!(
                r#"{joined},"epoch":"f","offset":3,"was_recovering":true,"recovered":true,{}"#,
                latest(3)
            ),
            &["connected", "gap e5..f2", "recovered 9", "subscribed unrecovered at f3"],
        ),
    ];
    for (result, expected) in table {
        let mut stage = Stage::hearing("x");
        stage.come_back();
        stage.events.clear();
        stage.welcome();
        stage.say(&format!(r#"{{"id":2,"subscribe":{{{result}}}}}"#));
        assert_eq!(stage.story(), expected, "{result}");
        stage.end();
    }
}

#[test]
fn the_latest_comes_along_already_the_first_time_and_no_gap_is_told() {
    let mut stage = Stage::connected();
    stage.handle(Input::Subscribe { channel: "x".to_owned(), options: SubscribeOptions::default() });
    stage.say(
        r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":4,"was_recovering":true,"recovered":true,"publications":[{"data":7,"offset":4}]}}"#,
    );
    assert_eq!(stage.story(), ["recovered 7", "subscribed at e4"]);
    stage.say(r#"{"push":{"channel":"x","pub":{"data":8,"offset":5}}}"#);
    assert_eq!(stage.story(), ["8"]);
    stage.end();
}

#[test]
fn the_latest_behind_a_subscription_that_the_server_made_is_heard_and_no_gap_is_told() {
    let mut stage = Stage::connected();
    stage.say(
        r#"{"push":{"channel":"x","subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":8}}}"#,
    );
    stage.say(&publication(9));
    assert_eq!(stage.story(), ["subscribed at e8", "9"]);
    stage.end();
}

#[test]
fn a_position_that_the_application_remembers_is_recovered_from() {
    let mut stage = Stage::connected();
    let since = Some(Position { offset: 41, epoch: "e".to_owned() });
    stage.handle(Input::Subscribe {
        channel: "x".to_owned(),
        options: SubscribeOptions { since, ..Default::default() },
    });
    assert!(stage.sent()[0].contains(r#""recover":true,"epoch":"e","offset":41"#));
    stage.end();
}

#[test]
fn insufficient_state_leads_back_and_a_server_unsubscribe_leads_out() {
    for (code, told, returns) in
        [(2500, "unsubscribed 2500, retries", true), (2000, "unsubscribed 2000", false)]
    {
        let mut stage = Stage::hearing("x");
        stage.sent();
        stage.say(&format!(r#"{{"push":{{"channel":"x","unsubscribe":{{"code":{code}}}}}}}"#));
        assert_eq!(stage.story(), [told]);
        stage.pass(300);
        let said = stage.sent().concat();
        assert_eq!(said.contains(r#""recover":true,"epoch":"e","offset":5"#), returns, "{said}");
        assert_eq!(stage.client.load().subscriptions, usize::from(returns));
        stage.end();
    }
}

#[test]
fn an_invalidated_position_is_not_recovered_from() {
    let mut stage = Stage::hearing("x");
    stage.sent();
    stage.say(r#"{"push":{"channel":"x","unsubscribe":{"code":2502}}}"#);
    stage.pass(300);
    let said = stage.sent().concat();
    assert!(said.contains("subscribe") && !said.contains("recover\":"), "{said}");
    stage.events.clear();
    stage.say(r#"{"id":3,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":9}}"#);
    assert_eq!(stage.story(), ["gap e5..e9", "subscribed at e9"]);
    stage.end();
}

#[test]
fn a_subscribe_that_fails_for_now_is_tried_again_and_one_that_fails_is_over() {
    let mut stage = Stage::connected();
    stage.subscribe("x");
    stage.say(r#"{"id":2,"error":{"code":100,"message":"internal","temporary":true}}"#);
    assert_eq!(stage.story(), ["unsubscribed 100, retries"]);
    stage.pass(300);
    stage.say(r#"{"id":3,"error":{"code":103,"message":"permission denied"}}"#);
    assert_eq!(stage.story(), ["unsubscribed 103"]);
    assert_eq!(stage.client.load().subscriptions, 0);
    stage.end();
}

#[test]
fn a_subscribe_that_is_refused_for_now_is_tried_again_when_the_server_has_told() {
    for (told, comes) in [(2_500, 2_500), (600_000, 120_000)] {
        let mut stage = Stage::new();
        stage.handle(Input::Connect);
        stage.open();
        stage.say(r#"{"id":1,"connect":{"client":"me"}}"#); // No pings, so that it may be silent for minutes.
        stage.subscribe("x");
        stage.told();
        stage.sent();
        let error = format!(r#""error":{{"code":111,"temporary":true,"sw_retry_after":{told}}}"#);
        stage.say(&format!(r#"{{"id":2,{error}}}"#));
        assert_eq!(stage.story(), ["unsubscribed 111, retries"]);
        let subscribes = |sent: Vec<String>| sent.iter().filter(|said| said.contains("subscribe")).count();
        stage.pass(comes - 1);
        assert_eq!(subscribes(stage.sent()), 0, "not before {comes} ms");
        stage.pass(1);
        assert_eq!(subscribes(stage.sent()), 1, "at {comes} ms");
        stage.end();
    }
}

#[test]
fn a_channel_token_is_asked_for_and_again_when_it_is_stale() {
    let mut stage = Stage::connected();
    let options = SubscribeOptions { needs_token: true, ..Default::default() };
    stage.handle(Input::Subscribe { channel: "$x".to_owned(), options });
    let asked = TokenFor::Channel("$x".to_owned());
    assert_eq!(stage.asked.len(), 1);
    stage.sent();
    stage.handle(Input::Token(asked.clone(), Ok("one".to_owned())));
    assert!(stage.sent()[0].contains(r#""token":"one""#));
    stage.say(r#"{"id":2,"error":{"code":109,"message":"token expired"}}"#);
    stage.pass(300);
    assert_eq!(stage.asked, [asked.clone(), asked]);
    stage.end();
}

#[test]
fn a_channel_token_is_renewed_before_it_expires_and_anew_when_it_could_not_be() {
    let mut stage = Stage::connected();
    let options = SubscribeOptions { needs_token: true, ..Default::default() };
    stage.handle(Input::Subscribe { channel: "$x".to_owned(), options });
    let asked = TokenFor::Channel("$x".to_owned());
    stage.handle(Input::Token(asked.clone(), Ok("one".to_owned())));
    stage.say(r#"{"id":2,"subscribe":{"expires":true,"ttl":10}}"#);
    stage.sent();
    stage.pass(9_000);
    assert_eq!(stage.asked.len(), 2);
    stage.handle(Input::Token(asked.clone(), Ok("two".to_owned())));
    assert_eq!(stage.sent(), [r#"{"id":3,"sub_refresh":{"channel":"$x","token":"two"}}"#]);
    stage.say(r#"{"id":3,"sub_refresh":{"expires":true,"ttl":10}}"#);
    stage.told();
    stage.pass(9_000);
    stage.handle(Input::Token(asked, Err(TokenFailure::Temporary)));
    assert!(stage.told().is_empty(), "it is heard as long as the server lets it");
    stage.say(r#"{"push":{"channel":"$x","unsubscribe":{"code":2501}}}"#);
    assert_eq!(stage.story(), ["unsubscribed 2501, retries"]);
    stage.pass(300);
    assert_eq!(stage.asked.len(), 4, "the old token has expired: a new one is asked for");
    stage.end();
}

#[test]
fn a_channel_token_that_the_server_cannot_judge_now_is_followed_by_another_one_when_it_can() {
    for (told, before, after) in [("", 0, 300), (r#","sw_retry_after":5000"#, 4999, 1)] {
        let mut stage = Stage::connected();
        let options = SubscribeOptions { needs_token: true, ..Default::default() };
        stage.handle(Input::Subscribe { channel: "$x".to_owned(), options });
        let asked = TokenFor::Channel("$x".to_owned());
        stage.handle(Input::Token(asked.clone(), Ok("one".to_owned())));
        stage.say(r#"{"id":2,"subscribe":{"expires":true,"ttl":10}}"#);
        stage.pass(9_000);
        stage.handle(Input::Token(asked.clone(), Ok("two".to_owned())));
        stage.sent();
        stage.say(&format!(r#"{{"id":3,"error":{{"code":111,"temporary":true{told}}}}}"#));
        stage.pass(before);
        assert_eq!(stage.asked.len(), 2, "too early");
        stage.pass(after);
        assert_eq!(stage.asked.len(), 3);
        stage.handle(Input::Token(asked, Ok("three".to_owned())));
        assert_eq!(stage.sent(), [r#"{"id":4,"sub_refresh":{"channel":"$x","token":"three"}}"#]);
        stage.end();
    }
}

#[test]
fn a_single_token_of_a_channel_is_used_again_until_it_is_refused() {
    let mut stage = Stage::connected();
    let options = SubscribeOptions { token: "only".to_owned(), ..Default::default() };
    stage.handle(Input::Subscribe { channel: "$x".to_owned(), options });
    assert!(stage.sent()[0].contains(r#""token":"only""#));
    stage.say(r#"{"id":2,"subscribe":{"expires":true,"ttl":10}}"#);
    stage.pass(10_000);
    assert!(stage.sent().is_empty(), "there is no other token to renew it by");
    stage.say(r#"{"push":{"channel":"$x","unsubscribe":{"code":2501}}}"#);
    stage.pass(300);
    assert!(stage.sent()[0].contains(r#""token":"only""#));
    stage.told();
    stage.say(r#"{"id":3,"error":{"code":109,"message":"token expired"}}"#);
    assert_eq!(stage.story(), ["unsubscribed 109"]);
    assert!(stage.asked.is_empty());
    stage.end();
}

#[test]
fn a_channel_left_and_joined_again_at_once_hears_only_its_new_life() {
    let mut stage = Stage::hearing("x");
    stage.handle(Input::Unsubscribe { channel: "x".to_owned() });
    stage.subscribe("x");
    assert_eq!(stage.story(), ["unsubscribed 0"]);
    // This was on its way when we left: it ends the former life, not the new one.
    stage.say(r#"{"push":{"channel":"x","unsubscribe":{"code":2000}}}"#);
    stage.say(&publication(6));
    stage.say(r#"{"id":3,"unsubscribe":{}}"#);
    assert!(stage.told().is_empty());
    stage.say(r#"{"id":4,"subscribe":{"positioned":true,"epoch":"e","offset":6}}"#);
    stage.say(&publication(7));
    assert_eq!(stage.story(), ["subscribed at e6", "7"]);
    stage.end();
}

#[test]
fn a_subscribe_that_is_never_answered_ends_the_connection() {
    let mut stage = Stage::connected();
    stage.subscribe("x");
    stage.pass(19_999);
    assert!(stage.told().is_empty());
    stage.pass(1);
    assert_eq!(stage.story(), ["disconnected 11, retries"]);
    stage.end();
}

#[test]
fn channels_that_the_server_chose_recover_too() {
    let mut stage = Stage::new();
    stage.handle(Input::Connect);
    stage.open();
    let sub = r#"{"recoverable":true,"positioned":true,"epoch":"e","offset":5}"#;
    stage.say(&format!(r#"{{"id":1,"connect":{{"client":"me","subs":{{"x":{sub}}}}}}}"#));
    stage.say(&publication(6));
    assert_eq!(stage.story(), ["connected", "subscribed at e5", "6"]);
    let said = stage.come_back();
    assert!(
        said[0].contains(r#""subs":{"x":{"channel":"x","recover":true,"epoch":"e","offset":6"#),
        "{said:?}"
    );
    stage.events.clear();
    stage.say(r#"{"id":1,"connect":{"client":"me"}}"#);
    assert_eq!(stage.story(), ["connected", "unsubscribed 2000"]);
    stage.end();
}

#[test]
fn joins_and_leaves_are_told_while_a_channel_is_heard() {
    let mut stage = Stage::connected();
    let push = |event: &str| {
        format!(r#"{{"push":{{"channel":"x","{event}":{{"info":{{"user":"bob","client":"b"}}}}}}}}"#)
    };
    stage.subscribe("x");
    stage.say(&push("join"));
    stage.say(r#"{"id":2,"subscribe":{}}"#);
    stage.say(&push("join"));
    stage.say(&push("leave"));
    assert_eq!(stage.story(), ["subscribed", "join bob", "leave bob"]);
    stage.end();
}

#[test]
fn a_server_cannot_make_a_client_keep_more_channels_than_it_wants() {
    let limits = Limits { subscriptions_max: 2, ..Limits::default() };
    for push in [false, true] {
        let mut stage = Stage::with(Config { limits: limits.clone(), ..Config::default() });
        stage.handle(Input::Connect);
        stage.open();
        if push {
            stage.say(r#"{"id":1,"connect":{"client":"me","subs":{"a":{},"b":{}}}}"#);
            stage.say(r#"{"push":{"channel":"b","subscribe":{}}}"#);
            stage.say(r#"{"push":{"channel":"c","subscribe":{}}}"#);
        } else {
            stage.say(r#"{"id":1,"connect":{"client":"me","subs":{"a":{},"b":{},"c":{},"d":{}}}}"#);
        }
        assert_eq!(stage.story().last().unwrap(), "disconnected 12, retries");
        assert_eq!(stage.client.load().subscriptions, 2);
        stage.end();
    }
}

#[test]
fn who_gets_no_token_for_a_channel_is_told_so() {
    let mut stage = Stage::connected();
    let options = SubscribeOptions { needs_token: true, ..Default::default() };
    for (failure, told) in [
        (TokenFailure::Temporary, "unsubscribed 14, retries"),
        (TokenFailure::Unauthorized, "unsubscribed 14"),
    ] {
        stage.handle(Input::Subscribe { channel: "$x".to_owned(), options: options.clone() });
        stage.handle(Input::Token(TokenFor::Channel("$x".to_owned()), Err(failure)));
        assert_eq!(stage.story(), [told]);
        stage.pass(300);
    }
    assert_eq!(stage.client.load().subscriptions, 0);
    stage.end();
}
