//! Spanwire's world: everything that binds, reads, spawns and logs.
#![forbid(unsafe_code)]

mod api;
mod assets;
pub mod auth;
pub mod config;
pub mod edge;
pub mod engine;
mod glob;
pub mod metrics;
mod profile;

pub use profile::Profile;
