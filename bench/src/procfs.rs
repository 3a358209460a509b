//! What the kernel says about a process, read from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Processor time (user and system) that the living threads of process `pid` have used.
///
/// From `schedstat`, which counts in nanoseconds what `getrusage` rounds to microseconds and
/// `/proc/PID/stat` to hundredths of a second. A thread that ends takes its share with it, so take the
/// difference of two readings only over a stretch in which none does.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).context("cannot list the threads of a process")?;
    let mut total = Duration::ZERO;
    for task in tasks {
        let path = task?.path().join("schedstat");
        // A thread may end between the listing and this read.
        if let Ok(text) = fs::read_to_string(path) {
            total += parse_schedstat(&text)?;
        }
    }
    Ok(total)
}

/// Resident memory of process `pid` that is its own (anonymous): heap, stacks and the like, in bytes.
///
/// Pages of the executable are left out: they are shared, and come and go without any connection's doing.
/// From `smaps_rollup`, which walks the pages; the counters in `status` lag behind by some dozens of them.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    parse_kib(&fs::read_to_string(path).context("cannot read a process's memory")?, "Anonymous")
}

/// The most address space that process `pid` has ever reserved, in bytes.
pub(crate) fn reserved_bytes(pid: u32) -> Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).context("cannot read a process's status")?;
    parse_kib(&status, "VmPeak")
}

/// The processor's name, from the text of `/proc/cpuinfo`.
pub(crate) fn parse_cpu_model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

fn parse_schedstat(text: &str) -> Result<Duration> {
    let nanoseconds = text.split_ascii_whitespace().next().context("schedstat is empty")?;
    Ok(Duration::from_nanos(nanoseconds.parse().context("schedstat does not start with a number")?))
}

/// The figure of this name in a text of `Name: 123 kB` lines, in bytes.
pub(crate) fn parse_kib(text: &str, key: &str) -> Result<u64> {
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name != key {
            continue;
        }
        let Some(kib) = value.trim().strip_suffix(" kB") else { bail!("{key} is not in kB: {value}") };
        return Ok(
            kib.trim().parse::<u64>().with_context(|| format!("{key} is not a number: {value}"))? * 1024
        );
    }
    bail!("the kernel does not report {key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedstat_starts_with_the_nanoseconds_on_a_processor() {
        assert_eq!(parse_schedstat("86925 63202 2\n").unwrap(), Duration::from_nanos(86_925));
        assert!(parse_schedstat("").is_err());
        assert!(parse_schedstat("x 1 2").is_err());
    }

    #[test]
    fn resident_memory_is_read_from_its_own_line_only() {
        let rollup = "55d0-7ffe [rollup]\nRss:      999 kB\nAnonymous:   120 kB\nLazyFree:  4 kB\n";
        assert_eq!(parse_kib(rollup, "Anonymous").unwrap(), 120 * 1024);
        assert!(parse_kib(rollup, "Anon").is_err());
        assert!(parse_kib("Anonymous: 12 pages\n", "Anonymous").is_err());
    }

    #[test]
    fn the_processor_is_named_as_the_kernel_names_it() {
        assert_eq!(parse_cpu_model("processor\t: 0\nmodel name\t: Abacus 9\n"), Some("Abacus 9"));
        assert_eq!(parse_cpu_model("processor\t: 0\n"), None);
    }

    #[test]
    fn this_very_process_has_used_time_and_memory() {
        let pid = std::process::id();
        assert!(cpu_time(pid).unwrap() > Duration::ZERO);
        assert!(resident_bytes(pid).unwrap() > 4096);
    }
}
