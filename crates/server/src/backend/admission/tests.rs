//! A crowd before a backend, on a clock that moves when told.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

const MILLI: Duration = Duration::from_millis(1);
const LIMITS: AdmissionLimits = AdmissionLimits {
    in_flight_max: 20,
    waiting_max: 10_000,
    waiting_bytes_max: 1 << 20,
    wait_max: Duration::from_secs(2),
};

/// A client's question: when the client first came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Came(Instant);

impl Weigh for Came {
    fn weight(&self) -> usize {
        64
    }
}

/// A backend that answers as this says of the time since the beginning; `None` is a failure after a second.
type Temper = fn(Duration) -> Option<Duration>;

/// What became of a crowd.
#[derive(Debug, Default)]
struct Story {
    in_flight_most: usize,
    asked: usize,
    sent_away: usize,
    /// When each was let in, after the beginning.
    let_in: Vec<Duration>,
    /// The longest wait between coming, for whatever time it was, and an answer or being sent away.
    kept_longest: Duration,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Comes(Came),
    Ends { begun: Instant, what: Came, fails: bool },
}

/// Lets a crowd come at once and again when it is told to, until all are in.
fn play(many: usize, temper: Temper) -> Story {
    let dawn = Instant::now();
    let mut admission = Admission::new(LIMITS, [5; 32]);
    let mut story = Story::default();
    let mut agenda: BinaryHeap<_> = (0..many).map(|_| Reverse((dawn, Happens::Comes(Came(dawn))))).collect();
    while story.let_in.len() < many {
        let due = admission.next_deadline(story.now(dawn, &agenda));
        let now = match (agenda.peek(), due) {
            (Some(Reverse((at, _))), Some(due)) => (*at).min(due),
            (Some(Reverse((at, _))), None) => *at,
            (None, due) => due.expect("somebody is still to come in"),
        };
        assert!(now < dawn + Duration::from_secs(600), "they never come in: {story:?}");
        while let Some(Reverse((_, happens))) = agenda.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            agenda.pop();
            match happens {
                Happens::Comes(_) => {
                    if let Err(SentAway { wait, .. }) = admission.offer(now, Came(now)) {
                        story.sent_away += 1;
                        agenda.push(Reverse((now + wait, Happens::Comes(Came(now)))));
                    }
                }
                Happens::Ends { begun, what, fails } => {
                    story.kept_longest = story.kept_longest.max(now - what.0);
                    admission.done(begun, now, if fails { Ended::Failed } else { Ended::Answered });
                    match fails {
                        true => agenda.push(Reverse((now + 1000 * MILLI, Happens::Comes(what)))),
                        false => story.let_in.push(now - dawn),
                    }
                }
            }
        }
        while let Some(SentAway { what, wait }) = admission.overdue(now) {
            story.sent_away += 1;
            story.kept_longest = story.kept_longest.max(now - what.0);
            agenda.push(Reverse((now + wait, Happens::Comes(what))));
        }
        while let Some(what) = admission.next(now) {
            story.asked += 1;
            let takes = temper(now - dawn);
            let ends = Happens::Ends { begun: now, what, fails: takes.is_none() };
            agenda.push(Reverse((now + takes.unwrap_or(1000 * MILLI), ends)));
        }
        story.in_flight_most = story.in_flight_most.max(admission.state().in_flight);
    }
    assert_eq!(admission.state().in_flight + admission.state().waiting, 0);
    story
}

impl Story {
    /// The time up to which everything has happened.
    fn now(&self, dawn: Instant, agenda: &BinaryHeap<Reverse<(Instant, Happens)>>) -> Instant {
        agenda.peek().map_or(dawn, |Reverse((at, _))| *at)
    }
}

