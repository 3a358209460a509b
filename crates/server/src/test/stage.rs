//! The stage: a world, and the handlers that are asked for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};
use spanwire_client_core::Input;
use spanwire_hub::broker::{BrokerAnswer, BrokerRequest};
use spanwire_hub::channel::Channel;
use spanwire_hub::happening::Happening;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_hub::{Census, Order};

use super::figure::Figure;
use super::world::{Asking, World};
use crate::backend::{BackendSettings, Respondent, Wanted, failed};
use crate::config::Settings;
use crate::embed::{Desks, DisconnectCtx, Farewell, Own};

/// A world behind a lock, so that handlers can call the hub while they are asked.
pub(super) struct Stage {
    world: Mutex<World>,
    backend: BackendSettings,
    /// What the application does when a client is gone.
    farewell: Option<(Farewell, Own)>,
    chance: Mutex<StdRng>,
    /// Who lets things happen does so alone, until nothing more is due.
    turn: tokio::sync::Mutex<()>,
}

impl Stage {
    pub(super) fn new(settings: &Settings, farewell: Option<(Farewell, Own)>) -> Self {
        Self {
            world: Mutex::new(World::new(settings)),
            backend: settings.backend.clone(),
            farewell,
            // The same course each time.
            chance: Mutex::new(StdRng::from_seed([7; 32])),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut seed);
        seed
    }

    pub(super) fn wanted(&self) -> Wanted {
        self.backend.wanted()
    }

    pub(super) fn enter(&self, figure: Figure) -> usize {
        self.world().enter(figure)
    }

    pub(super) fn with<T>(&self, place: usize, what: impl FnOnce(&mut Figure) -> T) -> T {
        what(self.world().figure(place))
    }

    pub(super) fn tell(&self, place: usize, input: Input<'_>) {
        self.world().tell(place, input);
    }

    pub(super) fn find_network(&self, place: usize) {
        self.world().find_network(place);
    }

    pub(super) fn unix_seconds(&self) -> u64 {
        self.world().now().unix_seconds()
    }

    /// Has everything happen that is due now, with the handlers asked in the order of their questions.
    pub(super) async fn settle(&self) {
        let _turn = self.turn.lock().await;
        self.settle_all().await;
    }

    /// Lets time pass, from one thing that is due to the next.
    pub(super) async fn advance(&self, time: Duration) {
        let _turn = self.turn.lock().await;
        let end = self.world().now().at + time;
        self.settle_all().await;
        while self.step(end) {
            self.settle_all().await;
        }
        self.settle_all().await;
    }

    fn step(&self, end: spanwire_hub::time::Instant) -> bool {
        self.world().step(end)
    }

    async fn settle_all(&self) {
        loop {
            self.answer_all().await;
            let Some(happening) = self.next_happening() else { return };
            let Some((farewell, own)) = &self.farewell else { continue };
            if let Some(gone) = own.hub().and_then(|hub| DisconnectCtx::of(&happening, hub)) {
                farewell(gone).await;
            }
        }
    }

    async fn answer_all(&self) {
        while let Some(Asking { ask, proxy, asked }) = self.next_question() {
            let failure = failed(&asked.what);
            let answer = match self.backend.proxies.get(usize::from(proxy.0)) {
                Some(settings) => match &settings.respondent {
                    Respondent::Handler(handler) => handler.ask_alone(asked, settings.timeout).await,
                    Respondent::Service(_) => failure,
                },
                None => failure,
            };
            self.world().answer(ask, answer);
        }
    }

    fn next_happening(&self) -> Option<Happening> {
        self.world().next_happening()
    }

    fn next_question(&self) -> Option<Asking> {
        self.world().settle()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desks for Stage {
    fn broker(&self, channel: Channel, request: BrokerRequest) -> BrokerAnswer {
        self.world().ask_broker(&channel, request)
    }

    fn presence(&self, channel: Channel, request: PresenceRequest) -> PresenceAnswer {
        self.world().ask_presence(&channel, request)
    }

    fn order(&self, order: &Order) {
        self.world().order(order.clone());
    }

    fn channels(&self) -> BTreeMap<String, usize> {
        self.world().channels()
    }

    fn census(&self) -> Census {
        self.world().census()
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}
