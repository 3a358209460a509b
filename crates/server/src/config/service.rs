//! A server that is asked by HTTP: where it is, what every request says, and how it is known.

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use rustls::pki_types::ServerName;
use serde_json::Value;

use super::reader::Reader;
use super::tls;
use crate::http_client::{Service, Trust};

/// Reads what stands beside `endpoint`; `None` if there is none.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Service> {
    let endpoint = endpoint(reader);
    let static_headers = static_headers(reader);
    let trust = reader.table("http.tls", trust);
    let service = Service { endpoint: endpoint?, static_headers, trust };
    if service.trust != Trust::default() && !service.is_https() {
        reader.conflict("http.tls", "needs an endpoint that begins with https://");
    }
    Some(service)
}

fn endpoint(reader: &mut Reader<'_>) -> Option<Uri> {
    // It may hold a password.
    let uri = reader.secretly("endpoint", "where the backend is asked, by POST", |text: &str| match text {
        "" => Ok(None),
        _ => match text.parse::<Uri>() {
            Ok(uri) if Service::is_at(&uri) => Ok(Some(uri)),
            _ => Err("an http:// or https:// address is wanted; other schemes are not supported"),
        },
    });
    uri.flatten()
}

fn static_headers(reader: &mut Reader<'_>) -> HeaderMap {
    let parse = |value: &Value| {
        let pairs = value.as_object()?.iter().map(|(name, value)| {
            let mut value = HeaderValue::from_str(value.as_str()?).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::try_from(name.as_str()).ok()?, value))
        });
        pairs.collect()
    };
    let (doc, wanted) = ("headers of every request", "a table of header names and values");
    reader.secret_value("http.static_headers", doc, wanted, parse).unwrap_or_default()
}

/// The keys are those of Centrifugo for a client of TLS.
fn trust(reader: &mut Reader<'_>) -> Trust {
    let is_enabled = reader.flag("enabled", "whether the options beside this one hold", true);
    let authorities = reader.text(
        "server_ca_pem_file",
        "a file with the authorities that vouch for an https endpoint, instead of the system's",
        "",
    );
    let server_name = reader.read(
        "server_name",
        "for whom the endpoint's certificate must be, instead of the host in its address",
        "a name or an address of a host in quotes",
        |value| match value.as_str()? {
            "" => Some(None),
            name => ServerName::try_from(name.to_owned()).ok().map(Some),
        },
    );
    let trust = Trust {
        authorities: (!authorities.is_empty()).then(|| authorities.into()),
        server_name: server_name.flatten(),
        identity: tls::files(reader),
    };
    if is_enabled { trust } else { Trust::default() }
}
