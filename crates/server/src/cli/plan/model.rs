//! The measurement, and the arithmetic that extends it. `bench connections` prints the figures of memory,
//! `bench --only one-channel` those of messages; `docs/performance.md` says how they were taken.

/// Where the constants below come from.
pub(super) struct Measurement {
    /// The day.
    pub(super) date: &'static str,
    /// The machine.
    pub(super) machine: &'static str,
    /// Connections that were open at once.
    pub(super) connections: f64,
    /// Server processes that held them.
    pub(super) processes: u32,
    /// The largest distance of the fit from a measurement of memory, as a share of it.
    pub(super) worst: f64,
}

/// The measurement behind this file.
pub(super) const MEASURED: Measurement = Measurement {
    date: "2026-11-20",
    machine: "2 cores of a Xeon (Sapphire Rapids class), KVM, Linux 6.18",
    connections: 200_000.0,
    processes: 11,
    worst: 0.08,
};

/// Memory of the server for each connection, in bytes: session, socket's entry and framing.
const CONNECTION_BYTES: f64 = 484.0;
/// For each subscription of a connection.
const SUBSCRIPTION_BYTES: f64 = 62.0;
/// For each channel with subscribers.
const CHANNEL_BYTES: f64 = 380.0;
/// Memory of the kernel for each socket with empty buffers, in bytes: half of what both ends took.
pub(super) const KERNEL_BYTES: f64 = 4_200.0;
/// Processor time of a heartbeat, in seconds: at 200,000 connections, where it was dearest.
const HEARTBEAT_S: f64 = 14.5e-6;
/// Heartbeats of a connection per second, at the default interval.
const HEARTBEATS: f64 = 1.0 / 25.0;
/// Processor time of a delivery at full speed, 32 in flight to 1,000 subscribers and more, in seconds.
const DELIVERY_MIN_S: f64 = 0.2e-6;
/// The same for one message at a time, the sender's publication shared by ten subscribers or more.
const DELIVERY_MAX_S: f64 = 10e-6;
/// The same per byte of data; from messages of 64 KB.
const BYTE_S: f64 = 0.18e-9;
/// Bytes around a message's data: push and frame, then TCP, IP and Ethernet.
const HEADER_BYTES: f64 = 120.0 + 78.0;
/// How busy a node may be: the rest is for bursts, and for the clients of a node that fails.
pub(super) const BUSY_MAX: f64 = 0.6;

/// What is to be served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// Connections.
    pub(super) connections: f64,
    /// Subscriptions of each.
    pub(super) subscriptions: f64,
    /// Subscribers of each channel.
    pub(super) subscribers: f64,
    /// Messages to each connection per second.
    pub(super) messages: f64,
    /// Bytes of each message's data.
    pub(super) payload: f64,
}

/// What that takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Memory of all server processes, in bytes.
    pub(super) user_bytes: f64,
    /// The same for each connection.
    pub(super) user_each: f64,
    /// Memory of all kernels, in bytes.
    pub(super) kernel_bytes: f64,
    /// Cores that heartbeats keep busy.
    pub(super) idle_cores: f64,
    /// Cores that messages keep busy, where they come by the many.
    pub(super) message_cores_min: f64,
    /// The same where they come one at a time.
    pub(super) message_cores_max: f64,
    /// Outgoing traffic, in Gbit/s.
    pub(super) gigabits: f64,
}

/// How many nodes, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Nodes {
    /// Nodes.
    pub(super) count: f64,
    /// What there is too little of with fewer.
    pub(super) bound_by: &'static str,
}

impl Need {
    /// What this takes.
    pub(super) fn cost(&self) -> Cost {
        let channels_each = self.subscriptions / self.subscribers;
        let user_each =
            CONNECTION_BYTES + SUBSCRIPTION_BYTES * self.subscriptions + CHANNEL_BYTES * channels_each;
        let deliveries = self.connections * self.messages;
        let copying = BYTE_S * self.payload;
        Cost {
            user_bytes: user_each * self.connections,
            user_each,
            kernel_bytes: KERNEL_BYTES * self.connections,
            idle_cores: self.connections * HEARTBEATS * HEARTBEAT_S,
            message_cores_min: deliveries * (DELIVERY_MIN_S + copying),
            message_cores_max: deliveries * (DELIVERY_MAX_S + copying),
            gigabits: deliveries * (self.payload + HEADER_BYTES) * 8.0 / 1e9,
        }
    }
}

impl Cost {
    /// How many nodes with so many cores, bytes of memory and Gbit/s.
    pub(super) fn nodes(&self, cores: f64, memory: f64, gigabits: f64) -> Nodes {
        let bounds = [
            ("memory", (self.user_bytes + self.kernel_bytes) / memory),
            ("cores", (self.idle_cores + self.message_cores_max) / cores),
            ("network", if self.gigabits > 0.0 { self.gigabits / gigabits } else { 0.0 }),
        ];
        let largest = bounds.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let (bound_by, share) = largest.unwrap_or(("memory", 0.0));
        Nodes { count: (share / BUSY_MAX).ceil().max(1.0), bound_by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Need =
        Need { connections: 1e6, subscriptions: 1.0, subscribers: 10.0, messages: 0.0, payload: 128.0 };

    #[test]
    fn a_million_quiet_connections_fit_in_six_gigabytes() {
        let cost = NEED.cost();
        assert!(cost.user_bytes + cost.kernel_bytes < 6e9, "{cost:?}");
        assert!(cost.message_cores_max.abs() < f64::EPSILON && cost.gigabits.abs() < f64::EPSILON);
    }

    #[test]
    fn twice_the_connections_cost_twice_as_much() {
        let (one, two) = (NEED.cost(), Need { connections: 2e6, ..NEED }.cost());
        for (one, two) in [
            (one.user_bytes, two.user_bytes),
            (one.kernel_bytes, two.kernel_bytes),
            (one.idle_cores, two.idle_cores),
        ] {
            assert!((two / one - 2.0).abs() < 1e-9);
        }
    }

    #[test]
    fn whatever_is_scarcest_decides_how_many_nodes() {
        let cost = Need { messages: 1.0, ..NEED }.cost();
        assert_eq!(cost.nodes(1e6, 1e9, 1e6).bound_by, "memory");
        assert_eq!(cost.nodes(1.0, 1e15, 1e6).bound_by, "cores");
        assert_eq!(cost.nodes(1e6, 1e15, 0.1).bound_by, "network");
        assert_eq!(cost.nodes(1e6, 1e15, 1e6).count, 1.0);
    }
}
