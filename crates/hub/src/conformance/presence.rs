//! Scenes about presence, in the order of the promises in [`crate::presence`].

use std::collections::BTreeMap;

use bytes::Bytes;
use spanwire_wire::message::ClientInfo;

use super::stage::{ALL, ANN, BOB, CYD, Stage};
use super::{Harness, play};
use crate::presence::{Presence, PresenceAnswer, PresenceRequest};

const ROOM: &str = "room";
const OTHER: &str = "other";

/// Plays all scenes.
pub(super) fn play_all<H: Harness<Subject: Presence>>(harness: &mut H) {
    play(harness, who_was_added_is_seen_by_all_until_removed);
    play(harness, who_is_added_again_is_there_once_with_the_latest_info);
    play(harness, users_count_once_however_many_clients_they_have);
    play(harness, each_channel_is_entered_by_itself);
    play(harness, whoever_was_not_there_can_be_removed);
    play(harness, requests_of_one_listener_take_effect_in_their_order);
    play(harness, nobody_gets_no_answer);
    play(harness, an_entry_lives_as_long_as_its_lease);
}

fn who_was_added_is_seen_by_all_until_removed<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>) {
    assert_eq!(there(stage, ROOM), BTreeMap::new());
    let infos = [info("c1", "ann", "1"), info("c2", "bob", "2"), info("c3", "cyd", "3")];
    for (from, info) in ALL.into_iter().zip(&infos) {
        assert_eq!(stage.ask_presence(from, ROOM, PresenceRequest::Add(info.clone())), PresenceAnswer::Done);
    }
    assert_eq!(there(stage, ROOM), by_client(&infos));
    for count in (0..infos.len()).rev() {
        let request = PresenceRequest::Remove(infos[count].client.clone());
        assert_eq!(stage.ask_presence(ALL[count], ROOM, request), PresenceAnswer::Done);
        assert_eq!(there(stage, ROOM), by_client(&infos[..count]));
        assert_eq!(count_there(stage, ROOM), (count as u32, count as u32));
    }
}

fn who_is_added_again_is_there_once_with_the_latest_info<H: Harness<Subject: Presence>>(
    stage: &mut Stage<'_, H>,
) {
    add(stage, ROOM, info("c1", "ann", "1"));
    add(stage, ROOM, info("c1", "ann", "2"));
    assert_eq!(there(stage, ROOM), by_client(&[info("c1", "ann", "2")]));
    assert_eq!(count_there(stage, ROOM), (1, 1));
    // A refresh may name another user.
    add(stage, ROOM, info("c1", "bob", "3"));
    add(stage, ROOM, info("c2", "bob", "4"));
    assert_eq!(count_there(stage, ROOM), (2, 1));
    remove(stage, ROOM, "c1");
    assert_eq!(count_there(stage, ROOM), (1, 1));
}

fn users_count_once_however_many_clients_they_have<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>) {
    let table = [
        ("c1", "ann", (1, 1)),
        ("c2", "ann", (2, 1)),
        ("c3", "", (3, 2)),
        ("c4", "", (4, 2)),
        ("c5", "bob", (5, 3)),
    ];
    for (client, user, expected) in table {
        add(stage, ROOM, info(client, user, "1"));
        assert_eq!(count_there(stage, ROOM), expected, "after {client} came");
    }
    for (client, expected) in [("c1", (4, 3)), ("c2", (3, 2)), ("c5", (2, 1)), ("c3", (1, 1)), ("c4", (0, 0))]
    {
        remove(stage, ROOM, client);
        assert_eq!(count_there(stage, ROOM), expected, "after {client} went");
    }
}

fn each_channel_is_entered_by_itself<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>) {
    add(stage, ROOM, info("c1", "ann", "1"));
    add(stage, OTHER, info("c1", "ann", "2"));
    assert_eq!(there(stage, ROOM), by_client(&[info("c1", "ann", "1")]));
    remove(stage, ROOM, "c1");
    assert_eq!(there(stage, ROOM), BTreeMap::new());
    assert_eq!(there(stage, OTHER), by_client(&[info("c1", "ann", "2")]));
}

