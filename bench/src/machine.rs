//! The machine a figure was measured on, and our place on it.

use std::fs;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit};
use rustix::thread::CpuSet;
use serde::{Deserialize, Serialize};

use crate::procfs;

/// The core of the server that is measured.
pub(crate) const SERVER_CORE: usize = 0;
/// The core of the load, so that it takes nothing from the server's.
pub(crate) const LOAD_CORE: usize = 1;

/// What a reader needs to know before comparing two records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Processors that the system has online.
    pub(crate) cores: usize,
    /// The processor's name.
    pub(crate) cpu: String,
    /// The kernel's release.
    pub(crate) kernel: String,
}

impl Machine {
    /// Looks at this machine. What it does not tell is "unknown".
    pub(crate) fn look() -> Machine {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
        Machine {
            cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
            cpu: procfs::parse_cpu_model(&cpuinfo).unwrap_or("unknown").to_owned(),
            kernel,
        }
    }
}

/// Ties this thread, and what it starts, to one core. Where that is not allowed or there is no such
/// core, says so and goes on: the figures are then noisier, not wrong.
pub(crate) fn pin(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &cores) {
        eprintln!("bench: not tied to core {core}: {error}");
    }
}

/// Raises the soft limit of open descriptors to the hard one and returns it.
pub(crate) fn raise_descriptors() -> Result<u64> {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("cannot raise the limit of open descriptors")?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}
