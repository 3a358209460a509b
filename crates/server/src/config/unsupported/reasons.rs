//! What is said of each option that is refused, or of each family of options: why, and the way out.

/// By the beginning of the keys.
pub(super) const OPTIONS: &[(&str, &str)] = &[
    (
        "admin",
        "there is no admin web interface; `spanwire info`, `spanwire channels` and /metrics tell what goes on",
    ),
    ("admin.insecure", NO_INSECURE_SWITCH),
    ("broker", ONE_NODE),
    ("channel.proxy.map", NO_MAPS),
    ("channel.proxy.publish.grpc", NO_GRPC_PROXY),
    ("channel.proxy.shared_poll", NO_SHARED_POLLS),
    ("channel.proxy.sub_refresh.grpc", NO_GRPC_PROXY),
    ("channel.proxy.subscribe.grpc", NO_GRPC_PROXY),
    ("channel.proxy.subscribe_stream", NO_PROXY_STREAMS),
    (
        "client.channel_position_check_delay",
        "a hole is seen when the next publication comes, and nothing is asked on a timer; take it out",
    ),
    (
        "client.concurrency",
        "commands of a client are carried out in their order, and never wait for a thread; take it out",
    ),
    (
        "client.connect_code_to_unidirectional_disconnect",
        "unidirectional clients are told the codes of the protocol; a proxy of yours answers with the code it wants",
    ),
    (
        "client.connect_include_server_time",
        "the reply to a connect does not tell the time; let a page ask your backend for it",
    ),
    ("client.insecure", NO_INSECURE_SWITCH),
    ("client.insecure_skip_token_signature_verify", NO_INSECURE_SWITCH),
    (
        "client.presence_update_interval",
        "presence is kept in memory and ends with its connection, so that nothing is renewed; take it out",
    ),
    ("client.proxy.connect.grpc", NO_GRPC_PROXY),
    ("client.proxy.refresh.grpc", NO_GRPC_PROXY),
    (
        "client.user_id_http_header",
        "a header alone lets nobody in; hand it on by http_headers of client.proxy.connect, and answer with the user",
    ),
    ("consumers", "queues are not read; whoever reads them publishes by the server API (POST /api/publish)"),
    ("debug", "there is no profiler inside; use perf, and /metrics"),
    ("emulation.handler_prefix", FIXED_PATH),
    ("engine.redis", ONE_NODE),
    ("engine.type", "there is the memory engine of one node, of any number of cores; take it out"),
    ("graphite", "metrics are for Prometheus, at /metrics, and many collectors hand them on"),
    ("grpc_api", "the server API is HTTP (POST /api/publish); /openapi.json describes it"),
    ("http_api.disabled", "without http_api.key and http_api.keys it is closed; take it out"),
    ("http_api.external", ONE_PORT),
    ("http_api.handler_prefix", FIXED_PATH),
    ("http_api.insecure", NO_INSECURE_SWITCH),
    ("http_api.use_open_telemetry", NO_TRACES),
    ("http_server.http3", "HTTP/1.1 and HTTP/2 are spoken; a proxy in front may speak HTTP/3"),
    ("http_server.internal_address", ONE_PORT),
    ("http_server.internal_port", ONE_PORT),
    ("http_server.tls.cert_pem", PEM_IN_FILES),
    (
        "http_server.tls.client_ca_pem",
        "clients show tokens and no certificates; let a proxy in front ask for those",
    ),
    ("http_server.tls.insecure_skip_verify", NO_INSECURE_SWITCH),
    ("http_server.tls.key_pem", PEM_IN_FILES),
    ("http_server.tls.server_ca_pem", "it is for who asks a server, and this is the server; take it out"),
    ("http_server.tls.server_name", "it is for who asks a server, and this is the server; take it out"),
    (
        "http_server.tls_autocert.http",
        "certificates are had by TLS-ALPN-01 on the port of TLS alone; take it out",
    ),
    ("http_server.tls_external", ONE_PORT),
    ("http_stream.handler_prefix", FIXED_PATH),
    ("init.handler_prefix", FIXED_PATH),
    ("log.file", "the log goes to stderr; let the shell or the service manager put it into a file"),
    (
        "node.info_metrics_aggregate_interval",
        "the info of the server API has no metrics; they are at /metrics",
    ),
    ("opentelemetry", NO_TRACES),
    ("presence_manager", ONE_NODE),
    ("rpc.ping", "clients are pinged by the server (client.ping_interval); take it out"),
    ("rpc.proxy.grpc", NO_GRPC_PROXY),
    ("sse.handler_prefix", FIXED_PATH),
    ("swagger", "/openapi.json describes the server API, for any viewer"),
    ("uni_grpc", "there are no clients over gRPC; uni_websocket, uni_sse and uni_http_stream are there"),
    ("uni_http_stream.connect_code_to_http_response", UNI_CODES),
    ("uni_http_stream.handler_prefix", FIXED_PATH),
    ("uni_sse.connect_code_to_http_response", UNI_CODES),
    ("uni_sse.handler_prefix", FIXED_PATH),
    ("uni_websocket.compression", UNI_AS_OTHERS),
    ("uni_websocket.disable_closing_handshake", UNI_AS_OTHERS),
    ("uni_websocket.disable_disconnect_push", UNI_AS_OTHERS),
    ("uni_websocket.handler_prefix", FIXED_PATH),
    ("uni_websocket.join_push_messages", UNI_AS_OTHERS),
    ("uni_websocket.message_size_limit", UNI_AS_OTHERS),
    ("uni_websocket.ping_interval", UNI_AS_OTHERS),
    ("uni_websocket.write_timeout", UNI_AS_OTHERS),
    (
        "unified_proxy",
        "each proxy is configured by itself: client.proxy, channel.proxy, rpc.proxy, or proxies by name",
    ),
    ("usage_stats", "nothing is sent to anybody; take it out"),
    (
        "websocket.compression_prepared_message_cache_size",
        "what many clients get is compressed once without a cache; take it out",
    ),
    (
        "webtransport",
        "there is no WebTransport; WebSocket over HTTP/1.1 and HTTP/2, and HTTP transports are there",
    ),
];

