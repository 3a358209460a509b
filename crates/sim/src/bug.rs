//! Bugs to plant, so that we know the ledger would see them.
//!
//! None of them touches the product: each is a way in which the world between hub, broker and client can lie. They
//! strike by chance, some of the time, as bugs do.

use std::fmt;
use std::str::FromStr;

use crate::chance::Chance;

/// Something that is done wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// The broker leaves out the first publication of a recovery.
    RecoveryBeginsLate,
    /// The broker leaves out the last publication of a recovery.
    RecoveryEndsEarly,
    /// The broker says that nothing was missed.
    RecoveryForgets,
    /// The broker gives the publication before the latest for the latest.
    StaleLatest,
    /// The broker answers a subscribe and forgets to listen.
    ForgottenListener,
    /// The broker hands a publication out twice.
    DoubledPublication,
    /// Two publications of one channel change places on their way to a shard.
    SwappedPublications,
    /// The broker gives a publication another base than the payload before it.
    WrongBase,
    /// After a restart, epochs have the names of the last life.
    StaleEpoch,
    /// The broker forgets idempotency keys.
    ForgottenKey,
    /// The broker acknowledges a publish before it has done it, and then does not.
    EarlyAck,
    /// A full mailbox drops publications without keeping the latest as evidence.
    SilentOverflow,
    /// Two answers of the broker change places.
    SwappedAnswers,
    /// An answer of the broker is lost.
    LostAnswer,
    /// The driver forgets that a session has something to send.
    LostWakeUp,
    /// The driver forgets to tell the hub that an outbox has drained.
    LostDrain,
    /// The broker forgets the tags of a publication.
    LostTags,
    /// The driver loses the end of a listening.
    LostUnsubscribe,
    /// The driver gives a permit back twice.
    DoublePermit,
    /// The driver does not tell the hub that a connection is gone.
    LostGone,
    /// The driver does not close a connection that the hub has let go.
    LostClose,
    /// The driver loses the removal from presence.
    ForgottenPresence,
    /// The driver loses a leave.
    ForgottenLeave,
    /// The driver does not read on when the hub says that it may.
    LostResume,
    /// The client asks to recover from one publication too far.
    PositionTooFar,
    /// The client's application is told the same publication twice.
    DoubledEvent,
    /// The client's application is not told of gaps.
    SilentGap,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::RecoveryBeginsLate,
        Self::RecoveryEndsEarly,
        Self::RecoveryForgets,
        Self::StaleLatest,
        Self::ForgottenListener,
        Self::DoubledPublication,
        Self::SwappedPublications,
        Self::WrongBase,
        Self::StaleEpoch,
        Self::ForgottenKey,
        Self::EarlyAck,
        Self::SilentOverflow,
        Self::SwappedAnswers,
        Self::LostAnswer,
        Self::LostWakeUp,
        Self::LostDrain,
        Self::LostTags,
        Self::LostUnsubscribe,
        Self::DoublePermit,
        Self::LostGone,
        Self::LostClose,
        Self::ForgottenPresence,
        Self::ForgottenLeave,
        Self::LostResume,
        Self::PositionTooFar,
        Self::DoubledEvent,
        Self::SilentGap,
    ];
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(|bug| bug.to_string()).join(", ");
        let found = Self::ALL.into_iter().find(|bug| bug.to_string().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("there is no bug {name}; there are {}", known()))
    }
}

/// Who does things wrong, if anybody.
#[derive(Clone, Debug)]
pub(crate) struct Saboteur {
    bug: Option<Bug>,
    chance: Chance,
}

impl Saboteur {
    pub(crate) fn new(bug: Option<Bug>, seed: u64) -> Self {
        Self { bug, chance: Chance::of(seed, "sabotage", 0) }
    }

    /// Whether this bug is planted.
    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Whether this bug strikes now.
    pub(crate) fn strikes(&mut self, bug: Bug) -> bool {
        self.has(bug) && self.chance.one_in(3)
    }
}
