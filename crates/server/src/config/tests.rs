//! What an operator may write, and what is said when it is wrong.

use std::time::Duration;

use spanwire_hub::limits::{ClientRates, Limits};
use spanwire_hub::namespace::Namespace;
use spanwire_hub::rate::Rate;

use super::*;
use crate::Profile;
use crate::engine::Compression;

fn read(toml: &str) -> Result<Settings, ConfigError> {
    Settings::read(Profile::Secure, &[Layer::from_toml("spanwire.toml", toml).unwrap()])
}

/// The problems of a text, one per line.
fn problems(toml: &str) -> String {
    read(toml).map(|_| "no problem".to_owned()).unwrap_or_else(|error| error.to_string())
}

#[test]
fn an_empty_file_is_a_closed_server_with_the_usual_limits() {
    let settings = read("").unwrap();
    assert_eq!(settings.http_server.address, Address::Everywhere);
    assert_eq!(settings.http_server.port, 8000);
    let rate = |per_second| Rate::new(per_second, Duration::from_secs(5));
    let rates = ClientRates { commands: rate(1000), bytes: rate(16 << 20), subscribes: rate(100) };
    // A hub by itself limits no rate; a server that nobody has told otherwise does.
    assert_eq!(settings.limits, Limits { rates, ..Limits::default() });
    assert_eq!(
        *settings.namespaces.without_namespace,
        Namespace { publish_rate: rate(1000), ..Namespace::default() }
    );
    assert!(settings.http_api.keys.0.is_empty() && settings.client.tokens.trusts_nobody());
    assert!(!settings.client.anonymous);
}

