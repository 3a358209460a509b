//! A certificate of the server under test, by its own `dev-cert` command.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// A directory with the files; it goes with this value.
pub(crate) struct Certificate(PathBuf);

impl Certificate {
    /// Makes one for the server that is to listen at this address.
    pub(crate) fn make(binary: &Path, address: SocketAddr) -> Result<Certificate> {
        let directory = env::temp_dir()
            .join(format!("spanwire-bench-{}-{address}-tls", std::process::id()).replace(':', "-"));
        let mut command = Command::new(binary);
        command.args(["dev-cert", "--force", "--dir"]).arg(&directory);
        let output = command.output().context("cannot run dev-cert")?;
        ensure!(output.status.success(), "dev-cert: {}", String::from_utf8_lossy(&output.stderr));
        Ok(Certificate(directory))
    }

    /// What the server's configuration says of it.
    pub(crate) fn config(&self) -> String {
        let file = |name: &str| self.0.join(name).display().to_string();
        format!(
            "\n[http_server.tls]\nenabled = true\ncert_pem_file = \"{}\"\nkey_pem_file = \"{}\"\n",
            file("dev-cert.pem"),
            file("dev-key.pem")
        )
    }

    /// Clients that trust it.
    pub(crate) fn trust(&self) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.0.join("dev-ca.pem"))?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions()?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // What is left in a directory for passing things does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
