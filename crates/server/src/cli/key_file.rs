//! How `spanwire pub` finds the key of a dev profile that runs on the same machine.
//!
//! The dev profile draws its keys anew at each start. So that nobody has to copy one from window to window, it leaves
//! the API key in a file that only its own user can read, in the user's runtime directory (`$XDG_RUNTIME_DIR`), and
//! removes it when it ends. Without such a directory nothing is written and the key has to be copied.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::Secret;

/// Longest key file that is read, in bytes.
const KEY_BYTES_MAX: u64 = 1024;

/// A key file; removed when dropped.
#[derive(Debug)]
pub(super) struct KeyFile(PathBuf);

impl KeyFile {
    /// Leaves the key of the server at this port in a runtime directory.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub(super) fn leave(runtime: &Path, port: u16, key: &Secret) -> io::Result<Self> {
        let path = path(runtime, port);
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        // One that was left behind by a process that was killed. The port is ours now, so the file is too.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let kept = Self(path);
        file.write_all(key.reveal().as_bytes())?;
        Ok(kept)
    }

    /// The key of the server at this port, if one was left.
    pub(super) fn find(runtime: &Path, port: u16) -> Option<Secret> {
        let path = path(runtime, port);
        if fs::metadata(&path).ok()?.len() > KEY_BYTES_MAX {
            return None;
        }
        fs::read_to_string(path).ok().map(Secret::new)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        // If it is gone already, that is what was wanted.
        let _ = fs::remove_file(&self.0);
    }
}

/// The user's runtime directory: private to the user, and emptied when the user logs out.
pub(super) fn runtime_directory() -> Option<PathBuf> {
    std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir())
}

fn path(runtime: &Path, port: u16) -> PathBuf {
    runtime.join("spanwire").join(format!("dev-{port}.key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A directory of its own for each test, below the system's.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("spanwire-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_key_is_found_by_its_port_and_only_while_the_server_runs() {
        let scratch = Scratch::new("key-is-found");
        let kept = KeyFile::leave(&scratch.0, 8000, &Secret::new("k1")).unwrap();
        assert_eq!(KeyFile::find(&scratch.0, 8000).unwrap().reveal(), "k1");
        assert!(KeyFile::find(&scratch.0, 8001).is_none());
        drop(kept);
        assert!(KeyFile::find(&scratch.0, 8000).is_none());
    }

    #[test]
    fn the_file_is_for_its_user_alone_and_replaces_one_left_behind() {
        let scratch = Scratch::new("key-is-private");
        fs::create_dir_all(scratch.0.join("spanwire")).unwrap();
        fs::write(path(&scratch.0, 8000), "old").unwrap();
        let _kept = KeyFile::leave(&scratch.0, 8000, &Secret::new("new")).unwrap();
        let mode = fs::metadata(path(&scratch.0, 8000)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(KeyFile::find(&scratch.0, 8000).unwrap().reveal(), "new");
    }
}
