//! Tokens that are good no more, and users who are not let in, whatever they show.
//!
//! What is listed here is looked up when somebody shows a token or comes in, never for a message. It lives as long as the
//! process: what is to outlast that needs a storage, and there is none yet.

mod list;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use spanwire_hub::{Revocation, TokenMark};

use self::list::List;
pub use self::list::ListFull;

/// Most entries of each of the three lists. Full of UUIDs, one takes about 12 MB.
pub(super) const ENTRIES_MAX: usize = 100_000;

/// Longest id of a token, user or channel in a list, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// The lists of a node. Whoever adds to them has what is open already ended by the shards, behind that: so nothing can
/// come in between.
#[derive(Debug, Default)]
pub struct Revocations(RwLock<Lists>);

#[derive(Debug)]
struct Lists {
    /// By `jti`.
    tokens: List<String, ()>,
    /// By user, and by channel if only subscription tokens of that one are meant: before when they were issued.
    user_tokens: List<(String, Option<String>), u64>,
    users: List<String, ()>,
}

/// Why somebody is not let in, or a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revoked {
    /// This token was revoked, by its id.
    Token,
    /// It is one of its user's older tokens, all of which were.
    UserTokens,
    /// The user is blocked.
    User,
}

impl Revoked {
    /// The word for it in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::UserTokens => "user_tokens",
            Self::User => "user",
        }
    }
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            tokens: List::new(ENTRIES_MAX),
            user_tokens: List::new(ENTRIES_MAX),
            users: List::new(ENTRIES_MAX),
        }
    }
}

impl Revocations {
    /// Lists what is revoked, until a moment in Unix seconds; `None` is as long as the process lives. What is listed
    /// already gets the new end; of a user's tokens those stay revoked that were.
    ///
    /// # Errors
    /// There is no room.
    pub fn revoke(&self, now_unix: u64, what: &Revocation, until: Option<u64>) -> Result<(), ListFull> {
        let mut lists = self.write();
        match what {
            Revocation::Token { id } => lists.tokens.put(now_unix, id.clone(), (), until),
            Revocation::UserTokens { user, issued_before, channel } => {
                let key = (user.clone(), channel.clone());
                let before = lists.user_tokens.get(now_unix, &key).copied().unwrap_or(0);
                lists.user_tokens.put(now_unix, key, before.max(*issued_before), until)
            }
        }
    }

    /// Lists a user who is not let in, until a moment in Unix seconds; `None` is as long as the process lives.
    ///
    /// # Errors
    /// There is no room.
    pub fn block(&self, now_unix: u64, user: &str, until: Option<u64>) -> Result<(), ListFull> {
        self.write().users.put(now_unix, user.to_owned(), (), until)
    }

    /// Takes a user off the list.
    pub fn unblock(&self, user: &str) {
        self.write().users.remove(user);
    }

    /// Whether this user may not come in, or not with this token.
    pub fn bars(&self, now_unix: u64, user: &str, token: Option<&TokenMark>) -> Option<Revoked> {
        let lists = self.read();
        if lists.users.get(now_unix, user).is_some() {
            return Some(Revoked::User);
        }
        lists.revoked(now_unix, user, None, token?)
    }

    /// Whether this subscription token of a user does not open a channel any more.
    pub fn bars_from(&self, now_unix: u64, user: &str, channel: &str, token: &TokenMark) -> Option<Revoked> {
        let lists = self.read();
        let of_channel = || lists.revoked(now_unix, user, Some(channel), token);
        lists.revoked(now_unix, user, None, token).or_else(of_channel)
    }

    /// How many entries each list has, those included whose time is over and who were not needed to make room yet.
    pub fn census(&self) -> [(Revoked, usize); 3] {
        let lists = self.read();
        [
            (Revoked::Token, lists.tokens.len()),
            (Revoked::UserTokens, lists.user_tokens.len()),
            (Revoked::User, lists.users.len()),
        ]
    }

