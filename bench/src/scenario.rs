//! What is measured, one scenario in each file, with the promise it checks.

mod deflate;
mod encodings;
mod fan_out;
mod flat_out;
mod handshakes;
mod idle;
mod instructions;
mod large;
mod latency;
mod many_channels;
pub(crate) mod one_channel;
mod rooms;
mod shards;
mod sparse;
mod start;
mod storm;
mod tls;
mod transports;

use anyhow::Result;
use clap::ValueEnum;

use crate::lab::{Lab, Sides};
use crate::row::Row;

/// A scenario, by the name it has on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// From the start of the process until it says that it is ready.
    Start,
    /// One publisher, 1,000 subscribers, one message per turn.
    FanOut,
    /// One publisher, four subscribers: nothing is shared by many.
    Sparse,
    /// One publisher with 32 messages in flight, 1,000 subscribers.
    FlatOut,
    /// How long a delivery takes at a fixed rate.
    Latency,
    /// Connections opened, answered and closed.
    Handshakes,
    /// 10,000 connections that only answer heartbeats, without and with a subscription.
    Idle,
    /// Small rooms of ten in which everybody talks.
    Rooms,
    /// One channel with 1 to 100,000 subscribers.
    OneChannel,
    /// 10,000 channels on 100 clients.
    ManyChannels,
    /// Messages of 64 KB.
    Large,
    /// JSON against Protobuf.
    Encodings,
    /// Messages compressed, and not.
    Deflate,
    /// The same channel on one shard and on two.
    Shards,
    /// 10,000 clients come back at once, each owed ten messages.
    Storm,
    /// 2,000 connections over TLS that only answer heartbeats.
    Tls,
    /// The same messages over each transport.
    Transports,
    /// Instructions of the WebSocket layer for one message.
    Instructions,
}

impl Scenario {
    /// Runs the scenario; its rows are in the order of the report.
    pub(crate) fn run(self, lab: &Lab) -> Result<Vec<Row>> {
        match self {
            Scenario::Start => start::run(lab),
            Scenario::FanOut => fan_out::run(lab),
            Scenario::Sparse => sparse::run(lab),
            Scenario::FlatOut => flat_out::run(lab),
            Scenario::Latency => latency::run(lab),
            Scenario::Handshakes => handshakes::run(lab),
            Scenario::Idle => idle::run(lab),
            Scenario::Rooms => rooms::run(lab),
            Scenario::OneChannel => one_channel::run(lab),
            Scenario::ManyChannels => many_channels::run(lab),
            Scenario::Large => large::run(lab),
            Scenario::Encodings => encodings::run(lab),
            Scenario::Deflate => deflate::run(lab),
            Scenario::Shards => shards::run(lab),
            Scenario::Storm => storm::run(lab),
            Scenario::Tls => tls::run(lab),
            Scenario::Transports => transports::run(lab),
            Scenario::Instructions => instructions::run(),
        }
    }
}

/// Makes the rows of one scenario from what was measured.
struct Rows<'a, T> {
    scenario: &'a str,
    sides: &'a Sides<T>,
}

impl<T> Rows<'_, T> {
    fn row(&self, figure: &str, unit: &str, number: impl Fn(&T) -> f64) -> Row {
        let Sides { spanwire, floor, peer } = self.sides.map(number);
        Row::new(self.scenario, figure, unit, &spanwire, &floor).beside(&peer)
    }
}
