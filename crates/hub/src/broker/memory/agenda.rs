//! Which channel is due first.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::channel::Channel;
use crate::time::Instant;

/// Channels in the order in which something of theirs is due: for letting go of it in time, and for finding
/// what is oldest when room is needed.
///
/// A set in order rather than a hash table, so that ties are broken by name and never by chance.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeSet<(Instant, Channel)>);

/// When a channel stands in an agenda, if it does. Kept with the channel, so that it can be found again.
#[derive(Debug, Default)]
pub(super) struct Booking(Option<Instant>);

/// How far a booking may lie before what it stands for. A busy channel postpones its end with every publication;
/// it is booked anew only this often. The price is that "oldest" is exact to this much.
pub(super) const GRAIN: Duration = Duration::from_secs(10);

impl Agenda {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Who is due first, and when.
    pub(super) fn first(&self) -> Option<(Instant, &Channel)> {
        self.0.first().map(|(due, channel)| (*due, channel))
    }

    /// Books a channel, moves it, or takes it out. A booking that is early by less than `grain` stays as it is.
    pub(super) fn book(
        &mut self,
        channel: &Channel,
        booking: &mut Booking,
        due: Option<Instant>,
        grain: Duration,
    ) {
        let stands = match (booking.0, due) {
            (None, None) => true,
            (Some(booked), Some(due)) => booked == due || (booked < due && due < booked + grain),
            _ => false,
        };
        if stands {
            return;
        }
        if let Some(booked) = booking.0 {
            self.0.remove(&(booked, channel.clone()));
        }
        if let Some(due) = due {
            self.0.insert((due, channel.clone()));
        }
        booking.0 = due;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Option<Instant> {
        Some(Instant::from_millis(seconds * 1000))
    }

    fn first(agenda: &Agenda) -> Option<(u64, &str)> {
        agenda.first().map(|(due, channel)| (due.as_millis() / 1000, channel.as_str()))
    }

    #[test]
    fn a_channel_stands_once_and_moves_only_when_the_grain_is_used_up() {
        let channel = Channel::new("a");
        let (mut agenda, mut booking) = (Agenda::default(), Booking::default());
        let table = [
            (at(100), GRAIN, Some((100, "a"))),
            (at(109), GRAIN, Some((100, "a"))),
            (at(110), GRAIN, Some((110, "a"))),
            (at(111), Duration::ZERO, Some((111, "a"))),
            (at(50), GRAIN, Some((50, "a"))),
            (None, GRAIN, None),
            (None, GRAIN, None),
            (at(7), GRAIN, Some((7, "a"))),
        ];
        for (due, grain, expected) in table {
            agenda.book(&channel, &mut booking, due, grain);
            assert_eq!(first(&agenda), expected);
            assert!(agenda.len() <= 1);
        }
    }

    #[test]
    fn those_who_are_due_together_stand_in_the_order_of_their_names() {
        let mut agenda = Agenda::default();
        for name in ["c", "a", "b"] {
            agenda.book(&Channel::new(name), &mut Booking::default(), at(5), GRAIN);
        }
        assert_eq!(first(&agenda), Some((5, "a")));
        agenda.book(&Channel::new("z"), &mut Booking::default(), at(4), GRAIN);
        assert_eq!(first(&agenda), Some((4, "z")));
    }
}