/// Of a namespace, by the beginning of their names.
pub(super) const OF_NAMESPACES: &[(&str, &str)] = &[
    ("map", NO_MAPS),
    ("shared_poll", NO_SHARED_POLLS),
    ("subscribe_stream_proxy", NO_PROXY_STREAMS),
    (
        "subscription_type",
        "every channel is a stream; take it out where it is \"\" or \"stream\", there is no other type",
    ),
];

/// Of TLS towards a server that is asked, by their names below `http.tls`.
pub(super) const OF_TRUST: &[(&str, &str)] = &[
    ("cert_pem", PEM_IN_FILES),
    ("client_ca_pem", "it is for servers, and here a server is asked; take it out"),
    ("client_ca_pem_file", "it is for servers, and here a server is asked; take it out"),
    (
        "insecure_skip_verify",
        "who is asked is always verified; http.tls.server_ca_pem_file names an authority of your own",
    ),
    ("key_pem", PEM_IN_FILES),
    ("server_ca_pem", PEM_IN_FILES),
];

const ONE_NODE: &str = "there is one node, of any number of cores, and it keeps channels, history and presence in memory; take it out";
const ONE_PORT: &str =
    "everything is at one port; let a proxy or a firewall keep strangers from /api and /metrics";
const FIXED_PATH: &str = "paths are those of Centrifugo's defaults; a proxy in front may rewrite others";
const NO_INSECURE_SWITCH: &str =
    "there are no insecure switches; the dev profile (spanwire without arguments) lets anybody in";
const NO_GRPC_PROXY: &str =
    "the backend is asked over HTTP alone; give its address as the endpoint, with http:// or https://";
const NO_PROXY_STREAMS: &str = "the backend has no stream of its own to a channel; let it publish by the server API, and learn from events who is there";
const NO_TRACES: &str = "nothing is traced; the log has client ids, and /metrics has the times";
const NO_MAPS: &str =
    "there are no map subscriptions; publish the state as a whole to a channel with history_size = 1";
const NO_SHARED_POLLS: &str = "there are no shared polls; let the backend publish what changes";
const PEM_IN_FILES: &str = "keys and certificates are read from files, not from the configuration: use the option that ends in _file";
const UNI_CODES: &str = "unidirectional clients are told the codes of the protocol, in a push; take it out";
const UNI_AS_OTHERS: &str = "it holds for unidirectional WebSockets as for the others: set the option of the same name below websocket or client, or take it out";
