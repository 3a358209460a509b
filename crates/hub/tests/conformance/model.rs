//! The broker in memory against a model of it: a list of everything that was ever published.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use spanwire_hub::broker::{BrokerAnswer, BrokerEvent, Listener, MemoryBroker, MemoryLimits};
use spanwire_hub::channel::{Epoch, Position};
use spanwire_wire::message::Publication;

use crate::requests::{Asked, Era, HISTORY, Since, Step, What, request, steps};

const CHANNELS: usize = 2;
const WINDOW: Duration = Duration::from_secs(40);

/// A publication that once was, in one life of one channel's stream.
#[derive(Clone, Debug)]
struct Ever {
    life: usize,
    offset: u64,
    data: String,
    at_ms: u64,
    is_gone: bool,
}

#[derive(Debug, Default)]
struct Room {
    /// Whose each subscriber is.
    subscribers: Vec<u16>,
    life: Option<usize>,
    used_ms: u64,
}

/// Where something lies: the life of the stream, and the offset in it.
type Place = (usize, u64);

/// What a request should be answered.
#[derive(Debug, PartialEq)]
enum Outcome {
    Published(Option<Place>),
    Subscribed(Place, Option<Vec<(u64, String)>>),
    History(Place, Vec<(u64, String)>),
    Refused,
    Done,
}

#[derive(Debug, Default)]
struct Model {
    ever: Vec<Ever>,
    rooms: [Room; CHANNELS],
    lives: usize,
    /// How the broker calls the lives, as far as it has told.
    epochs: BTreeMap<usize, Epoch>,
    /// Channel, key, place answered, and until when that is remembered.
    keys: Vec<(usize, u8, Option<Place>, u64)>,
}

impl Model {
    /// Whatever has outlived its time is gone, whether or not anybody looked.
    fn pass(&mut self, now_ms: u64) {
        for room in &mut self.rooms {
            let Some(life) = room.life else { continue };
            let of_life = |ever: &&mut Ever| ever.life == life;
            let last = self.ever.iter_mut().filter(of_life).map(|ever| ever.at_ms).max();
            if last.is_some_and(|last| last + ms(HISTORY.ttl) <= now_ms) {
                self.ever.iter_mut().filter(of_life).for_each(|ever| ever.is_gone = true);
            }
            if room.subscribers.is_empty() && room.used_ms + ms(HISTORY.meta_ttl) <= now_ms {
                room.life = None;
            }
        }
        self.keys.retain(|(.., until)| *until > now_ms);
    }

    fn use_room(&mut self, channel: usize, now_ms: u64) -> usize {
        let room = &mut self.rooms[channel];
        room.used_ms = now_ms;
        *room.life.get_or_insert_with(|| {
            self.lives += 1;
            self.lives - 1
        })
    }

    fn top(&self, life: usize) -> u64 {
        self.ever.iter().filter(|ever| ever.life == life).count() as u64
    }

    fn kept(&self, life: usize) -> Vec<(u64, String)> {
        let kept = self.ever.iter().filter(|ever| ever.life == life && !ever.is_gone);
        kept.map(|ever| (ever.offset, ever.data.clone())).collect()
    }

    /// The position that a step means, and the life that it names (`None` is none that ever was).
    fn position(&self, channel: usize, since: &Since) -> (Position, Option<usize>) {
        let current = self.rooms[channel].life;
        let top = current.map_or(0, |life| self.top(life));
        let offset = (top + 2).saturating_sub(since.down);
        let named = match since.epoch {
            Era::Current => current,
            Era::Former(back) => self.lives.checked_sub(back + 1),
            Era::Unknown | Era::None => None,
        };
        let epoch = match (&since.epoch, named.and_then(|life| self.epochs.get(&life))) {
            (_, Some(epoch)) => return (Position { offset, epoch: epoch.clone() }, named),
            (Era::Unknown, _) => "unknown",
            _ => "",
        };
        (Position { offset, epoch: Epoch::new(epoch) }, None)
    }

    /// Whether a position lies in this life.
    fn is_of(&self, life: usize, (position, named): &(Position, Option<usize>)) -> bool {
        (position.epoch.as_str().is_empty() || *named == Some(life)) && position.offset <= self.top(life)
    }

