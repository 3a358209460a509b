//! Where a hub's sessions and channels live: in an engine, or on the stage of a test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use spanwire_hub::broker::{BrokerAnswer, BrokerRequest};
use spanwire_hub::channel::Channel;
use spanwire_hub::presence::{PresenceAnswer, PresenceRequest};
use spanwire_hub::{Census, Order};

use super::running::Running;
use crate::engine::{EngineHandle, Stopped};

/// Where a hub's sessions and channels live.
#[derive(Debug)]
pub(crate) enum House {
    /// In an engine of its own.
    Running(Box<Running>),
    /// On a stage, with a clock that stands still.
    Staged(Arc<dyn Desks>),
}

/// What can be asked of a stage. Its answers are there at once.
pub(crate) trait Desks: fmt::Debug + Send + Sync {
    fn broker(&self, channel: Channel, request: BrokerRequest) -> BrokerAnswer;
    fn presence(&self, channel: Channel, request: PresenceRequest) -> PresenceAnswer;
    fn order(&self, order: &Order);
    fn channels(&self) -> BTreeMap<String, usize>;
    fn census(&self) -> Census;
}

impl House {
    /// The engine, if there is one.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running) => Some(running),
            Self::Staged(_) => None,
        }
    }

    fn engine(running: &Running) -> &EngineHandle {
        running.engine()
    }

    pub(super) async fn broker(
        &self,
        channel: Channel,
        request: BrokerRequest,
    ) -> Result<BrokerAnswer, Stopped> {
        match self {
            Self::Running(running) => Self::engine(running).broker(channel, request).await,
            Self::Staged(stage) => Ok(stage.broker(channel, request)),
        }
    }

    pub(super) async fn presence(
        &self,
        channel: Channel,
        request: PresenceRequest,
    ) -> Result<PresenceAnswer, Stopped> {
        match self {
            Self::Running(running) => Self::engine(running).presence(channel, request).await,
            Self::Staged(stage) => Ok(stage.presence(channel, request)),
        }
    }

    pub(super) fn order(&self, order: &Order) {
        match self {
            Self::Running(running) => Self::engine(running).order(order),
            Self::Staged(stage) => stage.order(order),
        }
    }

    pub(super) async fn channels(&self) -> Result<BTreeMap<String, usize>, Stopped> {
        match self {
            Self::Running(running) => Self::engine(running).channels().await,
            Self::Staged(stage) => Ok(stage.channels()),
        }
    }

    pub(super) async fn census(&self) -> Result<Census, Stopped> {
        match self {
            Self::Running(running) => Self::engine(running).census().await,
            Self::Staged(stage) => Ok(stage.census()),
        }
    }
}
