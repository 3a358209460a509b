//! Options of Centrifugo v6 that are known and do nothing here yet: they are refused with that reason, since an
//! option that is silently ignored is a promise broken.

/// Tables of options, and single options, by the beginning of their keys.
const YET_TO_COME: &[&str] = &[
    "admin",
    "broker",
    "channel.proxy.map",
    "channel.proxy.publish.grpc",
    "channel.proxy.shared_poll",
    "channel.proxy.sub_refresh.grpc",
    "channel.proxy.subscribe.grpc",
    "channel.proxy.subscribe_stream",
    "client.channel_position_check_delay",
    "client.concurrency",
    "client.connect_code_to_unidirectional_disconnect",
    "client.connect_include_server_time",
    "client.presence_update_interval",
    "client.proxy.connect.grpc",
    "client.proxy.refresh.grpc",
    "client.user_id_http_header",
    "consumers",
    "debug",
    "emulation.handler_prefix",
    "engine.redis",
    "engine.type",
    "graphite",
    "grpc_api",
    "http_api.disabled",
    "http_api.external",
    "http_api.handler_prefix",
    "http_api.use_open_telemetry",
    "http_server.http3",
    "http_server.internal_address",
    "http_server.internal_port",
    "http_server.tls.cert_pem",
    "http_server.tls.client_ca_pem",
    "http_server.tls.insecure_skip_verify",
    "http_server.tls.key_pem",
    "http_server.tls.server_ca_pem",
    "http_server.tls.server_name",
    "http_server.tls_autocert.http",
    "http_server.tls_external",
    "http_stream.handler_prefix",
    "init.handler_prefix",
    "log.file",
    "node.info_metrics_aggregate_interval",
    "opentelemetry",
    "presence_manager",
    "rpc.ping",
    "rpc.proxy.grpc",
    "sse.handler_prefix",
    "swagger",
    "uni_grpc",
    "uni_http_stream.connect_code_to_http_response",
    "uni_http_stream.handler_prefix",
    "uni_sse.connect_code_to_http_response",
    "uni_sse.handler_prefix",
    "uni_websocket.compression",
    "uni_websocket.disable_closing_handshake",
    "uni_websocket.disable_disconnect_push",
    "uni_websocket.handler_prefix",
    "uni_websocket.join_push_messages",
    "uni_websocket.message_size_limit",
    "uni_websocket.ping_interval",
    "uni_websocket.write_timeout",
    "unified_proxy",
    "usage_stats",
    "websocket.compression_prepared_message_cache_size",
    "webtransport",
];

/// Options of a namespace, by the beginning of their names.
const YET_TO_COME_IN_NAMESPACES: &[&str] = &[
    "allow_tags_filter",
    "allowed_delta_types",
    "auto_cache_recover",
    "delta_publish",
    "force_recovery_mode",
    "map",
    "shared_poll",
    "subscribe_stream_proxy",
    "subscription_type",
];

/// Switches that turn security off.
const INSECURE: &[&str] = &[
    "admin.insecure",
    "client.insecure",
    "client.insecure_skip_token_signature_verify",
    "http_api.insecure",
];

/// Options of TLS towards a server that is asked, by their names below `http.tls`.
const YET_TO_COME_IN_TRUST: &[&str] =
    &["cert_pem", "client_ca_pem", "client_ca_pem_file", "key_pem", "server_ca_pem"];

/// The beginnings of the keys of options that are known and not supported, those of namespaces left out.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    YET_TO_COME.iter().chain(INSECURE).copied()
}

/// Why a known option is refused; `None` if it is not known.
pub(super) fn reason(key: &str) -> Option<&'static str> {
    if INSECURE.contains(&key) {
        return Some(
            "there are no insecure switches; the dev profile (spanwire without arguments) lets anybody in",
        );
    }
    if option_of_trust(key) == Some("insecure_skip_verify") {
        return Some(
            "who is asked is always verified; http.tls.server_ca_pem_file names an authority of your own",
        );
    }
    let comes = match option_of_namespace(key) {
        _ if option_of_trust(key).is_some_and(|option| YET_TO_COME_IN_TRUST.contains(&option)) => true,
        Some(option) => YET_TO_COME_IN_NAMESPACES.iter().any(|known| is_begun_by(option, known)),
        None => YET_TO_COME.iter().any(|known| is_begun_by(key, known)),
    };
    comes.then_some("this option of Centrifugo is known, and not supported by this version of Spanwire")
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
    use super::reason;

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
            ("channel.without_namespace.allowed_delta_types", true),
            ("channel.without_namespace.admin", false),
            ("administrator", false),
            ("client.ping_intervall", false),
        ];
        for (key, expected) in table {
            assert_eq!(reason(key).is_some(), expected, "{key}");
        }
    }
}
