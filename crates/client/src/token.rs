//! Where tokens come from.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use spanwire_client_core::TokenFailure;

/// Why there is no token.
///
/// Any error becomes a temporary one by `?`: it is tried again, with backoff.
pub struct TokenError(Kind);

enum Kind {
    Temporary(Box<dyn std::error::Error + Send + Sync>),
    Unauthorized,
}

impl TokenError {
    /// There is none for this user, and there will be none. The client, or the subscription, ends with
    /// [`Ended::NO_TOKEN`](crate::Ended::NO_TOKEN).
    pub fn unauthorized() -> Self {
        Self(Kind::Unauthorized)
    }

    pub(crate) fn failure(&self) -> TokenFailure {
        match self.0 {
            Kind::Temporary(_) => TokenFailure::Temporary,
            Kind::Unauthorized => TokenFailure::Unauthorized,
        }
    }
}

// That a token error is no `std::error::Error` is what allows this for all that are.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for TokenError {
    fn from(error: E) -> Self {
        Self(Kind::Temporary(Box::new(error)))
    }
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Temporary(error) => error.fmt(f),
            Kind::Unauthorized => f.write_str("there is no token for this user"),
        }
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<String, TokenError>> + Send>>;

/// Gives a token whenever one is needed.
#[derive(Clone)]
pub(crate) struct Provider(Arc<dyn Fn() -> Asked + Send + Sync>);

impl Provider {
    pub(crate) fn new<F, A>(provider: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<String, TokenError>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(provider())))
    }

    pub(crate) fn ask(&self) -> Asked {
        (self.0)()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}
