//! What somebody may do in a channel, apart from why.

/// One kind of thing that a client may do in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Right {
    /// Subscribe to it.
    Subscribe = 1,
    /// Publish into it.
    Publish = 2,
    /// Read its history, and recover from it.
    History = 4,
    /// See who is there, and be told who comes and goes.
    Presence = 8,
}

impl Right {
    /// Every right, in the order in which people name them.
    pub const ALL: [Self; 4] = [Self::Subscribe, Self::Publish, Self::History, Self::Presence];

    /// Its word in tokens and in the backend's answers (Centrifugo PRO's `allow`).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Subscribe => "sub",
            Self::Publish => "pub",
            Self::History => "hst",
            Self::Presence => "prs",
        }
    }

    /// What that word says; `None` if it is none of them.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.word() == word)
    }
}

/// Any number of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// Whether this right is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0 & right as u8 != 0
    }

    /// These, and those of `others`.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |bits, right| bits | right as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_has_one_word_and_one_bit() {
        for right in Right::ALL {
            assert_eq!(Right::of_word(right.word()), Some(right));
            let alone: Rights = [right].into_iter().collect();
            for other in Right::ALL {
                assert_eq!(alone.has(other), other == right);
            }
        }
        assert_eq!(Right::of_word("all"), None);
        let two: Rights = [Right::Publish, Right::History].into_iter().collect();
        let three = two.and([Right::Presence].into_iter().collect());
        assert!(three.has(Right::Publish) && three.has(Right::Presence) && !three.has(Right::Subscribe));
    }
}