    fn read(&self) -> RwLockReadGuard<'_, Lists> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    fn revoked(
        &self,
        now_unix: u64,
        user: &str,
        channel: Option<&str>,
        token: &TokenMark,
    ) -> Option<Revoked> {
        if self.tokens.get(now_unix, &*token.id).is_some() {
            return Some(Revoked::Token);
        }
        // The look-up wants an owned key, and most nodes have none to look up.
        if self.user_tokens.is_empty() {
            return None;
        }
        let key = (user.to_owned(), channel.map(str::to_owned));
        let issued_before = *self.user_tokens.get(now_unix, &key)?;
        token.is_issued_before(issued_before).then_some(Revoked::UserTokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn mark(id: &str, issued_at: Option<u64>) -> TokenMark {
        TokenMark { id: id.into(), issued_at }
    }

    fn of_user(issued_before: u64, channel: Option<&str>) -> Revocation {
        Revocation::UserTokens { user: "ann".to_owned(), issued_before, channel: channel.map(str::to_owned) }
    }

    #[test]
    fn a_token_is_barred_by_its_id_until_the_entry_ends() {
        let lists = Revocations::default();
        let what = Revocation::Token { id: "t1".to_owned() };
        lists.revoke(NOW, &what, Some(NOW + 10)).unwrap();
        let table = [
            (NOW + 9, mark("t1", None), Some(Revoked::Token)),
            (NOW + 10, mark("t1", None), None),
            (NOW, mark("t2", None), None),
            (NOW, mark("", None), None),
        ];
        for (now, token, expected) in table {
            assert_eq!(lists.bars(now, "ann", Some(&token)), expected, "{now} {token:?}");
            assert_eq!(lists.bars_from(now, "ann", "news", &token), expected, "{now} {token:?}");
        }
        assert_eq!(lists.bars(NOW, "ann", None), None);
    }

    #[test]
    fn older_tokens_of_a_user_are_barred_and_an_earlier_moment_frees_none() {
        let lists = Revocations::default();
        lists.revoke(NOW, &of_user(NOW, None), None).unwrap();
        lists.revoke(NOW, &of_user(NOW - 100, None), None).unwrap();
        let table = [
            ("ann", Some(NOW - 1), Some(Revoked::UserTokens)),
            ("ann", Some(NOW), None),
            ("ann", None, Some(Revoked::UserTokens)),
            ("bob", Some(NOW - 1), None),
        ];
        for (user, issued_at, expected) in table {
            let token = mark("t", issued_at);
            assert_eq!(lists.bars(NOW, user, Some(&token)), expected, "{user} {issued_at:?}");
            assert_eq!(lists.bars_from(NOW, user, "news", &token), expected, "{user} {issued_at:?}");
        }
    }

    #[test]
    fn tokens_of_a_channel_are_barred_from_that_channel_alone() {
        let lists = Revocations::default();
        lists.revoke(NOW, &of_user(NOW, Some("news")), None).unwrap();
        let token = mark("t", Some(NOW - 1));
        assert_eq!(lists.bars(NOW, "ann", Some(&token)), None);
        assert_eq!(lists.bars_from(NOW, "ann", "news", &token), Some(Revoked::UserTokens));
        assert_eq!(lists.bars_from(NOW, "ann", "sport", &token), None);
    }

    #[test]
    fn a_blocked_user_is_barred_with_and_without_a_token_until_unblocked() {
        let lists = Revocations::default();
        lists.block(NOW, "ann", None).unwrap();
        assert_eq!(lists.bars(NOW, "ann", None), Some(Revoked::User));
        assert_eq!(lists.bars(NOW, "ann", Some(&mark("t", Some(NOW)))), Some(Revoked::User));
        assert_eq!(lists.bars(NOW, "bob", None), None);
        lists.unblock("ann");
        assert_eq!(lists.bars(NOW, "ann", None), None);
    }
}
