//! What a scene needs from the machine. What is missing is skipped with a note, or failed where nothing may be.

use std::io::Write;
use std::path::{Path, PathBuf};

/// When this variable is `all`, a skipped scene is a failed one. CI sets it, for it installs everything.
const REQUIRE: &str = "SPANWIRE_REQUIRE";

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the repository is where we were built")
}

/// A Chromium, by any of its names.
pub(crate) fn chromium() -> Option<PathBuf> {
    let found = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| program(name));
    needed("Chromium", "apt-get install chromium", found)
}

/// Node, in the version the scripts are written for.
pub(crate) fn node() -> Option<PathBuf> {
    needed("Node", "install Node 20 or newer", program("node"))
}

/// Node, with a file that `npm ci` in that folder of the repository puts there.
pub(crate) fn node_with(folder: &str, file: &str) -> Option<PathBuf> {
    let node = node()?;
    let installed = repository().join(folder).join(file).exists();
    needed(&format!("{folder}/{file}"), &format!("npm ci --prefix {folder}"), installed.then_some(node))
}

/// nginx, which serves WebSockets, streams and HTTP/2 to clients.
pub(crate) fn nginx() -> Option<PathBuf> {
    needed("nginx", "apt-get install nginx", program("nginx"))
}

/// Caddy, which serves WebSockets, streams and HTTP/2 to clients.
pub(crate) fn caddy() -> Option<PathBuf> {
    needed("Caddy", "apt-get install caddy", program("caddy"))
}

/// HAProxy, which does so too, and speaks HTTP/2 to us.
pub(crate) fn haproxy() -> Option<PathBuf> {
    needed("HAProxy", "apt-get install haproxy", program("haproxy"))
}

/// curl, by which the documentation shows calls.
pub(crate) fn curl() -> Option<PathBuf> {
    needed("curl", "apt-get install curl", program("curl"))
}

/// OpenSSL's command.
pub(crate) fn openssl() -> Option<PathBuf> {
    needed("openssl", "apt-get install openssl", program("openssl"))
}

/// Pebble, an authority that speaks ACME.
#[cfg(feature = "acme")]
pub(crate) fn pebble() -> Option<PathBuf> {
    let how = "go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest, and have it in the PATH";
    needed("Pebble", how, program("pebble"))
}

/// The Python of the virtual environment beside the scenarios for `centrifuge-python`.
pub(crate) fn python() -> Option<PathBuf> {
    let python = repository().join("e2e/python/.venv/bin/python");
    let how =
        "python3 -m venv e2e/python/.venv && e2e/python/.venv/bin/pip install -r e2e/python/requirements.txt";
    needed("centrifuge-python", how, python.exists().then_some(python))
}

/// What asks an API whatever its description allows, beside that Python.
pub(crate) fn schemathesis() -> Option<PathBuf> {
    let program = python()?.with_file_name("schemathesis");
    let how = "e2e/python/.venv/bin/pip install -r e2e/python/requirements.txt";
    needed("schemathesis", how, program.exists().then_some(program))
}

/// A program of the repository in Go, built from that folder with its modules from their proxy.
///
/// Where there is no Go at all it is skipped with a note, whatever is required: what distributions carry is too old
/// to install.
pub(crate) async fn go(folder: &str) -> Option<PathBuf> {
    let Some(go) = program("go") else {
        note(&format!("Go is missing (install Go 1.24 or newer to build {folder})"));
        return None;
    };
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder.replace('/', "-"));
    let mut build = tokio::process::Command::new(go);
    // One build at a time: two scenes may want the same program.
    static BUILDING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _alone = BUILDING.lock().await;
    build.arg("build").arg("-C").arg(repository().join(folder)).arg("-o").arg(&built).arg(".");
    let output = build.output().await.expect("Go can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(built)
}

/// The library by which a program reads another wall clock, where Debian puts it.
pub(crate) fn faketime() -> Option<PathBuf> {
    let rooms = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = rooms.map(|room| room.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file());
    needed("libfaketime", "apt-get install faketime", found)
}

/// A program that a scene can do without. That it is missing is noted, and no failure anywhere.
pub(crate) fn perhaps(name: &str) -> Option<PathBuf> {
    let found = program(name);
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "{name} is not in the PATH: one thing less to try");
    }
    found
}

/// Python, with nothing but its standard library.
pub(crate) fn plain_python() -> Option<PathBuf> {
    needed("Python", "apt-get install python3", program("python3"))
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Where servers are, which is not everybody's path.
    let servers = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(servers).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn needed(what: &str, how: &str, found: Option<PathBuf>) -> Option<PathBuf> {
    if found.is_none() {
        assert!(
            std::env::var(REQUIRE).as_deref() != Ok("all"),
            "{what} is missing, and {REQUIRE}=all: {how}"
        );
        note(&format!("{what} is missing ({how})"));
    }
    found
}

/// Says why this scene is skipped.
fn note(why: &str) {
    let scene = std::thread::current().name().unwrap_or("a scene").to_owned();
    // Written past the test harness, which keeps the `eprintln!` of passing tests to itself.
    let _ = writeln!(std::io::stderr(), "skipped {scene}: {why}");
}
