//! A hub for the tests of an application: no sockets, no threads, and a clock that stands still until it is moved.
//!
//! The hub is the real one, and so are its channels, history and presence; the clients are the real client. Only the
//! network between them is a vector of bytes, and so a test of connecting, talking, being cut off and coming back takes
//! microseconds, and always takes the same course.
//!
//! ```
//! use std::time::Duration;
//! use spanwire::{Accept, ConnectCtx, Hub, Namespace, test::TestHub};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let chat = Namespace::open().history(100, Duration::from_secs(3600)).recover().presence();
//! let described = Hub::builder()
//!     .namespace("chat", chat)
//!     .on_connect(async |c: ConnectCtx| Ok(Accept::user(c.token)));
//! let test = TestHub::new(described)?;
//! let ann = test.client().token("ann").connect().await?;
//! let bob = test.client().token("bob").connect().await?;
//! ann.subscribe("chat:lobby").await?;
//! bob.subscribe("chat:lobby").await?;
//!
//! // Ann's train goes into a tunnel.
//! ann.lose_network();
//! bob.publish("chat:lobby", "are you there?").await?;
//! assert!(ann.heard().is_empty());
//! test.advance(Duration::from_secs(40)).await;
//! assert_eq!(test.hub().presence("chat:lobby").await?.len(), 1, "by now she is missed");
//!
//! // And comes out of it: she connects again by herself, and is told what she missed.
//! ann.find_network();
//! test.advance(Duration::from_secs(30)).await;
//! assert_eq!(ann.heard(), ["are you there?"]);
//! assert_eq!(test.hub().presence("chat:lobby").await?.len(), 2);
//! # Ok(()) }
//! ```

mod client;
mod figure;
mod stage;
mod world;

use std::sync::Arc;
use std::time::Duration;

pub use client::{Refused, TestClient};
pub use spanwire_client_core::Event;

use self::stage::Stage;
use crate::embed::{Blueprint, BuildError, Builder, House, Hub};

/// A hub on a stage. Its clock begins at noon of the first day of 2030 and stands still.
#[derive(Debug)]
pub struct TestHub {
    hub: Hub,
    stage: Arc<Stage>,
}

impl TestHub {
    /// Puts a hub on a stage instead of starting it. Handlers run on the tokio runtime of the test.
    ///
    /// # Errors
    /// As for [`Builder::build`].
    pub fn new(builder: Builder) -> Result<Self, BuildError> {
        let Blueprint { settings, own, farewell } = Blueprint::draw(builder)?;
        let stage = Arc::new(Stage::new(&settings, farewell.map(|farewell| (farewell, own.clone()))));
        let house = House::Staged(stage.clone());
        let hub = Hub::new(house, settings.namespaces, settings.limits.channel_name_bytes_max, &own);
        Ok(Self { hub, stage })
    }

    /// The hub, as the application holds it.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// A new client, which has not connected yet.
    pub fn client(&self) -> TestClient {
        TestClient::new(self.stage.clone())
    }

    /// Lets time pass: heartbeats are sent and missed, tokens expire, history vanishes, and clients try again, each in
    /// its time. When it returns, everything that came of it has happened.
    pub async fn advance(&self, time: Duration) {
        self.stage.advance(time).await;
    }

    /// What the clock says, in seconds since 1970.
    pub fn unix_seconds(&self) -> u64 {
        self.stage.unix_seconds()
    }

    /// Has everything happen that is due now. Calls of clients do so by themselves; after the application has called
    /// the [hub](Self::hub), clients hear of it when this returns.
    pub async fn settle(&self) {
        self.stage.settle().await;
    }
}
