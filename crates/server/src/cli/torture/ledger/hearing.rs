//! What one subscriber was told of one channel.

use std::collections::VecDeque;
use std::fmt;

use spanwire_client_core::Position;

use super::{Number, Sin};

/// How much of what was heard before is kept, to be shown beside a violation.
const WORDS_MAX: usize = 6;

/// Most holes that are remembered, so that what comes late is told from what comes twice.
const HOLES_MAX: usize = 64;

/// One subscriber in one channel.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    /// Everything up to here was heard, or told as missing; `None` before the first word on where it stands.
    at: Option<Position>,
    /// It was told that it listens, and nothing else since.
    is_live: bool,
    /// It was told of a gap at least once.
    had_gap: bool,
    /// What was passed over, told or not.
    holes: VecDeque<Hole>,
    words: VecDeque<Word>,
}

/// Offsets that were passed over.
#[derive(Debug)]
struct Hole {
    epoch: String,
    /// Behind this.
    from: u64,
    /// Up to this.
    to: u64,
    was_told: bool,
}

impl Hole {
    fn holds(&self, epoch: &str, offset: u64) -> bool {
        self.epoch == epoch && self.from < offset && offset <= self.to
    }
}

/// Something that the subscriber was told.
#[derive(Debug)]
enum Word {
    Subscribed(Position),
    Ended(u32),
    Lost(u32),
    Heard { offset: u64, number: Number, recovered: bool },
    Gap(Position, Position),
}

/// What is wrong with what a subscriber was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) sin: Sin,
    /// How many publications it concerns.
    pub(super) count: u64,
    /// It was counted as lost, and only was late.
    pub(super) was_late: bool,
    pub(super) expected: String,
    pub(super) got: String,
}

impl Fault {
    fn new(sin: Sin, count: u64, expected: String, got: String) -> Self {
        Self { sin, count, was_late: false, expected, got }
    }
}

impl Hearing {
    /// Where it stands.
    pub(super) fn at(&self) -> Option<&Position> {
        self.at.as_ref()
    }

    pub(super) fn is_live(&self) -> bool {
        self.is_live
    }

    pub(super) fn had_gap(&self) -> bool {
        self.had_gap
    }

    /// What it heard lately, for people.
    pub(super) fn words(&self) -> Vec<String> {
        self.words.iter().map(Word::to_string).collect()
    }

    /// It listens from now on, everything up to `position` being settled.
    ///
    /// # Errors
    /// It stood somewhere else before, and nobody said what became of what lies between.
    pub(super) fn subscribed(&mut self, position: &Position) -> Result<(), Fault> {
        self.is_live = true;
        self.say(Word::Subscribed(position.clone()));
        match self.at.replace(position.clone()) {
            Some(at) if at != *position => {
                let missing = position.offset.saturating_sub(at.offset).max(1);
                Err(Fault::new(Sin::Lost, missing, format!("to go on from {}", Place(&at)), {
                    format!("listens again from {}, with no word between", Place(position))
                }))
            }
            _ => Ok(()),
        }
    }

    /// It listens no more, for now or for good.
    pub(super) fn ended(&mut self, code: u32) {
        self.is_live = false;
        self.say(Word::Ended(code));
    }

    /// Its connection is gone.
    pub(super) fn lost(&mut self, code: u32) {
        if std::mem::take(&mut self.is_live) {
            self.say(Word::Lost(code));
        }
    }

    /// A publication arrived, whether or not the client lets the application know.
    ///
    /// # Errors
    /// It has been heard, or what comes behind it has.
    pub(super) fn arrived(&self, epoch: &str, offset: u64) -> Result<(), Fault> {
        match &self.at {
            Some(at) if self.is_live => self.late(at, epoch, offset),
            _ => Ok(()),
        }
    }

    fn late(&self, at: &Position, epoch: &str, offset: u64) -> Result<(), Fault> {
        if offset > at.offset || !(epoch.is_empty() || epoch == at.epoch) {
            return Ok(());
        }
        let expected = format!("offset {}", at.offset + 1);
        let hole = self.holes.iter().find(|hole| hole.holds(&at.epoch, offset));
        let Some(hole) = hole else {
            return Err(Fault::new(Sin::Duplicate, 1, expected, format!("offset {offset} once more")));
        };
        let fault = Fault::new(Sin::OutOfOrder, 1, expected, format!("offset {offset}, too late"));
        Err(Fault { was_late: !hole.was_told, ..fault })
    }

    /// The application heard a publication; the result is its position.
    ///
    /// # Errors
    /// Something that lies before it is missing, or it came before.
    pub(super) fn heard(
        &mut self,
        epoch: &str,
        offset: u64,
        number: Number,
        recovered: bool,
    ) -> (Position, Result<(), Fault>) {
        self.say(Word::Heard { offset, number, recovered });
        let mut at = self.at.take().unwrap_or_else(|| Position { offset: offset - 1, epoch: String::new() });
        if at.epoch.is_empty() {
            // A stream without a name yet gets one by its first publication.
            epoch.clone_into(&mut at.epoch);
        }
        let position = Position { offset, epoch: at.epoch.clone() };
        let late = self.late(&at, epoch, offset);
        if late.is_err() {
            self.at = Some(at);
            return (position, late);
        }
        self.at = Some(position.clone());
        let missing = offset - at.offset - 1;
        if missing == 0 {
            return (position, Ok(()));
        }
        let expected = format!("offset {}", at.offset + 1);
        self.hole(at.epoch, at.offset, offset - 1, false);
        (position, Err(Fault::new(Sin::Lost, missing, expected, format!("offset {offset}"))))
    }

