//! The broker in memory at its limits: it may forget, but what it says is true.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use spanwire_hub::broker::{BrokerAnswer, BrokerEvent, MemoryBroker, MemoryLimits, MemoryUsage};
use spanwire_hub::channel::{Epoch, Position};
use spanwire_wire::message::Publication;

use crate::requests::{Asked, Era, Since, Step, What, request, steps};

const CHANNELS: usize = 6;

/// Room for about three publications, two streams and three keys.
fn tight() -> MemoryLimits {
    MemoryLimits {
        idle_streams_max: 2,
        history_bytes_max: 3 * size_of::<Publication>() + 100,
        idempotency_window: Duration::from_secs(40),
        idempotency_keys_per_channel_max: 2,
        idempotency_bytes_max: 2000,
    }
}

/// What a client could know: the positions that it was told, and what was published where.
#[derive(Debug, Default)]
struct Ledger {
    tops: BTreeMap<usize, Position>,
    published: BTreeMap<String, Vec<String>>,
}

impl Ledger {
    fn position(&self, channel: usize, since: &Since) -> Position {
        let named = match since.epoch {
            Era::Current => self.tops.get(&channel),
            Era::Former(other) => self.tops.get(&other),
            Era::Unknown | Era::None => None,
        };
        let epoch = named.map_or_else(|| Epoch::new(""), |top| top.epoch.clone());
        let offset = named.map_or(0, |top| top.offset);
        Position { offset: (offset + 2).saturating_sub(since.down), epoch }
    }

    /// Notes the top of a stream, which must be what was published in its epoch.
    fn note_top(&mut self, channel: usize, top: &Position) {
        let count = self.published.entry(top.epoch.as_str().to_owned()).or_default().len() as u64;
        assert_eq!(top.offset, count, "offsets count what was published in an epoch");
        self.tops.insert(channel, top.clone());
    }

    /// Checks that these publications are the ones behind a position, `count` of them.
    fn check_behind(&self, since: u64, epoch: &Epoch, count: usize, found: &[Publication]) {
        let all = &self.published[epoch.as_str()];
        let expected = (since + 1..).zip(&all[since as usize..]).take(count);
        let found =
            found.iter().map(|found| (found.offset, String::from_utf8_lossy(&found.data).into_owned()));
        assert!(
            found.eq(expected.map(|(offset, data)| (offset, data.clone()))),
            "a part was told for the whole"
        );
    }

    fn check(
        &mut self,
        channel: usize,
        what: &What,
        since: Option<Position>,
        data: String,
        answer: BrokerAnswer,
    ) {
        match (answer, what) {
            (BrokerAnswer::Published(Some(position)), What::Publish { key, .. }) => {
                let stream = self.published.entry(position.epoch.as_str().to_owned()).or_default();
                if position.offset == stream.len() as u64 + 1 {
                    stream.push(data);
                    self.note_top(channel, &position);
                } else {
                    assert!(
                        key.is_some() && position.offset <= stream.len() as u64,
                        "only a repeat is answered so"
                    );
                }
            }
            (
                BrokerAnswer::Subscribed { top: Some(top), recalled: missed },
                What::Subscribe { limit, .. },
            ) => {
                self.note_top(channel, &top);
                if let (Some(missed), Some(since)) = (missed, since) {
                    assert!(missed.len() <= *limit);
                    self.check_behind(since.offset, &top.epoch, usize::MAX, &missed);
                }
            }
            (BrokerAnswer::History { publications, top }, What::History { limit, is_reverse: false, .. }) => {
                self.note_top(channel, &top);
                if let Some(since) = since {
                    self.check_behind(since.offset, &top.epoch, limit.unwrap_or(usize::MAX), &publications);
                }
            }
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn a_broker_at_its_limits_forgets_but_never_tells_a_part_for_the_whole(steps in steps(CHANNELS)) {
        let limits = tight();
        let mut asked = Asked::new(MemoryBroker::new(limits.clone(), [5; 32]));
        let mut ledger = Ledger::default();
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Pass { seconds, is_swept } => asked.pass(*seconds, *is_swept),
                Step::Ask { from, channel, what } => {
                    let data = number.to_string();
                    let request = request(what, &data, |since| ledger.position(*channel, since));
                    let since = match what {
                        What::Subscribe { since, .. } | What::History { since, .. } => since.as_ref(),
                        _ => None,
                    };
                    let since = since.map(|since| ledger.position(*channel, since));
                    let Some((_, BrokerEvent::Answer(_, answer))) = asked.ask(*from, *channel, request).pop() else {
                        panic!("the answer comes last")
                    };
                    ledger.check(*channel, what, since, data, answer);
                }
            }
            let usage = asked.broker.usage();
            prop_assert!(usage.idle_streams <= limits.idle_streams_max, "{:?}", usage);
            prop_assert!(usage.history_bytes <= limits.history_bytes_max, "{:?}", usage);
            prop_assert!(usage.idempotency_bytes <= limits.idempotency_bytes_max, "{:?}", usage);
        }
    }

    #[test]
    fn a_broker_that_everybody_left_costs_nothing_after_a_while(steps in steps(CHANNELS), is_tight in any::<bool>()) {
        let limits = if is_tight { tight() } else { MemoryLimits::default() };
        let mut asked = Asked::new(MemoryBroker::new(limits, [5; 32]));
        play(&mut asked, &steps);
        for _ in 0..asked.broker.usage().subscribers {
            for (channel, listener) in (0..CHANNELS).flat_map(|channel| (0..3).map(move |listener| (channel, listener))) {
                asked.ask(listener, channel, request(&What::Unsubscribe, "", |_| unreachable!()));
            }
        }
        asked.pass(3600, true);
        prop_assert_eq!(asked.broker.usage(), MemoryUsage::default());
    }

    #[test]
    fn the_same_requests_give_the_same_events(steps in steps(CHANNELS), is_tight in any::<bool>()) {
        let limits = if is_tight { tight() } else { MemoryLimits::default() };
        let run = || play(&mut Asked::new(MemoryBroker::new(limits.clone(), [5; 32])), &steps);
        prop_assert_eq!(run(), run());
    }
}

/// All events that come of these steps, printed.
fn play(asked: &mut Asked, steps: &[Step]) -> Vec<String> {
    let mut events = Vec::new();
    for step in steps {
        match step {
            Step::Pass { seconds, is_swept } => asked.pass(*seconds, *is_swept),
            Step::Ask { from, channel, what } => {
                let epoch = Epoch::new("");
                let request =
                    request(what, "x", |since| Position { offset: since.down, epoch: epoch.clone() });
                events.extend(asked.ask(*from, *channel, request).iter().map(|event| format!("{event:?}")));
            }
        }
    }
    events
}
