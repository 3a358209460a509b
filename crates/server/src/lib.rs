//! Spanwire's world: everything that binds, reads, spawns and logs.

#![forbid(unsafe_code)]

pub mod auth;
mod glob;
