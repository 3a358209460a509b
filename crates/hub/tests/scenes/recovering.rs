use crate::support::World;

/// A client that comes back and says where it was. The result: the reply, and what it heard in all.
fn come_back(world: &mut World, channel: &str, offset: u64, epoch: &str) -> (String, Vec<String>) {
    let id = world.connect("ann");
    world.send(id, &resume(channel, offset, epoch));
    let lines = world.read(id);
    let heard = lines.join("\n").split(r#""data":"#).skip(1).map(|rest| rest[..1].to_owned()).collect();
    (lines[0].clone(), heard)
}

fn resume(channel: &str, offset: u64, epoch: &str) -> String {
    format!(
        r#"{{"id":2,"subscribe":{{"channel":"{channel}","recover":true,"offset":{offset},"epoch":"{epoch}"}}}}"#
    )
}

fn epoch_of(world: &mut World, channel: &str) -> String {
    let id = world.connect("reader");
    world.send(id, &format!(r#"{{"id":2,"history":{{"channel":"{channel}"}}}}"#));
    let reply = world.read(id).remove(0);
    let epoch = reply.split(r#""epoch":""#).nth(1).unwrap();
    epoch[..epoch.find('"').unwrap()].to_owned()
}

#[test]
fn what_was_missed_is_in_the_reply_whole_and_in_order() {
    let mut world = World::new();
    for data in ["1", "2", "3"] {
        world.publish("kept:x", data);
    }
    let epoch = epoch_of(&mut world, "kept:x");
    for (offset, expected) in [(0, &["1", "2", "3"][..]), (1, &["2", "3"]), (2, &["3"]), (3, &[])] {
        let (reply, heard) = come_back(&mut world, "kept:x", offset, &epoch);
        assert!(
            reply.contains(r#""recovered":true"#) && reply.contains(r#""was_recovering":true"#),
            "{reply}"
        );
        if offset > 0 {
            assert!(
                reply.contains(&format!(r#""offset":{offset},"positioned""#)),
                "the offset asked from: {reply}"
            );
        }
        assert_eq!(heard, expected);
    }
    world.end();
}

#[test]
fn what_cannot_be_recovered_whole_is_not_recovered_at_all_and_said_so() {
    let mut world = World::new();
    for data in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "1", "2"] {
        world.publish("kept:x", data);
    }
    let epoch = epoch_of(&mut world, "kept:x");
    for (offset, epoch) in [(0, epoch.as_str()), (1, &epoch), (13, &epoch), (12, "another")] {
        let (reply, heard) = come_back(&mut world, "kept:x", offset, epoch);
        assert!(!reply.contains(r#""recovered""#) && reply.contains(r#""was_recovering":true"#), "{reply}");
        assert!(reply.contains(r#""offset":12,"#), "{reply}");
        assert!(heard.is_empty());
    }
    world.end();
}

#[test]
fn a_client_that_reloads_by_itself_is_refused_instead() {
    let mut world = World::new();
    world.publish("kept:x", "1");
    let ann = world.connect("ann");
    world.send(
        ann,
        r#"{"id":2,"subscribe":{"channel":"kept:x","recover":true,"offset":1,"epoch":"another","flag":2}}"#,
    );
    assert_eq!(world.read(ann), [r#"{"id":2,"error":{"code":112,"message":"unrecoverable position"}}"#]);
    assert_eq!(world.hub.census().subscriptions, 0);
    world.end();
}

#[test]
fn a_publication_during_recovery_arrives_once_and_in_order() {
    let mut world = World::new();
    let _bob = world.subscriber("bob", "kept:x");
    world.publish("kept:x", "1");
    world.publish("kept:x", "2");
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &resume("kept:x", 0, ""));
    world.publish("kept:x", "3");
    world.release_with_late_answers(|world| {
        world.publish("kept:x", "4");
        world.publish("kept:x", "5");
    });
    world.publish("kept:x", "6");
    assert_eq!(world.heard(ann), ["1", "2", "3", "4", "5", "6"]);
    world.end();
}

#[test]
fn the_first_subscriber_of_a_shard_recovers_as_the_later_ones_do() {
    let mut world = World::new();
    world.publish("kept:x", "1");
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &resume("kept:x", 0, ""));
    world.publish("kept:x", "2");
    world.release_with_late_answers(|world| world.publish("kept:x", "3"));
    world.publish("kept:x", "4");
    assert_eq!(world.heard(ann), ["1", "2", "3", "4"]);
    world.end();
}

#[test]
fn a_hole_in_the_live_stream_ends_the_subscription_and_the_client_recovers() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "kept:x");
    let epoch = epoch_of(&mut world, "kept:x");
    world.publish("kept:x", "1");
    world.deaf = true;
    world.publish("kept:x", "2");
    world.deaf = false;
    world.publish("kept:x", "3");
    let lines = world.read(ann);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains(r#""data":1"#));
    assert_eq!(
        lines[1],
        r#"{"push":{"channel":"kept:x","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#
    );
    world.send(ann, &resume("kept:x", 1, &epoch));
    assert_eq!(world.heard(ann), ["2", "3"]);
    world.publish("kept:x", "4");
    assert_eq!(world.heard(ann), ["4"]);
    world.end();
}

#[test]
fn a_hole_that_opens_while_a_client_joins_is_told_too() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &resume("kept:x", 0, ""));
    world.release_with_late_answers(|world| {
        world.publish("kept:x", "1");
        world.deaf = true;
        world.publish("kept:x", "2");
        world.deaf = false;
        world.publish("kept:x", "3");
    });
    let lines = world.read(ann);
    assert!(lines.last().unwrap().contains(r#""unsubscribe":{"code":2500"#), "{lines:?}");
    world.end();
}

#[test]
fn a_new_epoch_ends_the_subscriptions_that_have_a_position_in_the_old_one() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "kept:x");
    world.publish("kept:x", "1");
    assert_eq!(world.heard(ann), ["1"]);
    let epoch = spanwire_hub::channel::Epoch::new("anew");
    let publication =
        spanwire_wire::message::Publication { data: "2".into(), offset: 2, ..Default::default() };
    let delivery = spanwire_hub::delivery::Delivery::new(publication, Some(epoch));
    let input = spanwire_hub::Input::Publication(spanwire_hub::channel::Channel::new("kept:x"), delivery);
    world.hub.handle(world.now, input);
    assert!(world.read(ann)[0].contains(r#""unsubscribe":{"code":2500"#));
    world.end();
}

#[test]
fn a_broker_that_repeats_itself_is_heard_once() {
    let mut world = World::new();
    let ann = world.subscriber("ann", "kept:x");
    let epoch = spanwire_hub::channel::Epoch::new(&epoch_of(&mut world, "kept:x"));
    for _ in 0..2 {
        let publication =
            spanwire_wire::message::Publication { data: "1".into(), offset: 1, ..Default::default() };
        let delivery = spanwire_hub::delivery::Delivery::new(publication, Some(epoch.clone()));
        let input = spanwire_hub::Input::Publication(spanwire_hub::channel::Channel::new("kept:x"), delivery);
        world.hub.handle(world.now, input);
    }
    assert_eq!(world.heard(ann), ["1"]);
    world.end();
}

#[test]
fn too_many_publications_while_a_client_joins_end_in_a_gap_told() {
    let limits = spanwire_hub::limits::Limits { joining_publications_max: 2, ..Default::default() };
    let mut world = World::with_limits(limits);
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &resume("kept:x", 0, ""));
    world.release_with_late_answers(|world| {
        for data in ["1", "2", "3"] {
            world.publish("kept:x", data);
        }
    });
    assert!(world.read(ann).last().unwrap().contains(r#""unsubscribe":{"code":2500"#));
    world.end();
}

#[test]
fn without_history_a_subscriber_hears_what_is_published_from_its_subscribe_on() {
    let mut world = World::new();
    world.publish("open:x", "1");
    let ann = world.subscriber("ann", "open:x");
    world.publish("open:x", "2");
    world.publish("open:x", "3");
    assert_eq!(world.heard(ann), ["2", "3"]);
    world.end();
}

#[test]
fn nothing_is_sent_from_behind_a_hole_that_opened_while_a_client_joined() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &resume("kept:x", 0, ""));
    world.release_with_late_answers(|world| {
        world.publish("kept:x", "1");
        world.deaf = true;
        world.publish("kept:x", "2");
        world.deaf = false;
        world.publish("kept:x", "3");
    });
    let epoch = epoch_of(&mut world, "kept:x");
    // A client takes the offset of the last publication for its position: hearing 3, it would never ask for 2.
    assert_eq!(world.heard(ann), ["1"]);
    world.send(ann, &resume("kept:x", 1, &epoch));
    assert_eq!(world.heard(ann), ["2", "3"]);
    world.end();
}

#[test]
fn a_client_that_finds_a_stream_begun_anew_keeps_its_own_subscription() {
    let mut world = World::new();
    let bob = world.subscriber("bob", "kept:x");
    world.publish("kept:x", "1");
    world.read(bob);
    world.renew_broker();
    let ann = world.subscriber("ann", "kept:x");
    assert!(world.read(bob)[0].contains(r#""unsubscribe":{"code":2500"#));
    world.publish("kept:x", "2");
    assert_eq!(world.heard(ann), ["2"]);
    world.end();
}

#[test]
fn an_answer_that_a_new_epoch_has_overtaken_ends_only_the_subscription_it_was_for() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &resume("kept:x", 0, ""));
    world.release_with_late_answers(|world| {
        world.renew_broker();
        // Whoever else listens here brings the shard back to the new broker's ears.
        world.subscriber("bob", "kept:x");
        world.publish("kept:x", "1");
    });
    assert!(world.read(ann).last().unwrap().contains(r#""unsubscribe":{"code":2500"#));
    world.publish("kept:x", "2");
    assert_eq!(world.hub.census().subscriptions, 1, "bob's");
    world.end();
}

#[test]
fn clients_that_join_together_each_recover_from_where_they_were() {
    let mut world = World::new();
    for data in ["1", "2", "3", "4"] {
        world.publish("kept:x", data);
    }
    let epoch = epoch_of(&mut world, "kept:x");
    let all: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().map(|name| world.connect(name)).collect();
    world.hold();
    for (offset, id) in all.iter().enumerate() {
        world.send(*id, &resume("kept:x", offset as u64, &epoch));
    }
    world.gone(all[1]);
    world.release_with_late_answers(|world| {
        world.publish("kept:x", "5");
        world.gone(all[0]);
    });
    assert_eq!(world.heard(all[2]), ["3", "4", "5"]);
    assert_eq!(world.heard(all[3]), ["4", "5"]);
    assert_eq!(world.heard(all[4]), ["5"]);
    world.publish("kept:x", "6");
    for id in &all[2..] {
        assert_eq!(world.heard(*id), ["6"]);
    }
    world.end();
}

#[test]
fn a_client_that_joins_hears_what_the_others_know_already() {
    let mut world = World::new();
    let ann = world.connect("ann");
    world.hold();
    world.send(ann, &resume("kept:x", 0, ""));
    let to_ann = world.release_without_answers();
    world.deaf = true;
    world.publish("kept:x", "1");
    world.deaf = false;
    // Bob's reply tells of it, and puts the audience ahead of the publication, which is on its way here still.
    let bob = world.connect("bob");
    world.send(bob, &resume("kept:x", 0, ""));
    assert_eq!(world.heard(bob), ["1"]);
    let epoch = spanwire_hub::channel::Epoch::new(&epoch_of(&mut world, "kept:x"));
    let publication =
        spanwire_wire::message::Publication { data: "1".into(), offset: 1, ..Default::default() };
    let delivery = spanwire_hub::delivery::Delivery::new(publication, Some(epoch));
    let input = spanwire_hub::Input::Publication(spanwire_hub::channel::Channel::new("kept:x"), delivery);
    world.hub.handle(world.now, input);
    world.arrive(to_ann);
    let lines = world.read(ann);
    assert!(lines.len() == 2 && lines[1].contains(r#""data":1,"offset":1"#), "{lines:?}");
    assert!(world.read(bob).is_empty());
    world.end();
}