    /// What should come of a request, and who should hear of it.
    fn ask(
        &mut self,
        from: u16,
        channel: usize,
        what: &What,
        data: &str,
        now_ms: u64,
    ) -> (Outcome, BTreeSet<u16>) {
        let listeners = self.rooms[channel].subscribers.iter().copied().collect();
        let nobody = BTreeSet::new();
        match what {
            What::Publish { is_kept, key } => {
                let known =
                    self.keys.iter().find(|(of, known, ..)| *of == channel && Some(known) == key.as_ref());
                if let Some((.., place, _)) = known {
                    return (Outcome::Published(*place), nobody);
                }
                let place = is_kept.then(|| self.publish(channel, data, now_ms));
                self.keys.extend(key.map(|key| (channel, key, place, now_ms + ms(WINDOW))));
                (Outcome::Published(place), listeners)
            }
            What::Subscribe { most: Some(most), .. }
                if self.rooms[channel].subscribers.len() >= most.get() as usize =>
            {
                (Outcome::Refused, nobody)
            }
            What::Subscribe { since, limit, .. } => {
                let since = since.as_ref().map(|since| self.position(channel, since));
                let life = self.use_room(channel, now_ms);
                self.rooms[channel].subscribers.push(from);
                let missed =
                    since.and_then(|since| self.behind(life, &since)).filter(|missed| missed.len() <= *limit);
                (Outcome::Subscribed((life, self.top(life)), missed), nobody)
            }
            What::SubscribeToLatest => {
                let life = self.use_room(channel, now_ms);
                self.rooms[channel].subscribers.push(from);
                let latest = self.kept(life).pop().map(|latest| vec![latest]);
                (Outcome::Subscribed((life, self.top(life)), latest), nobody)
            }
            What::History { since, limit, is_reverse } => {
                let since = since.as_ref().map(|since| self.position(channel, since));
                let life = self.use_room(channel, now_ms);
                let found = match (since, is_reverse) {
                    (None, _) => Some(self.kept(life)),
                    (Some(since), false) => self.behind(life, &since),
                    (Some(since), true) => self.is_of(life, &since).then(|| {
                        self.kept(life).into_iter().filter(|(offset, _)| *offset < since.0.offset).collect()
                    }),
                };
                let Some(mut found) = found else { return (Outcome::Refused, nobody) };
                if *is_reverse {
                    found.reverse();
                }
                found.truncate(limit.unwrap_or(usize::MAX));
                (Outcome::History((life, self.top(life)), found), nobody)
            }
            What::Unsubscribe => {
                let room = &mut self.rooms[channel];
                if let Some(leaving) = room.subscribers.iter().position(|of| *of == from) {
                    room.subscribers.swap_remove(leaving);
                    if room.subscribers.is_empty() {
                        room.used_ms = now_ms;
                    }
                }
                (Outcome::Done, nobody)
            }
            What::Join | What::Leave => (Outcome::Done, listeners),
            What::RemoveHistory => {
                let life = self.rooms[channel].life;
                self.ever
                    .iter_mut()
                    .filter(|ever| Some(ever.life) == life)
                    .for_each(|ever| ever.is_gone = true);
                (Outcome::Done, nobody)
            }
        }
    }

    fn publish(&mut self, channel: usize, data: &str, now_ms: u64) -> Place {
        let life = self.use_room(channel, now_ms);
        let offset = self.top(life) + 1;
        self.ever.push(Ever { life, offset, data: data.to_owned(), at_ms: now_ms, is_gone: false });
        let too_old = |ever: &&mut Ever| ever.life == life && ever.offset + HISTORY.size as u64 <= offset;
        self.ever.iter_mut().filter(too_old).for_each(|ever| ever.is_gone = true);
        (life, offset)
    }

    /// Everything behind a position, if it is all kept.
    fn behind(&self, life: usize, since: &(Position, Option<usize>)) -> Option<Vec<(u64, String)>> {
        let kept: Vec<_> =
            self.kept(life).into_iter().filter(|(offset, _)| *offset > since.0.offset).collect();
        (self.is_of(life, since) && kept.len() as u64 == self.top(life) - since.0.offset).then_some(kept)
    }

