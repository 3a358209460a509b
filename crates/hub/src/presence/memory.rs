//! Presence in memory.
