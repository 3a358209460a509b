//! What the compiler does not check about this repository: who may import whom, what the inner rooms may not know,
//! that no file is dead, and that the documents point at things which exist.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// All files below a folder with one of these endings, sorted.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(
                    name.as_str(),
                    "target" | "node_modules" | ".venv" | ".git" | "corpus" | "artifacts"
                ) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn each_room_imports_only_the_rooms_that_it_may() {
    let table = [
        ("crates/ws", &[][..]),
        ("crates/wire", &[]),
        ("crates/hub", &["spanwire-wire"]),
        ("crates/client-core", &["spanwire-wire"]),
        ("crates/client", &["spanwire-client-core", "spanwire-wire", "spanwire-ws"]),
        ("crates/sim", &["spanwire-client-core", "spanwire-hub", "spanwire-wire", "spanwire-ws"]),
        (
            "crates/server",
            &["spanwire-client", "spanwire-client-core", "spanwire-hub", "spanwire-wire", "spanwire-ws"],
        ),
    ];
    for (room, allowed) in table {
        let manifest = read(&root().join(room).join("Cargo.toml"));
        let dependencies = manifest.split("[dependencies]").nth(1).expect("dependencies");
        let ours = dependencies.lines().take_while(|line| !line.starts_with("[dev-"));
        let ours: Vec<_> = ours.filter_map(|line| line.split(['=', ' ']).next()).collect();
        for name in ours.iter().filter(|name| name.starts_with("spanwire")) {
            assert!(allowed.contains(name), "{room} may not import {name}");
        }
    }
}

#[test]
fn the_inner_rooms_know_no_clock_no_socket_no_file_and_no_runtime() {
    let forbidden = [
        "Instant::now",
        "SystemTime",
        "std::net",
        "std::fs",
        "std::env",
        "std::thread",
        "tokio::",
        "thread_rng",
        "rand::rng(",
    ];
    for room in ["crates/ws/src", "crates/wire/src", "crates/hub/src", "crates/client-core/src"] {
        // The conformance suite is for tests, and may wait for a broker that answers later.
        for path in files(room, &[".rs"]).into_iter().filter(|path| !path.ends_with("conformance.rs")) {
            let text = read(&path);
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let code: Vec<_> = code.take_while(|line| !line.starts_with("#[cfg(test)]")).collect();
            for word in forbidden {
                assert!(!code.iter().any(|line| line.contains(word)), "{} uses {word}", path.display());
            }
        }
        assert!(read(&root().join(room).join("lib.rs")).contains("#![forbid(unsafe_code)]"), "{room}");
    }
}

#[test]
fn what_the_core_of_the_client_stands_on_needs_no_system() {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let mut tree = std::process::Command::new(cargo);
    tree.current_dir(root()).args(["tree", "--locked", "--package", "spanwire-client-core"]);
    tree.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = tree.output().expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("names are UTF-8");
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"spanwire-wire"), "{tree}");
    // Sockets, clocks, threads, and the system's chance: what a shell brings, and a browser has not.
    for name in
        ["tokio", "mio", "socket2", "rustix", "libc", "getrandom", "hyper", "rustls", "async-io", "polling"]
    {
        assert!(!names.contains(&name), "spanwire-client-core stands on {name}");
    }
}

#[test]
fn every_source_file_is_a_module_of_something() {
    for path in files("crates", &[".rs"]).into_iter().chain(files("bench", &[".rs"])) {
        let stem = path.file_stem().expect("a stem").to_string_lossy().into_owned();
        if !path.components().any(|part| part.as_os_str() == "src")
            || matches!(stem.as_str(), "lib" | "main" | "mod")
        {
            continue;
        }
        let folder = path.parent().expect("a folder");
        if folder.ends_with("bin") {
            continue;
        }
        let parents = [
            folder.with_extension("rs"),
            folder.join("mod.rs"),
            folder.join("lib.rs"),
            folder.join("main.rs"),
        ];
        let named = parents.iter().filter(|parent| parent.exists()).any(|parent| {
            let text = read(parent);
            text.lines().any(|line| line.trim().trim_end_matches(';').ends_with(&format!("mod {stem}")))
        });
        assert!(named, "{} is dead: no parent says `mod {stem};`", path.display());
    }
}

#[test]
fn text_is_plain() {
    let endings = [".rs", ".toml", ".md", ".js", ".mjs", ".ts", ".html", ".css", ".py", ".sh", ".proto"];
    for path in files(".", &endings) {
        let text = read(&path);
        let name = path.display();
        assert!(text.is_empty() || text.ends_with('\n'), "{name} does not end with a newline");
        assert!(!text.contains('\r'), "{name} has carriage returns");
        for (number, line) in text.lines().enumerate() {
            assert!(!line.ends_with([' ', '\t']), "{name}:{}: white space at the end", number + 1);
        }
    }
}

#[test]
fn every_test_that_holds_a_guarantee_is_where_it_is_said_to_be() {
    let guarantees = read(&root().join("docs/guarantees.md"));
    let links = guarantees.split("[`").skip(1).filter_map(|rest| rest.split_once("`]("));
    let mut count = 0;
    for (name, rest) in links.filter(|(name, _)| !name.contains('/')) {
        let target = rest.split(')').next().unwrap_or_default();
        let text = read(&root().join("docs").join(target));
        assert!(
            [format!("fn {name}("), format!("fn {name}<")].iter().any(|declared| text.contains(declared)),
            "docs/guarantees.md says that {target} has {name}"
        );
        count += 1;
    }
    assert!(count > 20, "{count} tests are named");
}

#[test]
fn documents_point_at_things_that_exist() {
    for path in files(".", &[".md"]) {
        let text = read(&path);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let target = path.parent().expect("a folder").join(target);
            assert!(target.exists(), "{} points at {}, which is not there", path.display(), target.display());
        }
    }
    let architecture = read(&root().join("ARCHITECTURE.md"));
    for word in architecture.split('`').skip(1).step_by(2) {
        let is_path =
            word.contains('/') && !word.contains([' ', '<', '{', '*', '(']) && !word.starts_with('/');
        if is_path {
            let known = ["", "crates/", "crates/server/src/", "crates/hub/src/", "crates/hub/tests/"];
            assert!(
                known.iter().any(|folder| root().join(folder).join(word).exists()),
                "ARCHITECTURE.md speaks of {word}, which is not there"
            );
        }
    }
}
