//! Promises 2, 3 and 6: who listens hears everything, once and in order; who asks is served in order.

use std::collections::BTreeMap;

use bytes::Bytes;
use spanwire_wire::message::{ClientInfo, Publication};

use super::{EVERYTHING, OTHER, ROOM, numbered};
use crate::broker::{Broker, BrokerAnswer, BrokerRequest, Draft, HistoryQuery, Recall};
use crate::channel::{Epoch, Position};
use crate::conformance::stage::{ALL, ANN, BOB, CYD, Heard, KEEP, Stage, briefs, publish};
use crate::conformance::{Harness, play};

pub(super) fn play_all<H: Harness<Subject: Broker>>(harness: &mut H) {
    play(harness, a_publication_arrives_as_it_was_published);
    play(harness, every_listener_hears_every_publication_once_and_in_order);
    play(harness, everything_behind_the_answered_position_is_heard_however_requests_interleave);
    play(harness, a_listener_that_unsubscribed_hears_nothing_more);
    play(harness, joins_and_leaves_are_heard_once_by_every_listener_in_their_order);
    play(harness, requests_of_one_listener_take_effect_in_their_order);
    play(harness, nobody_gets_no_answer);
}

fn a_publication_arrives_as_it_was_published<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    let publication = Publication {
        data: Bytes::from_static(b"\x00 not { JSON \xff"),
        info: Some(ClientInfo {
            user: "ann".to_owned(),
            client: "c1".to_owned(),
            conn_info: Bytes::from_static(b"1"),
            chan_info: Bytes::from_static(b"{}"),
        }),
        tags: BTreeMap::from([("kind".to_owned(), "note".to_owned())]),
        ..Publication::default()
    };
    stage.subscribe(BOB, ROOM, KEEP, Recall::Nothing);
    stage.publish(ROOM, KEEP, "first");
    stage.heard(BOB, ROOM);
    let draft = Draft {
        publication: publication.clone(),
        history: Some(KEEP),
        idempotency_key: None,
        rate: Default::default(),
        delta: false,
    };
    stage.ask(ANN, ROOM, BrokerRequest::Publish(draft));
    let expected = Publication { offset: 2, ..publication };
    let heard = stage.heard(BOB, ROOM);
    assert!(matches!(&heard[..], [Heard::Publication(heard, _)] if *heard == expected), "{heard:?}");
    let query = HistoryQuery { limit: Some(1), since: None, reverse: true };
    match stage.ask(CYD, ROOM, BrokerRequest::History { history: KEEP, query }) {
        BrokerAnswer::History { publications, .. } => assert_eq!(publications, [expected]),
        other => panic!("{other:?}"),
    }
}

fn every_listener_hears_every_publication_once_and_in_order<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    for listener in ALL {
        stage.subscribe(listener, ROOM, KEEP, Recall::Nothing);
        // Some of its sessions are subscribed already.
        stage.subscribe(listener, ROOM, KEEP, Recall::Nothing);
    }
    let words = ["a", "b", "c", "d", "e", "f", "g"];
    let tickets = words.iter().zip(ALL.iter().cycle());
    let tickets: Vec<_> =
        tickets.map(|(word, from)| stage.submit(*from, ROOM, publish(Some(KEEP), word, None))).collect();
    for ticket in tickets {
        stage.answer(ticket);
    }
    let (history, top) = stage.history(ROOM, KEEP, EVERYTHING).unwrap();
    assert_eq!(top.offset, 7);
    for listener in ALL {
        assert_eq!(stage.heard_publications(listener, ROOM), history);
        assert_eq!(stage.heard(listener, OTHER), []);
    }
}

fn everything_behind_the_answered_position_is_heard_however_requests_interleave<
    H: Harness<Subject: Broker>,
>(
    stage: &mut Stage<'_, H>,
) {
    const COUNT: usize = 6;
    for subscribed_before in 0..=COUNT {
        let mut tickets = Vec::new();
        let mut subscription = None;
        for number in 0..=COUNT {
            if number == subscribed_before {
                let position = Position { offset: 0, epoch: Epoch::new("") };
                let recall = Recall::Since { position, limit: 100 };
                let request = BrokerRequest::Subscribe { history: Some(KEEP), recall, subscribers_max: None };
                subscription = Some(stage.submit(BOB, ROOM, request));
            }
            let from = ALL[number % ALL.len()];
            tickets.push(stage.submit(from, ROOM, publish(Some(KEEP), &number.to_string(), None)));
        }
        let BrokerAnswer::Subscribed { top: Some(top), recalled: Some(missed) } =
            stage.answer(subscription.unwrap())
        else {
            panic!("a recovery from the beginning of a young stream is whole");
        };
        for ticket in tickets {
            stage.answer(ticket);
        }
        let recovered = missed.iter().map(|publication| publication.offset);
        let live = stage.heard_publications(BOB, ROOM).into_iter().map(|(offset, _)| offset);
        let live = live.filter(|offset| *offset > top.offset);
        let all: Vec<_> = recovered.chain(live).collect();
        assert_eq!(
            all,
            (1..=COUNT as u64 + 1).collect::<Vec<_>>(),
            "subscribed before publication {subscribed_before}"
        );
        stage.begin_anew();
    }
}