#[test]
fn a_crowd_is_let_in_as_fast_as_the_backend_can_and_nobody_waits_long() {
    let story = play(4000, |_| Some(50 * MILLI));
    assert!(story.in_flight_most <= 20, "{story:?}");
    // Twenty in 50 ms are 400 a second.
    let last = *story.let_in.last().unwrap();
    assert!(last < Duration::from_secs(15), "ten seconds would be the best: {last:?}");
    assert!(story.kept_longest < Duration::from_millis(2200), "{:?}", story.kept_longest);
    assert!(story.sent_away < 4000 * 3, "few come twice in vain: {}", story.sent_away);
    assert_eq!(story.asked, 4000);
}

#[test]
fn a_crowd_outlives_a_backend_that_slows_down_and_recovers() {
    let temper: Temper = |since| {
        let slow = (Duration::from_secs(3)..Duration::from_secs(13)).contains(&since);
        Some(if slow { 2000 * MILLI } else { 50 * MILLI })
    };
    let story = play(4000, temper);
    assert!(story.in_flight_most <= 20);
    let during = story.let_in.iter().filter(|at| (5..13).contains(&at.as_secs())).count();
    assert!((10..200).contains(&during), "while it is slow, it is asked what it can do: {during}");
    let last = *story.let_in.last().unwrap();
    assert!(last < Duration::from_secs(40), "{last:?}");
    assert!(
        story.kept_longest < Duration::from_millis(4200),
        "its wait and its answer: {:?}",
        story.kept_longest
    );
}

#[test]
fn a_backend_that_is_away_is_asked_little_and_not_stormed_when_it_returns() {
    let story = play(2000, |since| (since > Duration::from_secs(20)).then_some(50 * MILLI));
    assert!(story.asked < 2000 + 60, "in vain: {}", story.asked - 2000);
    let first = story.let_in[0];
    assert!(first < Duration::from_secs(36), "back within the longest pause: {first:?}");
    let at_first = story.let_in.iter().filter(|at| **at < first + 60 * MILLI).count();
    assert!(at_first <= 10, "one, then a few: {at_first}");
    let last = *story.let_in.last().unwrap();
    assert!(last < Duration::from_secs(100), "{last:?}");
}

#[test]
fn those_sent_away_are_spread_over_the_time_that_they_take() {
    let (mut admission, now) = (Admission::new(LIMITS, [6; 32]), Instant::now());
    let mut waits: Vec<_> =
        (0..2000).filter_map(|_| admission.offer(now, Came(now)).err()).map(|away| away.wait).collect();
    waits.sort_unstable();
    let (first, last) = (waits[0], *waits.last().unwrap());
    assert!(first < Duration::from_millis(400) && last > Duration::from_millis(2500), "{first:?} {last:?}");
    let half = waits.iter().filter(|wait| **wait < (first + last) / 2).count();
    assert!((waits.len() / 3..waits.len() * 2 / 3).contains(&half), "evenly: {half} of {}", waits.len());
}

#[test]
fn what_waits_is_bounded_in_number_and_in_bytes() {
    let now = Instant::now();
    for limits in
        [AdmissionLimits { waiting_max: 3, ..LIMITS }, AdmissionLimits { waiting_bytes_max: 200, ..LIMITS }]
    {
        let mut admission = Admission::new(limits, [7; 32]);
        for _ in 0..4 {
            admission.offer(now, Came(now)).unwrap();
            admission.next(now).unwrap();
        }
        let taken = (0..9).filter(|_| admission.offer(now, Came(now)).is_ok()).count();
        assert_eq!((taken, admission.state().waiting), (3, 3));
    }
}

#[test]
fn nobody_waits_for_a_backend_that_is_away_longer_than_they_may_wait() {
    let (mut admission, dawn) = (Admission::new(LIMITS, [8; 32]), Instant::now());
    for _ in 0..5 {
        admission.offer(dawn, Came(dawn)).unwrap();
        admission.next(dawn).unwrap();
        admission.done(dawn, dawn, Ended::Failed);
    }
    let away = admission.offer(dawn, Came(dawn)).unwrap_err();
    assert!(away.wait >= Duration::from_millis(600), "not before it is tried again: {:?}", away.wait);
    assert_eq!(admission.next_deadline(dawn), None);
}
