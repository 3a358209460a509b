//! Whether this machine lets us open so many connections, and what to change if not.

use std::fs;

use anyhow::{Result, ensure};

use super::WARM_UP;
use crate::crowd::SOURCES;
use crate::{kernel, machine, table};

/// Descriptors of a process that are not connections: epoll sets, listeners, pipes.
const SPARE: u64 = 64;
/// Memory that a connection takes on a machine that holds both of its ends, in bytes: the kernel's part of each
/// end, the server's, the load's, and some room.
const BYTES_BOTH_ENDS: u64 = 10_240;

/// What the machine allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Descriptors of a process (the hard limit).
    descriptors: u64,
    /// Ports for connections from one source address.
    ports: u64,
    /// Memory that can be had without swapping, in bytes.
    memory: u64,
}

impl Limits {
    /// Looks at this machine.
    pub(super) fn look() -> Result<Limits> {
        let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        Ok(Limits {
            descriptors: machine::raise_descriptors()?,
            ports: ports(&range).unwrap_or(u64::MAX),
            memory: kernel::meminfo("MemAvailable")?,
        })
    }

    /// Refuses a stage that cannot be run here, and says what would help.
    pub(super) fn admit(&self, connections: usize, processes: usize) -> Result<()> {
        let all = (connections + processes * WARM_UP) as u64;
        let one = all.div_ceil(processes as u64) + SPARE;
        ensure!(
            one <= self.descriptors,
            "{} connections need {processes} × {one} descriptors, and the hard limit of a process \
             here is {}: ask for smaller --sizes or more --processes, or raise it (`ulimit -Hn {one}` as \
             root, LimitNOFILE={one} of systemd)",
            table::count(connections),
            self.descriptors
        );
        let ports = self.ports.saturating_mul(SOURCES as u64);
        ensure!(
            all <= ports,
            "{connections} connections need as many ports, and {SOURCES} source addresses have {ports}: widen them \
             with `sysctl net.ipv4.ip_local_port_range=\"1024 65535\"`",
        );
        let bytes = all * BYTES_BOTH_ENDS;
        ensure!(
            bytes <= self.memory,
            "both ends of {connections} connections need about {} MB, and {} MB are available: ask for fewer",
            bytes >> 20,
            self.memory >> 20
        );
        Ok(())
    }
}

/// How many ports `ip_local_port_range` has.
fn ports(range: &str) -> Option<u64> {
    let mut words = range.split_ascii_whitespace();
    let (first, last): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(last.checked_sub(first)? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Limits = Limits { descriptors: 20_000, ports: 28_232, memory: 4 << 30 };

    #[test]
    fn what_fits_is_admitted() {
        assert!(HERE.admit(19_000, 1).is_ok());
        assert!(HERE.admit(200_000, 11).is_ok());
    }

    #[test]
    fn each_limit_refuses_by_name_and_says_what_to_change() {
        let table = [
            (HERE, 20_000, 1, "ulimit -Hn 20564"),
            (Limits { ports: 100, ..HERE }, 19_000, 1, "ip_local_port_range"),
            (HERE, 600_000, 60, "ask for fewer"),
        ];
        for (limits, connections, processes, advice) in table {
            let refusal = limits.admit(connections, processes).unwrap_err().to_string();
            assert!(refusal.contains(advice), "{refusal}");
        }
    }

    #[test]
    fn a_range_of_ports_includes_both_ends() {
        for (range, count) in [("32768\t60999\n", Some(28_232)), ("5 5", Some(1)), ("9 5", None), ("", None)]
        {
            assert_eq!(ports(range), count, "{range:?}");
        }
    }
}
