//! Spanwire's world: everything that binds, reads, spawns and logs.

#![forbid(unsafe_code)]

pub mod auth;
pub mod config;
mod glob;
mod profile;

pub use profile::Profile;
