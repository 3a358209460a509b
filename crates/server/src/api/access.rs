//! Who may call the server API, and what the configuration says about channels: what can be another one from one call to
//! the next.

use std::sync::{Arc, PoisonError, RwLock};

use spanwire_hub::namespace::Namespaces;

use super::Keyring;
use crate::config::Settings;

/// What a call works by, from its beginning to its end.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) keys: Keyring,
    pub(super) namespaces: Namespaces,
}

impl Access {
    fn of(settings: &Settings) -> Self {
        Self { keys: settings.http_api.keys.clone(), namespaces: settings.namespaces.clone() }
    }
}

/// The one that holds now. Cheap to clone; all clones change together.
#[derive(Clone, Debug)]
pub(crate) struct CurrentAccess(Arc<RwLock<Arc<Access>>>);

impl CurrentAccess {
    /// What these settings say.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Access::of(settings)))))
    }

    /// What holds for a call that begins now.
    pub(super) fn now(&self) -> Arc<Access> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What these settings say holds for calls that begin from now on.
    pub(crate) fn replace(&self, settings: &Settings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Access::of(settings));
    }
}