    /// The application was told that something is missing.
    ///
    /// # Errors
    /// The gap does not begin where it stands.
    pub(super) fn gap(&mut self, from: &Position, to: &Position) -> Result<(), Fault> {
        self.had_gap = true;
        self.say(Word::Gap(from.clone(), to.clone()));
        if from.epoch == to.epoch {
            self.hole(from.epoch.clone(), from.offset, to.offset, true);
        } else {
            self.holes.clear();
        }
        match self.at.replace(to.clone()) {
            Some(at) if at != *from => Err(Fault::new(
                Sin::Contradiction,
                1,
                format!("a gap from {}", Place(&at)),
                format!("a gap from {}", Place(from)),
            )),
            _ => Ok(()),
        }
    }

    fn hole(&mut self, epoch: String, from: u64, to: u64, was_told: bool) {
        if self.holes.len() == HOLES_MAX {
            self.holes.pop_front();
        }
        self.holes.push_back(Hole { epoch, from, to, was_told });
    }

    fn say(&mut self, word: Word) {
        if self.words.len() == WORDS_MAX {
            self.words.pop_front();
        }
        self.words.push_back(word);
    }
}

/// A position, for people.
pub(super) struct Place<'a>(pub(super) &'a Position);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {} of epoch {:?}", self.0.offset, self.0.epoch)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscribed(position) => write!(f, "subscribed at {}", Place(position)),
            Self::Ended(code) => write!(f, "unsubscribed ({code})"),
            Self::Lost(code) => write!(f, "connection lost ({code})"),
            Self::Heard { offset, number, recovered: true } => {
                write!(f, "offset {offset}: number {number}, recovered")
            }
            Self::Heard { offset, number, .. } => write!(f, "offset {offset}: number {number}"),
            Self::Gap(from, to) => write!(f, "a gap from {} to {}", Place(from), Place(to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: &str, offset: u64) -> Position {
        Position { offset, epoch: epoch.to_owned() }
    }

    fn listening(offset: u64) -> Hearing {
        let mut hearing = Hearing::default();
        hearing.subscribed(&at("a", offset)).unwrap();
        hearing
    }

    fn sin(told: Result<(), Fault>) -> Option<(Sin, u64)> {
        told.err().map(|fault| (fault.sin, fault.count))
    }

    #[test]
    fn one_after_the_other_is_what_was_promised() {
        let mut hearing = listening(4);
        for offset in 5..9 {
            assert_eq!(hearing.heard("", offset, offset, false).1, Ok(()));
        }
        assert_eq!(hearing.at(), Some(&at("a", 8)));
    }

    #[test]
    fn each_way_to_be_wrong_has_its_name() {
        for (offsets, expected) in [
            (&[5, 5][..], (Sin::Duplicate, 1)),
            (&[4], (Sin::Duplicate, 1)),
            (&[5, 8], (Sin::Lost, 2)),
            (&[6, 5], (Sin::OutOfOrder, 1)),
        ] {
            let mut hearing = listening(4);
            let last = offsets.iter().map(|offset| sin(hearing.heard("", *offset, *offset, false).1)).last();
            assert_eq!(last, Some(Some(expected)), "{offsets:?}");
        }
    }

    #[test]
    fn what_is_told_as_missing_is_not_lost_but_may_not_come_later() {
        let mut hearing = listening(4);
        assert_eq!(hearing.gap(&at("a", 4), &at("a", 9)), Ok(()));
        assert_eq!(hearing.heard("", 10, 1, false).1, Ok(()));
        let late = hearing.arrived("", 7).unwrap_err();
        assert_eq!((late.sin, late.was_late), (Sin::OutOfOrder, false));
        assert_eq!(sin(hearing.gap(&at("a", 3), &at("a", 12))), Some((Sin::Contradiction, 1)));
    }

    #[test]
    fn a_return_to_another_place_needs_a_word() {
        let mut hearing = listening(4);
        hearing.lost(1006);
        assert_eq!(hearing.subscribed(&at("a", 4)), Ok(()));
        hearing.lost(1006);
        assert_eq!(sin(hearing.subscribed(&at("a", 6))), Some((Sin::Lost, 2)));
        hearing.lost(1006);
        assert_eq!(sin(hearing.subscribed(&at("b", 0))), Some((Sin::Lost, 1)), "a new life is another place");
        assert_eq!(hearing.gap(&at("b", 0), &at("c", 3)), Ok(()));
        assert_eq!(hearing.subscribed(&at("c", 3)), Ok(()));
    }

    #[test]
    fn what_arrives_before_it_listens_is_nobodys_business() {
        let mut hearing = listening(4);
        hearing.ended(2000);
        assert_eq!(hearing.arrived("", 3), Ok(()));
        assert_eq!(hearing.arrived("b", 1), Ok(()));
    }
}