fn a_listener_that_unsubscribed_hears_nothing_more<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    for listener in [BOB, CYD] {
        stage.subscribe(listener, ROOM, KEEP, Recall::Nothing);
    }
    let answer = stage.ask(BOB, ROOM, BrokerRequest::Unsubscribe);
    assert!(matches!(answer, BrokerAnswer::Done), "{answer:?}");
    stage.publish(ROOM, KEEP, "one");
    stage.ask(ANN, ROOM, BrokerRequest::Join(client("x")));
    assert_eq!(stage.heard(BOB, ROOM), []);
    assert_eq!(stage.heard_publications(CYD, ROOM), numbered(["one"]));
    let (top, _) = stage.subscribe(BOB, ROOM, KEEP, Recall::Nothing);
    assert_eq!(top.offset, 1);
    stage.publish(ROOM, KEEP, "two");
    assert_eq!(stage.heard_publications(BOB, ROOM), [(2, "two".to_owned())]);
}

fn joins_and_leaves_are_heard_once_by_every_listener_in_their_order<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    for listener in [ANN, BOB] {
        stage.ask(
            listener,
            ROOM,
            BrokerRequest::Subscribe { history: None, recall: Recall::Nothing, subscribers_max: None },
        );
    }
    for request in [
        BrokerRequest::Join(client("x")),
        BrokerRequest::Leave(client("x")),
        BrokerRequest::Join(client("y")),
        BrokerRequest::Join(client("x")),
    ] {
        stage.tell(ANN, ROOM, request);
    }
    let answer = stage.ask(ANN, ROOM, BrokerRequest::Leave(client("y")));
    assert!(matches!(answer, BrokerAnswer::Done), "{answer:?}");
    for listener in [ANN, BOB] {
        let (x, y) = (client("x"), client("y"));
        let expected = [
            Heard::Join(x.clone()),
            Heard::Leave(x.clone()),
            Heard::Join(y.clone()),
            Heard::Join(x),
            Heard::Leave(y),
        ];
        assert_eq!(stage.heard(listener, ROOM), expected);
    }
    assert_eq!(stage.heard(CYD, ROOM), []);
}

fn requests_of_one_listener_take_effect_in_their_order<H: Harness<Subject: Broker>>(
    stage: &mut Stage<'_, H>,
) {
    let subscribe =
        || BrokerRequest::Subscribe { history: Some(KEEP), recall: Recall::Nothing, subscribers_max: None };
    let requests = [
        publish(Some(KEEP), "a", None),
        subscribe(),
        publish(Some(KEEP), "b", None),
        BrokerRequest::Unsubscribe,
        BrokerRequest::RemoveHistory,
        publish(Some(KEEP), "c", None),
        subscribe(),
        publish(Some(KEEP), "d", None),
        BrokerRequest::History { history: KEEP, query: EVERYTHING },
    ];
    let tickets = requests.map(|request| stage.submit(BOB, ROOM, request));
    let answers = tickets.map(|ticket| stage.answer(ticket));
    let offsets: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            BrokerAnswer::Published(position) => position.as_ref().map(|position| position.offset),
            BrokerAnswer::Subscribed { top, .. } => top.as_ref().map(|top| top.offset),
            _ => None,
        })
        .collect();
    assert_eq!(offsets, [1, 1, 2, 3, 3, 4]);
    let BrokerAnswer::History { publications, top } = &answers[8] else { panic!("{answers:?}") };
    assert_eq!(briefs(publications), [(3, "c".to_owned()), (4, "d".to_owned())]);
    assert_eq!(top.offset, 4);
    let heard: Vec<_> = stage.heard_publications(BOB, ROOM).into_iter().map(|(offset, _)| offset).collect();
    assert!(heard.is_sorted() && heard.contains(&2) && heard.contains(&4), "{heard:?}");
}

fn nobody_gets_no_answer<H: Harness<Subject: Broker>>(stage: &mut Stage<'_, H>) {
    // The stage fails if it sees an answer that no ticket asked for.
    stage.tell(
        BOB,
        ROOM,
        BrokerRequest::Subscribe { history: Some(KEEP), recall: Recall::Nothing, subscribers_max: None },
    );
    stage.tell(BOB, ROOM, publish(Some(KEEP), "a", None));
    stage.tell(BOB, ROOM, BrokerRequest::RemoveHistory);
    stage.tell(BOB, ROOM, BrokerRequest::Join(client("x")));
    assert_eq!(stage.heard(BOB, ROOM).len(), 2);
    stage.tell(BOB, ROOM, BrokerRequest::Unsubscribe);
    stage.tell(BOB, ROOM, publish(Some(KEEP), "b", None));
    assert_eq!(stage.heard(BOB, ROOM), []);
    assert_eq!(stage.history(ROOM, KEEP, EVERYTHING).unwrap().0, [(2, "b".to_owned())]);
}

fn client(name: &str) -> ClientInfo {
    ClientInfo { user: "u".to_owned(), client: name.to_owned(), ..ClientInfo::default() }
}
