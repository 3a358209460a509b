//! A course: two shards, the telling, a line that may have a fault, and the endpoint.

use std::time::{Duration, Instant};

use bytes::Bytes;
use spanwire::events::{
    BatchLimits, Errand, Graces, Kind, Kinds, Moment, Outcome, QueueLimits, Telling, TellingSettings,
};
use spanwire_hub::happening::Happening;

use super::Fault;
use super::endpoint::{Endpoint, Mood};
use super::truth::Truth;
use crate::Chance;
use crate::hub_operations::{self, World};

/// Longest course that is played.
const STEPS_MAX: usize = 150;
/// Most requests of one step: far more than there are events.
const REQUESTS_MAX: usize = 10_000;
/// The room of a queue in which everything has room.
const ROOMY: usize = 100_000;

/// Plays a course, as [`event_courses`](super::event_courses) describes it, with a fault or without.
///
/// # Errors
/// What did not hold, in a sentence.
pub fn play(input: &[u8], fault: Option<Fault>) -> Result<(), String> {
    let (terms, steps) = input.split_first().unwrap_or((&0, &[]));
    let mut course = Course::new(*terms, fault);
    let (steps, _) = steps.as_chunks::<2>();
    for [what, about] in steps.iter().take(STEPS_MAX) {
        course.step(*what, *about)?;
    }
    course.end()
}

struct Course {
    shards: [World; 2],
    telling: Telling,
    truth: Truth,
    endpoint: Endpoint,
    has_graces: bool,
    is_roomy: bool,
    dawn: Instant,
    passed: Duration,
    rests_until: Duration,
    under_way: Option<Bytes>,
    /// A request that is overtaken.
    late: Option<Bytes>,
    fault: Option<Fault>,
    chance: Chance,
}

impl Course {
    fn new(terms: u8, fault: Option<Fault>) -> Self {
        let (has_graces, is_roomy) = (terms & 1 != 0, terms & 2 != 0);
        let grace = if has_graces { Duration::from_secs(3) } else { Duration::ZERO };
        let events_max = [1, 3, 10, 50][usize::from(terms >> 2 & 3)];
        let settings = TellingSettings {
            kinds: Kinds::of(Kind::CHOSEN),
            channels: Vec::new(),
            batch: BatchLimits {
                events_max,
                bytes_max: 4 << 10,
                interval: Duration::from_millis(u64::from(terms >> 4) * 50),
            },
            queue: QueueLimits { events_max: if is_roomy { ROOMY } else { 12 }, bytes_max: 64 << 20 },
            graces: Graces { disconnected: grace, vacated: grace },
            retry_wait_max: Duration::from_secs(5),
        };
        let mut truth = Truth::default();
        truth.begins();
        Self {
            shards: [7, 8].map(|seed| World::reporting([seed; 32])),
            telling: Telling::new(settings, "node \"1\"", "e", 0, [3; 32]),
            truth,
            endpoint: Endpoint::new(events_max),
            has_graces,
            is_roomy,
            dawn: Instant::now(),
            passed: Duration::ZERO,
            rests_until: Duration::ZERO,
            under_way: None,
            late: None,
            fault,
            chance: Chance::new(u64::from(terms)),
        }
    }

    fn step(&mut self, what: u8, about: u8) -> Result<(), String> {
        match what & 0x7f {
            112..=119 => {
                let moods = [Mood::Takes, Mood::Slow, Mood::Unwell, Mood::Mute, Mood::Picky];
                self.endpoint.mood = moods[usize::from(about) % moods.len()];
            }
            120.. => {
                self.passed += Duration::from_millis(u64::from(about) * 100);
                self.shards.iter_mut().for_each(|shard| shard.pass(about));
            }
            what => hub_operations::step(&mut self.shards[usize::from(about >> 3 & 1)], what, about),
        }
        self.hand_over();
        self.bring(false)
    }

    /// Everybody goes, and the endpoint takes what it is told.
    fn end(mut self) -> Result<(), String> {
        for place in 0..self.shards.len() {
            self.shards[place].send_all_home();
            self.hand_over();
        }
        self.telling.stopped(0);
        self.truth.ends();
        self.endpoint.mood = Mood::Takes;
        self.bring(true)?;
        self.check()
    }

