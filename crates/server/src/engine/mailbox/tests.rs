use spanwire_hub::Deed;
use spanwire_hub::broker::{BrokerAnswer, BrokerEvent, BrokerRequest, Draft, Listener, Ticket};
use spanwire_hub::channel::Channel;
use spanwire_hub::delivery::Delivery;
use spanwire_wire::message::Publication;

use super::*;
use crate::engine::letter::{Born, Request};

fn publication(channel: &str, offset: u64, bytes: usize) -> Letter {
    let publication = Publication { data: vec![b'x'; bytes].into(), offset, ..Publication::default() };
    Letter::Event(BrokerEvent::Publication(Channel::new(channel), Delivery::new(publication, None)), Born(0))
}

fn publish(channel: &str) -> Letter {
    let draft = Draft {
        publication: Publication::default(),
        history: None,
        idempotency_key: None,
        rate: Default::default(),
        delta: false,
    };
    let deed = Deed::Broker(BrokerRequest::Publish(draft));
    Letter::Request(Box::new(Request {
        from: Listener(0),
        ticket: Ticket(7),
        channel: Channel::new(channel),
        deed,
    }))
}

fn answer(ticket: u64) -> Letter {
    Letter::Event(BrokerEvent::Answer(Ticket(ticket), BrokerAnswer::Done), Born(0))
}

fn taken(mailbox: &Mailbox) -> (Vec<Letter>, u64) {
    let mut letters = Vec::new();
    let dropped = mailbox.take(&mut letters);
    (letters, dropped)
}

fn offsets(letters: &[Letter]) -> Vec<u64> {
    letters.iter().filter_map(Letter::publication).map(|(_, delivery)| delivery.publication.offset).collect()
}

fn rung(mailbox: &Mailbox) -> bool {
    rustix::io::read(mailbox.bell(), &mut [0; 8]).is_ok()
}

#[test]
fn letters_are_taken_in_the_order_in_which_they_were_put() {
    let mailbox = Mailbox::new().unwrap();
    let mut letters: Vec<_> = (1..=3).map(|offset| publication("a", offset, 1)).collect();
    mailbox.put_all(&mut letters, &mut Vec::new());
    mailbox.put(publication("a", 4, 1)).unwrap();
    assert_eq!(offsets(&taken(&mailbox).0), [1, 2, 3, 4]);
    assert!(taken(&mailbox).0.is_empty());
}

#[test]
fn the_bell_rings_once_for_everything_that_is_taken_together() {
    let mailbox = Mailbox::new().unwrap();
    assert!(!rung(&mailbox));
    mailbox.put(answer(1)).unwrap();
    assert!(rung(&mailbox));
    mailbox.put(answer(2)).unwrap();
    assert!(!rung(&mailbox));
    taken(&mailbox);
    mailbox.put(answer(3)).unwrap();
    assert!(rung(&mailbox));
}

/// Publications of one mebibyte, until some were dropped: how many went in before.
fn fill(mailbox: &Mailbox, channel: &str, sent: u64) -> u64 {
    let before = mailbox.depth().0;
    for offset in 1..=sent {
        mailbox.put(publication(channel, offset, 1 << 20)).unwrap();
    }
    (mailbox.depth().0 - before) as u64
}

#[test]
fn a_full_mailbox_drops_publications_but_shows_the_hole_by_the_latest_one() {
    let mailbox = Mailbox::new().unwrap();
    let kept = fill(&mailbox, "a", 40);
    assert!((10..=17).contains(&kept), "{kept}");
    mailbox.put(publication("b", 1, 10)).unwrap();
    let (letters, dropped) = taken(&mailbox);
    assert_eq!(dropped, 40 - kept + 1);
    let (in_time, late) = letters.split_at(kept as usize);
    assert_eq!(offsets(in_time), (1..=kept).collect::<Vec<_>>());
    let mut late = offsets(late);
    late.sort_unstable();
    assert_eq!(late, [1, 40], "the latest of each channel, and nothing else");
    let (letters, dropped) = {
        mailbox.put(publication("a", 41, 1)).unwrap();
        taken(&mailbox)
    };
    assert_eq!((offsets(&letters), dropped), (vec![41], 0), "an emptied mailbox takes everything again");
}

#[test]
fn what_a_mailbox_holds_is_bounded_however_many_publications_come() {
    let mailbox = Mailbox::new().unwrap();
    for round in 0..100 {
        fill(&mailbox, &format!("room:{round}"), 3);
    }
    let (letters, _) = taken(&mailbox);
    let held: usize = letters.iter().map(Letter::weight).sum();
    assert!(held <= MAILBOX_BYTES_MAX + holes_bytes_max() + (2 << 20), "{held}");
}

fn holes_bytes_max() -> usize {
    crate::engine::limits::HOLES_BYTES_MAX
}

#[test]
fn a_full_mailbox_gives_publishes_back_and_still_takes_answers() {
    let mailbox = Mailbox::new().unwrap();
    let kept = fill(&mailbox, "a", 40) as usize;
    assert!(matches!(mailbox.put(publish("c")), Err(NotTaken::Full(_))));
    let (mut letters, mut refused) = (vec![answer(1), publish("c"), answer(2)], Vec::new());
    mailbox.put_all(&mut letters, &mut refused);
    assert!(matches!(&refused[..], [letter] if letter.publishes()));
    let (letters, _) = taken(&mailbox);
    assert!(matches!(letters[kept], Letter::Event(BrokerEvent::Answer(Ticket(1), _), _)));
    assert!(matches!(letters[kept + 1], Letter::Event(BrokerEvent::Answer(Ticket(2), _), _)));
}

#[test]
fn a_closed_mailbox_takes_nothing_and_lets_go_of_what_it_has() {
    let mailbox = Mailbox::new().unwrap();
    let (census, mut answer) = tokio::sync::oneshot::channel();
    mailbox.put(Letter::Census(census)).unwrap();
    mailbox.close();
    assert!(answer.try_recv().is_err());
    assert!(matches!(mailbox.put(Letter::Stop), Err(NotTaken::Closed)));
    assert_eq!(mailbox.depth(), (0, 0));
}
