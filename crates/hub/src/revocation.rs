//! Tokens that are good no more, and what they have opened.

/// What a token says of itself. It is kept with what the token has opened, so that both can end together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenMark {
    /// Its id (`jti`, RFC 7519 section 4.1.7); empty if it has none.
    pub id: Box<str>,
    /// When it was issued, in Unix seconds (`iat`, RFC 7519 section 4.1.6).
    pub issued_at: Option<u64>,
}

/// Which tokens are good no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The one with this id.
    Token {
        /// Its `jti`, not empty.
        id: String,
    },
    /// Those of a user that are older than something that has happened, such as a change of password.
    UserTokens {
        /// Whose.
        user: String,
        /// Before when they were issued, in Unix seconds. One that does not say when it was counts among them: it
        /// cannot be shown to be newer.
        issued_before: u64,
        /// Only subscription tokens of this channel; `None` is every token of the user.
        channel: Option<String>,
    },
}

/// What revocations have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Connections.
    pub connections: u64,
    /// Subscriptions, besides those that ended with their connections.
    pub subscriptions: u64,
}

impl TokenMark {
    /// Whether the token is older than this, as far as it says.
    pub fn is_issued_before(&self, moment: u64) -> bool {
        self.issued_at.is_none_or(|issued| issued < moment)
    }
}

impl Revocation {
    pub(crate) fn ends_connection(&self, user: &str, mark: &TokenMark) -> bool {
        match self {
            Self::Token { id } => *mark.id == **id,
            Self::UserTokens { user: whose, issued_before, channel } => {
                whose == user && channel.is_none() && mark.is_issued_before(*issued_before)
            }
        }
    }

    pub(crate) fn ends_subscription(&self, user: &str, channel: &str, mark: &TokenMark) -> bool {
        match self {
            Self::Token { id } => *mark.id == **id,
            Self::UserTokens { user: whose, issued_before, channel: only } => {
                let is_meant = only.as_ref().is_none_or(|only| only == channel);
                whose == user && is_meant && mark.is_issued_before(*issued_before)
            }
        }
    }
}
