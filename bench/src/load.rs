//! Loads: what the clients do, and the proof that nothing of it was lost.

pub(crate) mod churn;
pub(crate) mod echo;
pub(crate) mod fanout;
pub(crate) mod hearing;
pub(crate) mod idle;
pub(crate) mod rooms;
pub(crate) mod storm;

use std::time::Duration;

use crate::sample;

/// What one stretch of load cost and brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Messages that arrived at clients, each exactly once and in order.
    pub(crate) deliveries: u64,
    /// From the first message to the last arrival.
    pub(crate) elapsed: Duration,
    /// Processor time of the server.
    pub(crate) server_cpu: Duration,
    /// Processor time of the load.
    pub(crate) load_cpu: Duration,
    /// Bytes that the load read.
    pub(crate) bytes_read: u64,
    /// From when each message was due to when its arrival was read, in nanoseconds; empty for loads
    /// without a schedule.
    pub(crate) latencies: Vec<u64>,
}

impl Outcome {
    /// Processor time of the server for each delivery, in nanoseconds.
    pub(crate) fn server_ns(&self) -> f64 {
        self.server_cpu.as_nanos() as f64 / self.deliveries as f64
    }

    /// Processor time of server and load for each delivery, in nanoseconds. On loopback the kernel does
    /// much of one side's work in the other side's system calls, so only the sum cannot be shifted.
    pub(crate) fn total_ns(&self) -> f64 {
        (self.server_cpu + self.load_cpu).as_nanos() as f64 / self.deliveries as f64
    }

    /// Deliveries per second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries as f64 / self.elapsed.as_secs_f64()
    }

    /// Deliveries for each second of the server's processor time: what one core could do.
    pub(crate) fn per_server_second(&self) -> f64 {
        self.deliveries as f64 / self.server_cpu.as_secs_f64()
    }

    /// Bytes for each delivery, with what else the server said.
    pub(crate) fn bytes(&self) -> f64 {
        self.bytes_read as f64 / self.deliveries as f64
    }

    /// The latency that this share of all deliveries did not exceed, in microseconds. Sort them first.
    pub(crate) fn latency_us(&self, share: f64) -> f64 {
        sample::percentile(&self.latencies, share).map_or(f64::NAN, |nanoseconds| nanoseconds as f64 / 1e3)
    }
}