    /// A turn of each shard ends.
    fn hand_over(&mut self) {
        for place in 0..self.shards.len() {
            let mut happenings = self.shards[place].take_happened();
            happenings.iter().for_each(|happening| self.truth.happened(happening));
            self.spoil(&mut happenings);
            for happening in &happenings {
                self.telling.happened(self.moment(), happening);
            }
        }
    }

    fn spoil(&mut self, happenings: &mut Vec<Happening>) {
        if happenings.is_empty() {
            return;
        }
        let place = self.chance.below(happenings.len());
        if self.strikes(Fault::LostHappening) {
            happenings.remove(place);
        } else if self.strikes(Fault::DoubledHappening) {
            happenings.insert(place, happenings[place].clone());
        } else if place > 0 && self.strikes(Fault::SwappedHappenings) {
            happenings.swap(place - 1, place);
        }
    }

    /// The courier does what there is to do now; at the end, whatever is left.
    fn bring(&mut self, is_ending: bool) -> Result<(), String> {
        for _ in 0..REQUESTS_MAX {
            let body = match self.under_way.take() {
                Some(body) => body,
                None if self.passed < self.rests_until && !is_ending => return Ok(()),
                None => match self.telling.next(self.moment().at, is_ending) {
                    Errand::Bring(body) => body,
                    Errand::Wait(_) => return Ok(()),
                },
            };
            if self.endpoint.mood == Mood::Slow {
                self.under_way = Some(body);
                return Ok(());
            }
            let outcome = self.post(&body)?;
            self.rests_until = self.passed + self.telling.ended(outcome).pause;
        }
        Err("there is no end of requests".to_owned())
    }

    /// Over a line that may have a fault.
    fn post(&mut self, body: &Bytes) -> Result<Outcome, String> {
        if self.late.is_none() && self.strikes(Fault::Overtaken) {
            self.late = Some(body.clone());
            return Ok(Outcome::Taken);
        }
        if self.strikes(Fault::FalseAnswer) {
            return Ok(Outcome::Taken);
        }
        if self.strikes(Fault::CutRequest)
            && let Some(whole) = std::str::from_utf8(body).ok().and_then(|text| text.rsplit_once(",{\"seq\""))
        {
            return self.endpoint.post(format!("{}]}}", whole.0).as_bytes());
        }
        let outcome = self.endpoint.post(body)?;
        if let Some(late) = self.late.take() {
            self.endpoint.post(&late)?;
        }
        Ok(outcome)
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        self.fault == Some(fault) && self.chance.below(4) == 0
    }

    fn moment(&self) -> Moment {
        Moment { at: self.dawn + self.passed, unix_ms: u64::try_from(self.passed.as_millis()).unwrap_or(0) }
    }

    /// The books at the end, against the truth.
    fn check(&self) -> Result<(), String> {
        let endpoint = &self.endpoint;
        let counted = self.telling.snapshot();
        let (told, dropped): (u64, u64) = (counted.told.values().sum(), counted.dropped.values().sum());
        if (counted.queued, counted.held, told) != (0, 0, endpoint.last) {
            return Err(format!("{} were told, of {counted:?}", endpoint.last));
        }
        if counted.delivered + dropped != told {
            return Err(format!("who had the others? {counted:?}"));
        }
        if self.is_roomy && !endpoint.has_refused && endpoint.missing > 0 {
            return Err(format!("{} are missing, and nobody had a reason", endpoint.missing));
        }
        if endpoint.missing == 0 {
            endpoint.is_closed()?;
            for kind in ["subscribed", "unsubscribed"] {
                if endpoint.count(kind) != self.truth.count(kind) {
                    return Err(format!("{} {kind} of {}", endpoint.count(kind), self.truth.count(kind)));
                }
            }
        }
        if self.has_graces {
            return Ok(());
        }
        for (place, event) in &endpoint.events {
            match self.truth.at(*place) {
                Some(told) if told.is(event) => {}
                other => return Err(format!("{event} was told, and what happened was {other:?}")),
            }
        }
        if endpoint.last != self.truth.len() {
            return Err(format!("{} were told, and {} happened", endpoint.last, self.truth.len()));
        }
        Ok(())
    }
}
