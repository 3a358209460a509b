//! The kinds of events.

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The node begins; everything that was told under another epoch of it is over.
    Started,
    /// The node has ended in good order, and tells nothing behind this.
    Stopped,
    /// Events are missing here that were dropped.
    Gap,
    /// A client has connected.
    Connected,
    /// It is gone.
    Disconnected,
    /// A client hears a channel from now on.
    Subscribed,
    /// It does not any more.
    Unsubscribed,
    /// A channel has its first subscriber.
    Occupied,
    /// It has none any more.
    Vacated,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 9] = [
        Self::Started,
        Self::Stopped,
        Self::Gap,
        Self::Connected,
        Self::Disconnected,
        Self::Subscribed,
        Self::Unsubscribed,
        Self::Occupied,
        Self::Vacated,
    ];

    /// Those that can be chosen; the others are always told.
    pub const CHOSEN: &[Self] = Self::ALL.split_at(3).1;

    /// What it is called in requests, options and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Gap => "gap",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Occupied => "occupied",
            Self::Vacated => "vacated",
        }
    }

    /// The kind of this name, if it can be chosen.
    pub fn chosen(name: &str) -> Option<Self> {
        Self::CHOSEN.iter().copied().find(|kind| kind.name() == name)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// These kinds, and those that are always told.
    pub fn of(chosen: &[Kind]) -> Self {
        let always = [Kind::Started, Kind::Stopped, Kind::Gap];
        Self(always.iter().chain(chosen).fold(0, |bits, kind| bits | 1 << *kind as u8))
    }

    /// Whether this one is among them.
    pub fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_chosen_is_not_told_but_for_what_keeps_the_account_straight() {
        let kinds = Kinds::of(&[Kind::chosen("occupied").unwrap(), Kind::chosen("vacated").unwrap()]);
        let told: Vec<_> = Kind::ALL.into_iter().filter(|kind| kinds.has(*kind)).map(Kind::name).collect();
        assert_eq!(told, ["started", "stopped", "gap", "occupied", "vacated"]);
        assert_eq!(Kind::chosen("gap"), None);
        assert_eq!(Kind::CHOSEN.len(), 6);
    }
}
