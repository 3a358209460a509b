//! The backend's answers to who somebody is and what it may: at once, slowly, or not at all.

use std::collections::BTreeMap;

use spanwire_hub::{Answer, AskId, Credentials, Grant, Refusal};
use spanwire_wire::ErrorCode;

use crate::scene::Scene;

/// How late an answer of a slow backend may be, in milliseconds.
const LATE_MAX: u64 = 9_000;

/// How long the server waits for an answer, in milliseconds. The hub's patience with a connect ends before it.
const DEADLINE: u64 = 12_000;

/// How long everything that it was asked while it was slow takes at most, in milliseconds.
pub(crate) const LATEST: u64 = DEADLINE;

/// What the backend of one shard was asked.
#[derive(Debug, Default)]
pub(super) struct Office {
    slow_until: u64,
    /// Answers by when they are given, and in the order of their questions.
    answers: BTreeMap<(u64, u64), (AskId, Answer)>,
    asked: u64,
}

impl Office {
    /// It is slow for a while, and of four questions it forgets one.
    pub(super) fn slow_down(&mut self, until: u64) {
        self.slow_until = self.slow_until.max(until);
    }

    /// It is asked who somebody is.
    pub(super) fn authenticate(&mut self, scene: &mut Scene, ask: AskId, who: Result<Credentials, Refusal>) {
        self.answer(scene, ask, Answer::Credentials(who), || {
            Answer::Credentials(Err(Refusal::Error(ErrorCode::Internal)))
        });
    }

    /// It is asked whether somebody may listen. Everybody may.
    pub(super) fn admit(&mut self, scene: &mut Scene, ask: AskId) {
        self.answer(scene, ask, Answer::Grant(Ok(Grant::default())), || {
            Answer::Grant(Err(Refusal::Error(ErrorCode::Internal)))
        });
    }

    fn answer(&mut self, scene: &mut Scene, ask: AskId, answer: Answer, forgotten: impl Fn() -> Answer) {
        let (delay, answer) = match scene.now < self.slow_until {
            false => (0, answer),
            true if scene.chance.one_in(4) => {
                scene.ledger.count("the backend did not answer");
                (DEADLINE, forgotten())
            }
            true => {
                scene.ledger.count("the backend answered late");
                (scene.chance.below(LATE_MAX), answer)
            }
        };
        self.asked += 1;
        self.answers.insert((scene.now + delay, self.asked), (ask, answer));
    }

    /// The next answer that is there.
    pub(super) fn take(&mut self, now: u64) -> Option<(AskId, Answer)> {
        let first = self.answers.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next answer is there.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.answers.keys().next().map(|(due, _)| *due)
    }
}
