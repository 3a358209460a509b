//! Every input that was ever worth keeping, replayed in `cargo test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use spanwire_fuzz::TARGETS;

fn room(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The entries of a directory, in order.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut entries: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn stems(directory: &Path) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    entries(directory).into_iter().map(stem).collect()
}

#[test]
fn every_invariant_holds_for_every_file_of_the_corpus() {
    for (name, target) in TARGETS {
        let files = entries(&room("corpus").join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            // A failure in here shows the file: its name is the last line before the panic's own.
            println!("{}", file.display());
            target(&fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_a_main() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(&room("corpus")), names);
    assert_eq!(stems(&room("fuzz_targets")), names);
}
