//! What outlives the process: the account, and the certificates with their keys.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use instant_acme::AccountCredentials;

use super::super::certificate::Certificate;
use super::super::{CertificateError, files, provider};
use crate::config::CertificateFiles;

/// Only the server's own user may read keys.
const MODE: u32 = 0o600;

/// A directory of one authority, below the one that was configured: an account is worth nothing elsewhere, and a
/// certificate for trying things out is not to be taken for a good one.
#[derive(Debug)]
pub(super) struct Storage(PathBuf);

impl Storage {
    /// Makes the directory if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn open(cache_dir: &Path, directory_url: &str) -> Result<Self, CertificateError> {
        let path = cache_dir.join(name(directory_url));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| CertificateError::Unordered(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }

    /// Where a host's certificate is, and its key: in one file, so that they are replaced in one moment.
    pub(super) fn files(&self, host: &str) -> CertificateFiles {
        let path = self.0.join(format!("{host}.pem"));
        CertificateFiles { certificate: path.clone(), key: path }
    }

    /// Keeps a chain and its key if clients would take them now.
    ///
    /// # Errors
    /// They would not, or the file cannot be written; what was kept before is kept on.
    pub(super) fn keep(&self, host: &str, pem: &str, now: SystemTime) -> Result<(), CertificateError> {
        let files = self.files(host);
        let certificate = Certificate::from_pem(&files, pem.as_bytes(), pem.as_bytes(), &provider())?;
        if !certificate.names.iter().any(|name| name == host) {
            let trouble = format!("the authority gave a certificate for {:?}", certificate.names);
            return Err(CertificateError::Unordered(trouble));
        }
        if certificate.validity.end <= now {
            return Err(CertificateError::Expired(files.certificate));
        }
        let written = files::write(&files.certificate, pem, MODE);
        written.map_err(|error| CertificateError::Unreadable(files.certificate, error))
    }

    /// The account that was made here, if one was.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub(super) fn account(&self) -> io::Result<Option<AccountCredentials>> {
        match fs::read(self.account_file()) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the account.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn keep_account(&self, account: &AccountCredentials) -> io::Result<()> {
        files::write(&self.account_file(), &serde_json::to_string(account)?, MODE)
    }

    /// Forgets an account that the authority does not know (any more).
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(super) fn forget_account(&self) -> io::Result<()> {
        fs::remove_file(self.account_file())
    }

    pub(super) fn account_file(&self) -> PathBuf {
        self.0.join("account.json")
    }
}

/// The address of a directory as the name of one on disk.
fn name(directory_url: &str) -> String {
    let address = directory_url.strip_prefix("https://").unwrap_or(directory_url);
    let kept = |letter: char| letter.is_ascii_alphanumeric() || letter == '.' || letter == '-';
    address.chars().map(|letter| if kept(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Folder, issue};
    use std::os::unix::fs::PermissionsExt as _;

    fn pem(names: &[&str]) -> String {
        let pair = issue(names);
        pair.cert.pem() + &pair.signing_key.serialize_pem()
    }

    #[test]
    fn authorities_have_directories_of_their_own() {
        assert_eq!(name("https://a.test:14000/acme/dir"), "a.test_14000_acme_dir");
        assert_eq!(name("https://a.test/../../b"), "a.test_.._.._b");
    }

    #[test]
    fn what_clients_would_not_take_replaces_nothing_and_what_they_would_is_for_its_owner_alone() {
        let folder = Folder::new("acme-storage");
        let storage = Storage::open(&folder.path("cache"), "https://a.test/dir").unwrap();
        let now = SystemTime::now();
        let good = pem(&["a.test"]);
        storage.keep("a.test", &good, now).unwrap();
        let path = storage.files("a.test").certificate;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        let far = now + std::time::Duration::from_secs(100 << 30);
        let unpaired = issue(&["a.test"]).cert.pem() + &issue(&["a.test"]).signing_key.serialize_pem();
        for (pem, now, expected) in [
            (pem(&["b.test"]), now, "gave a certificate for [\"b.test\"]"),
            (pem(&["a.test"]), far, "has expired"),
            (unpaired, now, "does not fit"),
            ("rubbish".to_owned(), now, "holds no certificate"),
        ] {
            let trouble = storage.keep("a.test", &pem, now).unwrap_err().to_string();
            assert!(trouble.contains(expected), "{trouble}");
            assert_eq!(fs::read_to_string(&path).unwrap(), good);
        }
    }
}