#[test]
fn options_are_read_by_their_names() {
    let settings = read(
        r#"
        engine.shards = 2
        shutdown.timeout = "3s"
        log.level = "debug"
        [http_server]
        address = "::1"
        port = 0
        [client]
        ping_interval = "1m30s"
        allowed_origins = ["https://*.example.org"]
        token.hmac_secret_key = "hush"
        [channel.without_namespace]
        history_size = 3
        history_ttl = "10s"
        [[channel.namespaces]]
        name = "chat"
        presence = true
        "#,
    )
    .unwrap();
    assert_eq!((settings.shards, settings.shutdown_timeout), (2, Duration::from_secs(3)));
    assert_eq!(settings.log_level, tracing::level_filters::LevelFilter::DEBUG);
    assert_eq!(settings.http_server.address, Address::Only("::1".parse().unwrap()));
    assert_eq!(settings.limits.ping_interval, Duration::from_secs(90));
    assert_eq!(settings.client.allowed_origins, ["https://*.example.org"]);
    let history = settings.namespaces.without_namespace.history.unwrap();
    assert_eq!((history.size, history.ttl), (3, Duration::from_secs(10)));
    assert_eq!(history.meta_ttl, Duration::from_secs(720 * 3600));
    assert!(settings.namespaces.named["chat"].presence);
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn the_first_layer_that_has_an_option_decides() {
    let mut flags = Layer::new("command line");
    flags.set("http_server.port", 9000);
    let file =
        Layer::from_toml("spanwire.toml", "http_server = { port = 1, address = \"127.0.0.1\" }").unwrap();
    let settings = Settings::read(Profile::Secure, &[flags, file]).unwrap();
    assert_eq!(settings.http_server.port, 9000);
    assert_eq!(settings.http_server.address, Address::Only("127.0.0.1".parse().unwrap()));
}

#[test]
fn a_value_out_of_range_is_refused_with_the_key_the_value_and_the_range() {
    let table = [
        (
            "client.ping_interval = \"2h\"",
            "spanwire.toml: client.ping_interval = \"2h\": must be from 0s to 1h (how often clients are pinged; 0s is never)",
        ),
        (
            "http_server.port = 70000",
            "spanwire.toml: http_server.port = 70000: must be from 0 to 65535 (where to listen; 0 takes a free port)",
        ),
        (
            "client.channel_limit = 0",
            "spanwire.toml: client.channel_limit = 0: must be from 1 to 100000 (how many channels a client may be subscribed to)",
        ),
    ];
    for (toml, expected) in table {
        assert_eq!(problems(toml), expected);
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_is_wanted() {
    let table = [
        ("client.ping_interval = 25", "a duration in quotes"),
        ("client.ping_interval = \"25\"", "a duration in quotes"),
        ("http_server.port = \"8000\"", "a whole number"),
        ("http_server.port = -1", "a whole number"),
        ("http_server.port = 1.5", "a whole number"),
        ("http_server.address = \"example.org\"", "an IP address"),
        ("client.allowed_origins = \"*\"", "a list of texts"),
        ("client.allowed_origins = [1]", "a list of texts"),
        ("http_server.trusted_proxies = [\"10.0.0.0/33\"]", "a list of IP addresses and networks"),
        ("http_server.trusted_proxies = [\"proxy.example\"]", "a list of IP addresses and networks"),
        ("http_server.forwarded_header = \"x-real-ip\"", "one of \"x-forwarded-for\", \"forwarded\""),
        ("http_server.proxy_protocol = true", "needs http_server.trusted_proxies"),
        ("health.enabled = 1", "true or false"),
        ("log.level = \"loud\"", "one of \"trace\", \"debug\""),
        ("client = 5", "this is a table of options"),
        ("channel.namespaces = 5", "a list of tables"),
        ("channel.namespaces = [5]", "a list of tables"),
        ("channel.without_namespace = 5", "a table of options"),
    ];
    for (toml, expected) in table {
        let said = problems(toml);
        assert!(said.contains(expected), "{toml}: {said}");
    }
}

#[test]
fn a_secret_of_the_wrong_kind_is_not_repeated() {
    let said = problems("http_api.key = 12345");
    assert_eq!(said, "spanwire.toml: http_api.key: a text in quotes is wanted");
}

#[test]
fn where_keys_are_published_is_told_nobody_because_a_password_may_be_in_it() {
    let table = [
        ("jwks_public_endpoint = \"https://me:hush@keys.test/set?code=hush\"", None),
        (
            "jwks_public_endpoint = \"https://me:hush@keys.test/set\"\nhmac_secret_key = \"k\"",
            Some("keys from there are used alone"),
        ),
        ("jwks_public_endpoint = \"ftp://me:hush@keys.test/\"", Some("an http:// or https:// URL is wanted")),
        (
            "jwks_public_endpoint = \"ftp://me:hush@keys.test/{{t}}\"\nissuer_regex = \"(?P<t>a)\"",
            Some("is no http:// or https:// URL"),
        ),
        ("jwks_public_endpoint = \"https://me:hush@keys.test/{{t}}\"", Some("is no named group")),
    ];
    for (options, expected) in table {
        let toml = format!("[client.token]\n{options}");
        let layers = [Layer::from_toml("spanwire.toml", &toml).unwrap()];
        let (outcome, entries) = Settings::explain(Profile::Secure, &layers);
        let said = outcome.err().map(|error| error.to_string());
        match (&said, expected) {
            (Some(said), Some(expected)) => assert!(said.contains(expected), "{toml}: {said}"),
            _ => assert_eq!(said.is_some(), expected.is_some(), "{toml}: {said:?}"),
        }
        assert!(!said.unwrap_or_default().contains("hush"), "{toml}");
        let shown = format!("{entries:?}");
        assert!(shown.contains("jwks_public_endpoint") && !shown.contains("hush"), "{toml}: {shown}");
    }
}

#[test]
fn an_unknown_option_is_refused_with_the_one_that_was_meant() {
    let table = [
        (
            "client.ping_intervall = \"9s\"",
            "client.ping_intervall: no such option; did you mean client.ping_interval?",
        ),
        (
            "clients.ping_interval = \"9s\"",
            "clients.ping_interval: no such option; did you mean client.ping_interval?",
        ),
        ("color = \"red\"", "color: no such option"),
        ("[extra]", "extra: no such option"),
        (
            "[[channel.namespaces]]\nname = \"chat\"\nhistory_sise = 5",
            "channel.namespaces[chat].history_sise: no such option; did you mean channel.namespaces[chat].history_size?",
        ),
        (
            "[channel.without_namespace]\npresense = true",
            "channel.without_namespace.presense: no such option; did you mean channel.without_namespace.presence?",
        ),
    ];
    for (toml, expected) in table {
        assert_eq!(problems(toml), format!("spanwire.toml: {expected}"));
    }
}

#[test]
fn an_option_of_centrifugo_that_is_not_supported_says_why_and_what_to_do_instead() {
    let toml = "admin.enabled = true\n[http_server.tls]\nserver_name = \"a\"\n[client]\ninsecure = true\n";
    let said = problems(toml);
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        lines[0].starts_with(
            "spanwire.toml: admin: not supported: there is no admin web interface; `spanwire info`"
        ),
        "{said}"
    );
    assert!(
        lines[1].starts_with("spanwire.toml: client.insecure: not supported: there are no insecure switches"),
        "{said}"
    );
    assert!(
        lines[2].starts_with("spanwire.toml: http_server.tls.server_name: not supported: it is for who asks"),
        "{said}"
    );
}

#[test]
fn options_that_do_not_fit_together_are_refused() {
    let history = "history_size = 5\nhistory_ttl = \"1h\"\n";
    let table = [
        ("[channel.without_namespace]\nhistory_size = 5".to_owned(), "history_ttl must be set as well"),
        ("[channel.without_namespace]\nhistory_ttl = \"5s\"".to_owned(), "history_size must be set as well"),
        (
            "[channel.without_namespace]\nforce_recovery = true".to_owned(),
            "needs history_size and history_ttl",
        ),
        (
            "[channel.without_namespace]\nallow_positioning = true".to_owned(),
            "needs history_size and history_ttl",
        ),
        (
            "[channel.without_namespace]\nforce_recovery_mode = \"cache\"".to_owned(),
            "without_namespace.force_recovery_mode = \"cache\": needs history_size and history_ttl",
        ),
        (
            format!("[channel.without_namespace]\n{history}auto_cache_recover = true"),
            "auto_cache_recover = true: needs force_recovery_mode = \"cache\"",
        ),
        (
            "[channel.without_namespace]\ndelivery = \"conflate\"".to_owned(),
            "without_namespace.delivery = \"conflate\": needs history_size = 1 at least, and history_ttl: only publications \
             that have offsets show that some were left out",
        ),
        (
            format!("[channel.without_namespace]\n{history}delivery = \"drop_oldest\"\nconflate_by = \"of\""),
            "without_namespace.conflate_by = \"of\": needs delivery = \"conflate\"",
        ),
        (
            format!("[channel.without_namespace]\n{history}delta_publish = true"),
            "without_namespace.delta_publish = true: needs allowed_delta_types = [\"fossil\"]",
        ),
        (
            "[channel.without_namespace]\nallowed_delta_types = [\"fossil\"]".to_owned(),
            "needs history_size = 1 at least, and history_ttl: a patch is made of a publication that is kept",
        ),
        (
            format!(
                "[channel.without_namespace]\n{history}allowed_delta_types = [\"fossil\"]\ndelivery = \"conflate\""
            ),
            "needs delivery = \"disconnect\": what is left out for a slow reader",
        ),
        (
            format!("[channel.without_namespace]\n{history}history_meta_ttl = \"5m\""),
            "without_namespace.history_meta_ttl = \"5m\": must not be shorter than history_ttl",
        ),
        (
            "client.ping_interval = \"5s\"".to_owned(),
            "client.pong_timeout: must be shorter than client.ping_interval",
        ),
        (
            "[[channel.namespaces]]\nname = \"a\"".to_owned(),
            "namespaces[a].name = \"a\": must have at least two",
        ),
        ("[[channel.namespaces]]\nname = \"a:b\"".to_owned(), "must have at least two characters, of"),
        (
            "[[channel.namespaces]]\npresence = true".to_owned(),
            "channel.namespaces[0].name: must have at least two",
        ),
        (
            "[[channel.namespaces]]\nname = \"aa\"\n[[channel.namespaces]]\nname = \"aa\"".to_owned(),
            "there are two of the name \"aa\"",
        ),
        (
            "client.subscription_token.enabled = true".to_owned(),
            "client.subscription_token.enabled = true: needs a key",
        ),
    ];
    for (toml, expected) in table {
        let said = problems(&toml);
        assert!(said.contains(expected), "{toml}: {said}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let said = problems("http_server.port = 70000\nclient.channel_limit = 0\nlog.levl = \"info\"\n");
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn a_ping_that_is_never_sent_needs_no_order_of_times() {
    assert!(read("client = { ping_interval = \"0s\", pong_timeout = \"8s\" }").is_ok());
}

#[test]
fn the_dev_profile_is_open_on_loopback_and_has_its_namespaces() {
    let settings = Settings::dev(Vec::new(), &Secret::new("api"), &Secret::new("token")).unwrap();
    assert!(settings.http_server.address.is_loopback());
    assert!(settings.client.anonymous);
    assert!(settings.http_api.keys.0[0].secret.is(b"api"));
    assert!(!settings.client.tokens.trusts_nobody() && settings.client.subscription_tokens.is_none());
    let (chat, signal) = (&settings.namespaces.named["chat"], &settings.namespaces.named["signal"]);
    let chat_history = chat.history.unwrap();
    assert_eq!((chat_history.size, chat_history.ttl), (500, Duration::from_secs(24 * 3600)));
    assert!(chat.force_recovery && chat.presence && chat.join_leave && chat.force_push_join_leave);
    assert!(signal.history.is_none() && !signal.presence);
    let other = &settings.namespaces.without_namespace;
    assert_eq!(other.history.unwrap().size, 100);
    assert!(other.allow_recovery && other.presence && other.join_leave);
    for namespace in [chat, signal, other] {
        assert!(namespace.subscribe.allows("", false) && namespace.publish.allows("", false));
    }
}

#[test]
fn settings_that_invite_trouble_are_allowed_with_a_word() {
    let local = "http_server.address = \"localhost\"\n";
    let long = "k".repeat(32);
    let table = [
        (String::new(), vec!["no client can connect", "without TLS"]),
        (format!("{local}client.token.hmac_secret_key = \"{long}\""), vec![]),
        (format!("{local}client.allow_anonymous_connect_without_token = true"), vec![]),
        (
            format!("{local}client.token.hmac_secret_key = \"hush\""),
            vec!["client.token.hmac_secret_key is short"],
        ),
        (
            format!("{local}client.allowed_origins = [\"*\"]\nclient.token.hmac_secret_key = \"{long}\""),
            vec!["every web page"],
        ),
        (
            format!(
                "http_server.trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nclient.token.hmac_secret_key = \"{long}\""
            ),
            vec![],
        ),
    ];
    for (toml, expected) in table {
        let warnings = read(&toml).unwrap().warnings();
        assert_eq!(warnings.len(), expected.len(), "{toml}: {warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{toml}: {warning}");
        }
    }
}

#[test]
fn a_null_in_json_says_nothing() {
    let layer =
        Layer::from_json("a.json", r#"{"http_api": null, "client": {"ping_interval": null}}"#).unwrap();
    let settings = Settings::read(Profile::Secure, &[layer]).unwrap();
    assert!(settings.http_api.keys.0.is_empty());
}

#[test]
fn a_message_that_may_be_sent_may_also_be_understood() {
    let settings = read("websocket.message_size_limit = 1000000\nclient.channel_limit = 5000").unwrap();
    assert_eq!(settings.limits.commands.message_bytes_max, 1_000_000);
    assert_eq!(settings.limits.commands.messages_per_frame_max, 5001);
    assert!(settings.limits.backlog_bytes_max > 1_000_000);
}

#[test]
fn certificates_come_in_pairs_of_files_and_tls_needs_at_least_one() {
    let tls =
        |toml: &str| read(&format!("[http_server.tls]\n{toml}")).map(|settings| settings.http_server.tls);
    let two = r#"
        enabled = true
        cert_pem_file = "a.crt"
        key_pem_file = "a.key"
        certificates = [{ cert_pem_file = "b.crt", key_pem_file = "b.key" }]
    "#;
    let found = tls(two).unwrap().unwrap();
    let CertificateSource::Files(files) = found.source else { panic!("{found:?}") };
    let keys: Vec<_> = files.iter().map(|files| files.key.display().to_string()).collect();
    assert_eq!(keys, ["a.key", "b.key"]);
    assert_eq!(tls(&two.replace("true", "false")).unwrap(), None);
    for (toml, expected) in [
        ("enabled = true", "http_server.tls.enabled = true: needs cert_pem_file and key_pem_file"),
        ("cert_pem_file = 'a'", "needs key_pem_file"),
        ("key_pem_file = 'a'", "needs cert_pem_file"),
        ("certificates = [{}]", "http_server.tls.certificates[0].cert_pem_file: is needed"),
        (
            "enabled = true\ncert_pem_file = 'a'\nkey_pem_file = 'a'\n[http_server.tls_autocert]\nenabled = true\n",
            "tls_autocert.enabled = true: excludes http_server.tls.enabled",
        ),
        ("handshake_timeou = '1s'", "did you mean http_server.tls.handshake_timeout?"),
    ] {
        let trouble = tls(toml).unwrap_err().to_string();
        assert!(trouble.contains(expected), "{trouble}");
    }
}

#[test]
fn what_orders_certificates_must_know_for_whom_and_where_to_keep_them() {
    let tls = |toml: &str| {
        read(&format!("[http_server.tls_autocert]\n{toml}")).map(|settings| settings.http_server.tls)
    };
    let all = "enabled = true\nhost_whitelist = ['b.test', 'A.test', 'b.test']\ncache_dir = '/c'\nserver_name = 'a.test'";
    let ordered = tls(all);
    if cfg!(feature = "acme") {
        let found = ordered.unwrap().unwrap();
        let CertificateSource::Authority(found) = found.source else { panic!("{found:?}") };
        assert_eq!(found.hosts, ["a.test", "b.test"]);
        assert!(found.directory_url.contains("letsencrypt.org"));
    } else {
        let refusal = ordered.unwrap_err().to_string();
        assert!(refusal.contains("cargo build --release --features acme"), "{refusal}");
    }
    assert_eq!(tls(&all.replace("true", "false")).unwrap(), None);
    for (toml, expected) in [
        ("enabled = true", "http_server.tls_autocert.host_whitelist: must name at least one host"),
        ("enabled = true", "http_server.tls_autocert.cache_dir: must name a directory"),
        ("server_name = 'a.test'", "must be one of host_whitelist"),
        ("host_whitelist = ['*.test']", "without stars"),
        ("directory_url = 'http://a.test/'", "must be an https address"),
        ("http_addr = ':80'", "not supported: certificates are had by TLS-ALPN-01"),
    ] {
        let trouble = tls(toml).unwrap_err().to_string();
        assert!(trouble.contains(expected), "{trouble}");
    }
}

#[test]
fn compression_is_off_unless_somebody_turns_it_on_and_context_takeover_even_then() {
    assert!(read("").unwrap().websocket.compression.is_none());
    assert!(read("websocket.compression_level = 9").unwrap().websocket.compression.is_none());
    let on = read("websocket.compression = true").unwrap().websocket.compression.unwrap();
    assert_eq!((on.how, on.contexts_max), (Compression { level: 1, bytes_min: 128 }, 0));
    let all = "websocket.compression = true\nwebsocket.compression_level = 6\nwebsocket.compression_min_size = 0\n\
        websocket.compression_context_takeover = true\nwebsocket.compression_context_limit = 7";
    let all = read(all).unwrap().websocket.compression.unwrap();
    assert_eq!((all.how, all.contexts_max), (Compression { level: 6, bytes_min: 0 }, 7));
    assert!(
        read("websocket.compression_level = 0").is_err(),
        "whoever wants none says websocket.compression = false"
    );
}
