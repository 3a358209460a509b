//! Who sees in this process what happens to clients.

use std::fmt;
use std::sync::Arc;

use spanwire_hub::happening::Happening;

/// Sees that clients come and go, at the end of each turn of their shards. It must not wait. Cheap to clone.
#[derive(Clone)]
pub struct Onlooker(Arc<dyn Fn(&Happening) + Send + Sync>);

impl Onlooker {
    /// One that does this with what it sees, on the thread of the shard.
    pub fn new(sees: impl Fn(&Happening) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sees))
    }

    pub(super) fn see(&self, happening: &Happening) {
        (self.0)(happening);
    }
}

impl fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Onlooker")
    }
}
