//! Broker in memory.