fn whoever_was_not_there_can_be_removed<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>) {
    remove(stage, ROOM, "c1");
    add(stage, ROOM, info("c1", "ann", "1"));
    remove(stage, ROOM, "c2");
    assert_eq!(there(stage, ROOM), by_client(&[info("c1", "ann", "1")]));
    assert_eq!(count_there(stage, ROOM), (1, 1));
}

fn requests_of_one_listener_take_effect_in_their_order<H: Harness<Subject: Presence>>(
    stage: &mut Stage<'_, H>,
) {
    let ann = info("c1", "ann", "1");
    let requests = [
        PresenceRequest::Add(ann.clone()),
        PresenceRequest::Remove("c1".to_owned()),
        PresenceRequest::Get,
        PresenceRequest::Add(info("c1", "ann", "0")),
        PresenceRequest::Add(ann.clone()),
        PresenceRequest::Stats,
        PresenceRequest::Get,
    ];
    let tickets = requests.map(|request| stage.submit_presence(BOB, ROOM, request));
    let answers = tickets.map(|ticket| stage.presence_answer(ticket));
    assert_eq!(answers[2], PresenceAnswer::Clients(BTreeMap::new()));
    assert_eq!(answers[5], PresenceAnswer::Stats { clients: 1, users: 1 });
    assert_eq!(answers[6], PresenceAnswer::Clients(by_client(&[ann])));
}

fn nobody_gets_no_answer<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>) {
    // The stage fails if it sees an answer that no ticket asked for.
    stage.tell_presence(CYD, ROOM, PresenceRequest::Add(info("c1", "ann", "1")));
    stage.tell_presence(CYD, ROOM, PresenceRequest::Get);
    assert_eq!(there(stage, ROOM), by_client(&[info("c1", "ann", "1")]));
    stage.tell_presence(CYD, ROOM, PresenceRequest::Remove("c1".to_owned()));
    assert_eq!(there(stage, ROOM), BTreeMap::new());
}

fn an_entry_lives_as_long_as_its_lease<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>) {
    let ann = info("c1", "ann", "1");
    add(stage, ROOM, ann.clone());
    let Some(lease) = stage.lease() else {
        stage.pass(std::time::Duration::from_secs(3600 * 24));
        assert_eq!(there(stage, ROOM), by_client(&[ann]), "without a lease it stays until removed");
        return;
    };
    for _ in 0..3 {
        stage.pass(lease * 2 / 3);
        assert_eq!(there(stage, ROOM), by_client(std::slice::from_ref(&ann)), "it was renewed in time");
        add(stage, ROOM, ann.clone());
    }
    stage.pass(lease * 2);
    assert_eq!(there(stage, ROOM), BTreeMap::new(), "it was not renewed");
    assert_eq!(count_there(stage, ROOM), (0, 0));
}

fn add<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>, channel: &str, info: ClientInfo) {
    assert_eq!(stage.ask_presence(ANN, channel, PresenceRequest::Add(info)), PresenceAnswer::Done);
}

fn remove<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>, channel: &str, client: &str) {
    let request = PresenceRequest::Remove(client.to_owned());
    assert_eq!(stage.ask_presence(ANN, channel, request), PresenceAnswer::Done);
}

/// Who is there, as a listener sees it that had no part in it.
fn there<H: Harness<Subject: Presence>>(
    stage: &mut Stage<'_, H>,
    channel: &str,
) -> BTreeMap<String, ClientInfo> {
    match stage.ask_presence(CYD, channel, PresenceRequest::Get) {
        PresenceAnswer::Clients(clients) => clients,
        other => panic!("{other:?}"),
    }
}

fn count_there<H: Harness<Subject: Presence>>(stage: &mut Stage<'_, H>, channel: &str) -> (u32, u32) {
    match stage.ask_presence(CYD, channel, PresenceRequest::Stats) {
        PresenceAnswer::Stats { clients, users } => (clients, users),
        other => panic!("{other:?}"),
    }
}

fn info(client: &str, user: &str, data: &'static str) -> ClientInfo {
    let conn_info = Bytes::from_static(data.as_bytes());
    ClientInfo { client: client.to_owned(), user: user.to_owned(), conn_info, chan_info: Bytes::new() }
}

fn by_client(infos: &[ClientInfo]) -> BTreeMap<String, ClientInfo> {
    infos.iter().map(|info| (info.client.clone(), info.clone())).collect()
}
