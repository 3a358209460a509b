//! `spanwire dev-cert`: an authority of one's own, and a certificate for this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use super::{Exit, Failure, exit};
use crate::tls::write;

/// How long both certificates are good for: what browsers accept at most from anybody (398 days), less a little.
const DAYS: i64 = 365;

/// What the command line says.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Names and addresses that the certificate is for.
    #[arg(default_values_t = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()])]
    names: Vec<String>,
    /// The directory that the files go to.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Replaces files that are there.
    #[arg(long)]
    force: bool,
}

/// What is written: the authority's certificate, the server's, and the server's key.
struct Files {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let files = Files::below(&options.dir);
    if let Some(there) = files.all().into_iter().find(|path| path.exists() && !options.force) {
        return Err(Failure::new(Exit::Denied, format!("{} is there already", there.display()))
            .fix("replace the files with --force, or name another directory with --dir"));
    }
    let made = make(&options.names, OffsetDateTime::now_utc());
    let Made { authority, certificate, key } = made.map_err(|error| Failure::new(Exit::Usage, error))?;
    let write = || -> io::Result<()> {
        fs::create_dir_all(&options.dir)?;
        write(&files.key, &key, 0o600)?;
        write(&files.certificate, &certificate, 0o644)?;
        write(&files.authority, &authority, 0o644)
    };
    write().map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", options.dir.display())))?;
    exit::print(&files.next_steps(&options.names))
}

impl Files {
    fn below(directory: &Path) -> Self {
        Self {
            authority: directory.join("dev-ca.pem"),
            certificate: directory.join("dev-cert.pem"),
            key: directory.join("dev-key.pem"),
        }
    }

    fn all(&self) -> [&Path; 3] {
        [&self.authority, &self.certificate, &self.key]
    }

    fn next_steps(&self, names: &[String]) -> String {
        let [authority, certificate, key] = self.all().map(|path| path.display().to_string());
        let first = names.first().map_or("localhost", |name| name);
        format!(
            "{certificate}  for {}, good for {DAYS} days\n\
             {key}  its key, for your eyes only\n\
             {authority}  the authority that vouches for it; its own key is thrown away\n\
             \n\
             in the configuration:\n\
             \n    [http_server.tls]\
             \n    enabled = true\
             \n    cert_pem_file = \"{certificate}\"\
             \n    key_pem_file = \"{key}\"\n\
             \n\
             and then:\n\
             \n    curl --cacert {authority} https://{first}:8000/health\
             \n    spanwire sub --url https://{first}:8000 --ca-file {authority} news\
             \n    NODE_EXTRA_CA_CERTS={authority} node app.mjs\n\
             \n\
             Browsers trust it after {authority} was imported as an authority. Do that on your own machine only,\n\
             and get certificates for others from an authority that they know.",
            names.join(", "),
        )
    }
}

/// What goes into the files, as PEM.
struct Made {
    authority: String,
    certificate: String,
    key: String,
}

/// An authority that vouches for these names once, and then forgets its key.
fn make(names: &[String], now: OffsetDateTime) -> Result<Made, rcgen::Error> {
    let span = |params: &mut CertificateParams| {
        // Clocks differ.
        (params.not_before, params.not_after) = (now - Duration::DAY, now + Duration::days(DAYS));
    };
    let mut authority = CertificateParams::default();
    span(&mut authority);
    authority.distinguished_name.push(DnType::CommonName, "Spanwire dev-cert authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut leaf = CertificateParams::new(names.to_vec())?;
    span(&mut leaf);
    leaf.distinguished_name.push(DnType::CommonName, "Spanwire dev-cert");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &authority)?;
    Ok(Made { authority: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::Folder;
    use std::os::unix::fs::PermissionsExt as _;

    fn options(folder: &Folder, force: bool) -> Options {
        Options { names: vec!["localhost".to_owned(), "::1".to_owned()], dir: folder.path("made"), force }
    }

    #[test]
    fn the_key_is_for_its_owner_alone_and_nothing_is_replaced_unasked() {
        let folder = Folder::new("dev-cert");
        run(&options(&folder, false)).unwrap();
        let key = folder.path("made").join("dev-key.pem");
        let mode = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = fs::read(&key).unwrap();
        assert_eq!(run(&options(&folder, false)).unwrap_err().exit, Exit::Denied);
        assert_eq!(fs::read(&key).unwrap(), before);
        run(&options(&folder, true)).unwrap();
        assert_ne!(fs::read(&key).unwrap(), before);
    }

    #[test]
    fn a_name_that_no_certificate_can_have_is_refused() {
        let folder = Folder::new("dev-cert-name");
        let options = Options { names: vec!["m\u{fc}nchen".to_owned()], ..options(&folder, false) };
        assert_eq!(run(&options).unwrap_err().exit, Exit::Usage);
    }
}
