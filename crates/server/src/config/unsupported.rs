//! Options of Centrifugo v6 that are known and do nothing here: they are refused, each with its reason and a way out,
//! since an option that is silently ignored is a promise broken.

mod reasons;

use self::reasons::{OF_NAMESPACES, OF_TRUST, OPTIONS};

/// The beginnings of the keys of options that are known and not supported, those of namespaces left out.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(key, _)| *key)
}

/// Why a known option is refused, and what to do instead; `None` if it is not known.
pub(super) fn reason(key: &str) -> Option<&'static str> {
    let of_trust =
        option_of_trust(key).and_then(|option| OF_TRUST.iter().find(|(known, _)| *known == option));
    match (of_trust, option_of_namespace(key)) {
        (Some((_, reason)), _) => Some(reason),
        (None, Some(option)) => said_of(OF_NAMESPACES, option),
        (None, None) => said_of(OPTIONS, key),
    }
}

/// The longest key says the most.
fn said_of(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let known = table.iter().filter(|(known, _)| is_begun_by(key, known));
    known.max_by_key(|(known, _)| known.len()).map(|(_, reason)| *reason)
}

/// The option's own name, if it belongs to a namespace.
fn option_of_namespace(key: &str) -> Option<&str> {
    key.strip_prefix("channel.without_namespace.")
        .or_else(|| key.strip_prefix("channel.namespaces[")?.split_once("].").map(|(_, option)| option))
}

/// The option's own name, if it says how a server that is asked is known.
fn option_of_trust(key: &str) -> Option<&str> {
    key.split_once(".http.tls.").map(|(_, option)| option)
}

fn is_begun_by(key: &str, known: &str) -> bool {
    key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_centrifugo_are_told_from_slips() {
        let table = [
            ("admin.password", true),
            ("http_server.tls.client_ca_pem_file", true),
            ("client.insecure", true),
            ("client.proxy.connect.http.tls.insecure_skip_verify", true),
            ("events.http.tls.server_ca_pem", true),
            ("proxies[a].http.tls.server_ca_pem_fiel", false),
            ("websocket.compression_prepared_message_cache_size", true),
            ("websocket.compression_levels", false),
            ("channel.namespaces[chat].subscribe_stream_proxy_enabled", true),
            ("channel.without_namespace.subscription_type", true),
            ("channel.without_namespace.admin", false),
            ("administrator", false),
            ("client.ping_intervall", false),
        ];
        for (key, expected) in table {
            assert_eq!(reason(key).is_some(), expected, "{key}");
        }
    }

    #[test]
    fn every_reason_says_why_and_what_to_do_instead() {
        for (key, reason) in OPTIONS.iter().chain(OF_NAMESPACES).chain(OF_TRUST) {
            assert!(reason.contains([';', ',', ':']) && reason.len() < 200, "{key}: {reason}");
            assert!(!reason.ends_with('.'), "{key}: {reason}");
        }
        let of = |option: &str| reason(&format!("channel.namespaces[chat].{option}")).unwrap();
        assert!(of("subscription_type").contains("stream"));
        assert!(of("subscribe_stream_proxy_bidirectional").contains("server API"));
    }

    #[test]
    fn the_longest_known_beginning_of_a_key_gives_the_reason() {
        assert_ne!(reason("client.insecure"), reason("client.concurrency"));
        assert!(reason("channel.proxy.subscribe_stream.grpc.tls.enabled").unwrap().contains("stream"));
        assert!(reason("channel.proxy.subscribe.grpc.tls.enabled").unwrap().contains("HTTP"));
        assert!(reason("admin.insecure").unwrap().contains("insecure"));
    }
}
