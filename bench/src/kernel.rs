//! What the kernel itself keeps in memory: its slab caches, machine-wide.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

/// Bytes of a page; slabs are made of whole ones.
const PAGE_BYTES: u64 = 4096;

/// The size of every slab cache, in bytes. The kernel counts for the machine as a whole, so what other
/// processes open and close in the meantime is in a difference of two readings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slabs {
    caches: BTreeMap<String, Cache>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cache {
    bytes: u64,
    objects: u64,
}

/// Where the files of `/proc` are kept.
const PROC_INODES: &str = "proc_inode_cache";
/// Where names of files are kept, those of sockets as well.
const NAMES: &str = "dentry";

impl Slabs {
    /// Reads the caches; only root may. None where the kernel does not tell.
    pub(crate) fn look() -> Option<Slabs> {
        Slabs::parse(&fs::read_to_string("/proc/slabinfo").ok()?)
    }

    /// How much each cache has grown since `earlier`, in bytes, the most first.
    ///
    /// Without the files of `/proc` and their names: whoever lists the descriptors of all processes meanwhile (a
    /// monitor, `lsof`) leaves one of each for every connection, which are not the connection's.
    pub(crate) fn growth(&self, earlier: &Slabs) -> Vec<(String, i64)> {
        let listed = self.grown_by(earlier, PROC_INODES).1;
        let mut grown = Vec::new();
        for name in self.caches.keys().filter(|name| *name != PROC_INODES) {
            let (mut bytes, objects) = self.grown_by(earlier, name);
            if name == NAMES && objects > 0 {
                bytes -= bytes * listed.clamp(0, objects) / objects;
            }
            if bytes != 0 {
                grown.push((name.clone(), bytes));
            }
        }
        grown.sort_by_key(|(_, bytes)| -bytes);
        grown
    }

    /// By how many bytes and objects one cache has grown.
    fn grown_by(&self, earlier: &Slabs, name: &str) -> (i64, i64) {
        let find = |slabs: &Slabs| slabs.caches.get(name).copied().unwrap_or_default();
        let (now, before) = (find(self), find(earlier));
        (now.bytes as i64 - before.bytes as i64, now.objects as i64 - before.objects as i64)
    }

    /// Version 2.1 of the format: name, objects in use, objects, bytes of each, objects per slab, pages per
    /// slab; and behind the last colon slabs in use, slabs.
    fn parse(text: &str) -> Option<Slabs> {
        let mut caches = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with("slabinfo") && !line.starts_with('#')) {
            let mut words = line.split_ascii_whitespace();
            let name = words.next()?.to_owned();
            let objects = words.nth(1)?.parse().ok()?;
            let pages: u64 = words.nth(2)?.parse().ok()?;
            let slabs: u64 = line.rsplit(':').next()?.split_ascii_whitespace().nth(2)?.parse().ok()?;
            caches.insert(name, Cache { bytes: slabs * pages * PAGE_BYTES, objects });
        }
        (!caches.is_empty()).then_some(Slabs { caches })
    }
}

/// A figure of `/proc/meminfo`, in bytes.
pub(crate) fn meminfo(key: &str) -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo").context("cannot read the machine's memory")?;
    crate::procfs::parse_kib(&text, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "slabinfo - version: 2.1\n# name            <active_objs> ...\n";

    fn slabs(tcp: u64, filp: u64) -> Slabs {
        let line = |name, pages, slabs| {
            format!("{name}  94 143 2368 13 {pages} : tunables 0 0 0 : slabdata {slabs} {slabs} 0\n")
        };
        Slabs::parse(&format!("{HEAD}{}{}", line("TCP", 8, tcp), line("filp", 1, filp))).unwrap()
    }

    #[test]
    fn a_cache_is_as_large_as_all_pages_of_all_its_slabs() {
        assert_eq!(slabs(11, 3).caches["TCP"].bytes, 11 * 8 * 4096);
        assert_eq!(slabs(11, 3).caches["filp"].bytes, 3 * 4096);
    }

    #[test]
    fn growth_names_what_grew_most_first_and_what_shrank_last() {
        let grown = slabs(21, 1).growth(&slabs(11, 3));
        assert_eq!(grown, [("TCP".to_owned(), 10 * 8 * 4096), ("filp".to_owned(), -2 * 4096)]);
        assert_eq!(slabs(1, 1).growth(&slabs(1, 1)), []);
    }

    #[test]
    fn names_of_files_of_proc_are_not_counted() {
        let slabs = |names: u64, files: u64| {
            let line = |name, objects, slabs| {
                format!("{name} 0 {objects} 192 21 1 : tunables 0 0 0 : slabdata {slabs} {slabs} 0\n")
            };
            let text = format!("{}{}", line(NAMES, names * 20, names), line(PROC_INODES, files * 20, files));
            Slabs::parse(&text).unwrap()
        };
        assert_eq!(slabs(20, 5).growth(&slabs(10, 0)), [(NAMES.to_owned(), 5 * 4096)]);
        assert_eq!(slabs(20, 10).growth(&slabs(10, 0)), []);
    }

    #[test]
    fn what_is_no_slabinfo_gives_nothing() {
        for text in ["", HEAD, "TCP 1 2\n", "TCP a b c d e : tunables : slabdata 1 1 0\n"] {
            assert_eq!(Slabs::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(meminfo("MemTotal").unwrap() >= meminfo("MemAvailable").unwrap());
    }
}
