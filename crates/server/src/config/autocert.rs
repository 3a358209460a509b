//! Certificates that the server orders itself, from an authority that speaks ACME (RFC 8555).

use std::path::PathBuf;

use http::Uri;
use rustls::pki_types::DnsName;

use super::reader::Reader;

/// Where certificates come from unless somebody says otherwise.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// For which hosts certificates are ordered, where, and where they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Autocert {
    /// At least one; names in lower case, each once.
    pub(crate) hosts: Vec<String>,
    /// Which of the hosts is meant by a client that names none.
    pub(crate) server_name: Option<String>,
    /// Keeps the account and the certificates; it outlives the process.
    pub(crate) cache_dir: PathBuf,
    /// Whom the authority may write to.
    pub(crate) email: Option<String>,
    /// The authority's directory (RFC 8555, section 7.1.1).
    pub(crate) directory_url: String,
    /// Who may vouch for the directory, instead of whom the system trusts.
    pub(crate) directory_ca: Option<PathBuf>,
}

/// Reads what stands below `http_server.tls_autocert`; `None` if it is not enabled.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Autocert> {
    let enabled = reader.flag(
        "enabled",
        "whether clients speak TLS, with certificates that the server orders by ACME, for which it must be built with \
         the feature acme; that accepts the authority's terms of service",
        false,
    );
    let mut hosts = reader.list(
        "host_whitelist",
        "the hosts that certificates are ordered for",
        "a list of names such as \"rt.example.org\", without stars, ports or addresses",
        host,
    );
    hosts.sort_unstable();
    hosts.dedup();
    let cache_dir =
        reader.text("cache_dir", "a directory of the server's own that keeps account and certificates", "");
    let email = reader.text("email", "whom the authority may write to when something is wrong", "");
    let server_name =
        reader.text("server_name", "the host that is meant by a client that names none", "").to_lowercase();
    let directory_url =
        reader.text("directory_url", "the authority's ACME directory, an https address", LETS_ENCRYPT);
    let directory_ca = reader.text(
        "directory_ca_pem_file",
        "who may vouch for the directory, in PEM, instead of whom the system trusts",
        "",
    );
    if !server_name.is_empty() && !hosts.contains(&server_name) {
        reader.conflict("server_name", "must be one of host_whitelist");
    }
    if !is_https(&directory_url) {
        reader.conflict("directory_url", "must be an https address (RFC 8555, section 6.1)");
    }
    if !enabled {
        return None;
    }
    if !cfg!(feature = "acme") {
        reader.conflict(
            "enabled",
            "needs a spanwire that was built with ACME: cargo build --release --features acme; \
             without, have certbot, lego or acme.sh fetch the certificate, and name its files in http_server.tls",
        );
    }
    if hosts.is_empty() {
        reader.conflict("host_whitelist", "must name at least one host");
    }
    if cache_dir.is_empty() {
        reader.conflict(
            "cache_dir",
            "must name a directory that outlives the server: authorities give only so many certificates a week",
        );
    }
    Some(Autocert {
        hosts,
        server_name: given(server_name),
        cache_dir: cache_dir.into(),
        email: given(email),
        directory_url,
        directory_ca: given(directory_ca).map(PathBuf::from),
    })
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A name that can be proved over TLS, in lower case. One that ends with a dot is written in another way by clients
/// (RFC 6066, section 3).
fn host(text: &str) -> Option<String> {
    let is_name = DnsName::try_from(text).is_ok() && !text.ends_with('.');
    is_name.then(|| text.to_ascii_lowercase())
}

fn is_https(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.is_some_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_without_star_port_or_address() {
        for (text, expected) in [
            ("rt.example.org", Some("rt.example.org")),
            ("RT.Example.org", Some("rt.example.org")),
            ("localhost", Some("localhost")),
            ("*.example.org", None),
            ("rt.example.org.", None),
            ("rt.example.org:443", None),
            ("192.0.2.1", None),
            ("../account", None),
            ("", None),
        ] {
            assert_eq!(host(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_directory_is_asked_over_https_only() {
        assert!(is_https(LETS_ENCRYPT) && is_https("https://localhost:14000/dir"));
        assert!(!is_https("http://localhost/dir") && !is_https("localhost") && !is_https(""));
    }
}
