//! Where a hub's sessions and channels live.

use std::collections::BTreeMap;

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
}

impl House {
    /// The engine, if there is one.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running) => Some(running),
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
        }
    }

    pub(super) async fn presence(
        &self,
        channel: Channel,
        request: PresenceRequest,
    ) -> Result<PresenceAnswer, Stopped> {
        match self {
            Self::Running(running) => Self::engine(running).presence(channel, request).await,
        }
    }

    pub(super) fn order(&self, order: &Order) {
        match self {
            Self::Running(running) => Self::engine(running).order(order),
        }
    }

    pub(super) async fn channels(&self) -> Result<BTreeMap<String, usize>, Stopped> {
        match self {
            Self::Running(running) => Self::engine(running).channels().await,
        }
    }

    pub(super) async fn census(&self) -> Result<Census, Stopped> {
        match self {
            Self::Running(running) => Self::engine(running).census().await,
        }
    }
}
