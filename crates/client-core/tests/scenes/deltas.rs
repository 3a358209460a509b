use spanwire_client_core::{Input, SubscribeOptions};
use spanwire_wire::{Encoding, delta};

use crate::support::Stage;

fn payload(number: u64) -> String {
    format!(r#"{{"text":"a text that stays","number":{number}}}"#)
}

/// A publication in the words of a server that tells deltas: whole, or by a patch of the one before it.
fn told(offset: u64, base: Option<u64>) -> String {
    let target = payload(offset);
    let patch = base.map(|base| {
        delta::patch(Encoding::Json, payload(base).as_bytes(), target.as_bytes()).expect("it is shorter")
    });
    let data = delta::to_json(patch.as_deref().unwrap_or(target.as_bytes())).expect("it is text");
    let data = String::from_utf8(data.to_vec()).expect("JSON is UTF-8");
    let marked = if base.is_some() { r#","delta":true"# } else { "" };
    format!(r#"{{"data":{data},"offset":{offset}{marked}}}"#)
}

fn push(offset: u64, base: Option<u64>) -> String {
    format!(r#"{{"push":{{"channel":"x","pub":{}}}}}"#, told(offset, base))
}

/// A client that has asked for deltas, and been let in at offset 5.
fn taking() -> Stage {
    let mut stage = Stage::connected();
    let options = SubscribeOptions { delta: true, ..SubscribeOptions::default() };
    stage.handle(Input::Subscribe { channel: "x".to_owned(), options });
    assert!(stage.sent().pop().unwrap().contains(r#""delta":"fossil""#));
    stage.say(
        r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":5,"delta":true}}"#,
    );
    stage.events.clear();
    stage
}

fn recovered(stage: &mut Stage, publications: &[String]) {
    stage.come_back();
    stage.welcome();
    stage.events.clear();
    stage.say(&format!(
        r#"{{"id":2,"subscribe":{{"recoverable":true,"positioned":true,"epoch":"e","offset":7,"was_recovering":true,"recovered":true,"delta":true,"publications":[{}]}}}}"#,
        publications.join(",")
    ));
}

#[test]
fn the_application_hears_payloads_however_they_were_told() {
    let mut stage = taking();
    [push(6, None), push(7, Some(6))].iter().for_each(|push| stage.say(push));
    assert_eq!(stage.story(), [payload(6), payload(7)]);
    recovered(&mut stage, &[told(8, None), told(9, Some(8))]);
    stage.say(&push(10, Some(9)));
    let [eight, nine] = [8, 9].map(|number| format!("recovered {}", payload(number)));
    assert_eq!(stage.story(), [eight, nine, "subscribed recovered at e9".to_owned(), payload(10)]);
    stage.end();
}

#[test]
fn who_missed_nothing_has_still_what_it_was_told_last() {
    let mut stage = taking();
    [push(6, None), push(7, Some(6))].iter().for_each(|push| stage.say(push));
    recovered(&mut stage, &[]);
    stage.told();
    stage.say(&push(8, Some(7)));
    assert_eq!(stage.story(), [payload(8)]);
    stage.end();
}

#[test]
fn a_patch_that_does_not_fit_is_never_heard_and_all_behind_it_is_asked_for_without_deltas() {
    let mut stage = taking();
    stage.say(&push(6, None));
    stage.sent();
    stage.say(r#"{"push":{"channel":"x","pub":{"data":"4\n4@0,lCJ8o;","offset":7,"delta":true}}}"#);
    assert_eq!(stage.story(), [payload(6), "unsubscribed 12, retries".to_owned()]);
    assert!(stage.sent().pop().unwrap().contains("unsubscribe"));
    stage.say(&push(8, Some(7)));
    assert!(stage.told().is_empty(), "what is said of its former life in the channel is nobody's business");
    stage.say(r#"{"id":3,"unsubscribe":{}}"#);
    stage.pass(5_000);
    let asked = stage.sent().into_iter().find(|sent| sent.contains("subscribe")).unwrap();
    assert!(
        asked.contains(r#""recover":true,"epoch":"e","offset":6"#) && !asked.contains("fossil"),
        "{asked}"
    );
    stage.end();
}

#[test]
fn a_server_that_tells_no_deltas_is_heard_as_ever() {
    let mut stage = Stage::connected();
    let options = SubscribeOptions { delta: true, ..SubscribeOptions::default() };
    stage.handle(Input::Subscribe { channel: "x".to_owned(), options });
    stage.say(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":5}}"#);
    stage.told();
    stage.say(r#"{"push":{"channel":"x","pub":{"data":"a string","offset":6}}}"#);
    assert_eq!(stage.story(), [r#""a string""#]);
    stage.end();
}