    /// Reads an answer in the model's terms: epochs become lives.
    fn outcome(&mut self, answer: &BrokerAnswer, expected: &Outcome) -> Outcome {
        let life = match expected {
            Outcome::Published(Some((life, _)))
            | Outcome::Subscribed((life, _), _)
            | Outcome::History((life, _), _) => *life,
            Outcome::Published(None) | Outcome::Refused | Outcome::Done => usize::MAX,
        };
        match answer {
            BrokerAnswer::Published(position) => {
                Outcome::Published(position.as_ref().map(|position| self.place(life, position)))
            }
            BrokerAnswer::Subscribed { top, recalled } => {
                let place = self.place(life, top.as_ref().expect("every channel here has history"));
                Outcome::Subscribed(place, recalled.as_deref().map(briefs))
            }
            BrokerAnswer::History { publications, top } => {
                Outcome::History(self.place(life, top), briefs(publications))
            }
            BrokerAnswer::Refused(_) => Outcome::Refused,
            BrokerAnswer::Done => Outcome::Done,
        }
    }

    /// The place of a position, if its epoch is what the broker calls this life, and no other.
    fn place(&mut self, life: usize, position: &Position) -> Place {
        let known = self.epochs.iter().find(|(_, epoch)| **epoch == position.epoch).map(|(life, _)| *life);
        let known = known.unwrap_or_else(|| {
            let name = self.epochs.entry(life).or_insert_with(|| position.epoch.clone());
            assert_eq!(*name, position.epoch, "a life keeps its epoch");
            life
        });
        (known, position.offset)
    }
}

proptest! {
    #[test]
    fn a_broker_answers_like_a_list_of_everything_ever_published(steps in steps(CHANNELS)) {
        let limits = MemoryLimits { idempotency_window: WINDOW, ..MemoryLimits::default() };
        let mut asked = Asked::new(MemoryBroker::new(limits, [3; 32]));
        let mut model = Model::default();
        for (number, step) in steps.iter().enumerate() {
            let (from, channel, what) = match step {
                Step::Pass { seconds, is_swept } => {
                    asked.pass(*seconds, *is_swept);
                    model.pass(asked.clock_ms);
                    continue;
                }
                Step::Ask { from, channel, what } => (*from, *channel, what),
            };
            let data = number.to_string();
            let request = request(what, &data, |since| model.position(channel, since).0);
            let (expected, hearers) = model.ask(from, channel, what, &data, asked.clock_ms);
            let mut events = asked.ask(from, channel, request);
            let Some((to, BrokerEvent::Answer(_, answer))) = events.pop() else { panic!("the answer comes last") };
            prop_assert_eq!(to, Listener(from));
            let outcome = model.outcome(&answer, &expected);
            prop_assert_eq!(&outcome, &expected);
            let mut heard = BTreeSet::new();
            for (listener, event) in events {
                prop_assert!(heard.insert(listener.0), "{:?} hears it twice", listener);
                let said = said(&event);
                prop_assert_eq!(said, (channel.to_string(), data.clone(), offset_of(&expected)));
            }
            prop_assert_eq!(heard, hearers);
        }
    }
}

/// The channel of an event, what it says, and at which offset.
fn said(event: &BrokerEvent) -> (String, String, u64) {
    match event {
        BrokerEvent::Publication(channel, delivery) => {
            let (offset, data) = brief(&delivery.publication);
            let carried = delivery.publication.epoch.as_str();
            let epoch = delivery.epoch.as_ref().map_or("", Epoch::as_str);
            assert_eq!(
                carried,
                if offset == 1 { epoch } else { "" },
                "the first publication carries the epoch"
            );
            (channel.to_string(), data, offset)
        }
        BrokerEvent::Join(channel, info) | BrokerEvent::Leave(channel, info) => {
            (channel.to_string(), info.client.clone(), 0)
        }
        BrokerEvent::Answer(..) => panic!("one answer to one request"),
    }
}

fn offset_of(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Published(Some((_, offset))) => *offset,
        _ => 0,
    }
}

fn brief(publication: &Publication) -> (u64, String) {
    (publication.offset, String::from_utf8_lossy(&publication.data).into_owned())
}

fn briefs(publications: &[Publication]) -> Vec<(u64, String)> {
    publications.iter().map(brief).collect()
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}
