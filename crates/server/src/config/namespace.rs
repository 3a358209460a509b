//! The options of a family of channels.

use std::num::NonZeroU32;
use std::time::Duration;

use regex_lite::Regex;
use spanwire_hub::broker::HistoryOptions;
use spanwire_hub::namespace::{ChannelNames, DataFormat, Namespace, Permission};

use super::backend::BackendReader;
use super::delivery;
use super::deltas;
use super::rates;
use super::reader::Reader;
use super::recovery;

/// Most publications a channel may keep: each channel of a namespace may have as many.
const HISTORY_SIZE_MAX: usize = 1_000_000;
/// Longest that anything is kept.
pub(super) const TTL_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Reads the options of one namespace; `meta_ttl` is `channel.history_meta_ttl`.
pub(super) fn read(reader: &mut Reader<'_>, meta_ttl: Duration, backend: &BackendReader) -> Namespace {
    let namespace = Namespace {
        presence: reader.flag("presence", "whether the server knows who is in a channel", false),
        join_leave: reader.flag("join_leave", "whether clients may ask to be told who comes and goes", false),
        force_push_join_leave: reader.flag(
            "force_push_join_leave",
            "whether every subscriber is told who comes and goes",
            false,
        ),
        history: history(reader, meta_ttl),
        force_positioning: reader.flag(
            "force_positioning",
            "whether every subscription has a position",
            false,
        ),
        allow_positioning: reader.flag("allow_positioning", "whether clients may ask for a position", false),
        force_recovery: reader.flag("force_recovery", "whether every subscription is recoverable", false),
        allow_recovery: reader.flag("allow_recovery", "whether clients may ask for recovery", false),
        force_recovery_mode: recovery::mode(reader),
        auto_cache_recover: recovery::auto_cache(reader),
        delivery: delivery::profile(reader),
        allow_tags_filter: reader.flag(
            "allow_tags_filter",
            "whether clients may subscribe to publications with certain tags only",
            false,
        ),
        allow_delta: deltas::are_allowed(reader),
        delta_publish: deltas::are_published(reader),
        subscribe: Permission {
            client: reader.flag("allow_subscribe_for_client", "whether clients may subscribe", false),
            subscriber: false,
            anonymous: reader.flag(
                "allow_subscribe_for_anonymous",
                "whether that holds for clients without a user id too",
                false,
            ),
        },
        publish: Permission {
            client: reader.flag("allow_publish_for_client", "whether clients may publish", false),
            subscriber: reader.flag("allow_publish_for_subscriber", "whether subscribers may publish", false),
            anonymous: reader.flag(
                "allow_publish_for_anonymous",
                "whether that holds for clients without a user id too",
                false,
            ),
        },
        see_presence: Permission {
            client: reader.flag("allow_presence_for_client", "whether clients may see presence", false),
            subscriber: reader.flag(
                "allow_presence_for_subscriber",
                "whether subscribers may see presence",
                false,
            ),
            anonymous: reader.flag(
                "allow_presence_for_anonymous",
                "whether that holds for clients without a user id too",
                false,
            ),
        },
        read_history: Permission {
            client: reader.flag("allow_history_for_client", "whether clients may read history", false),
            subscriber: reader.flag(
                "allow_history_for_subscriber",
                "whether subscribers may read history",
                false,
            ),
            anonymous: reader.flag(
                "allow_history_for_anonymous",
                "whether that holds for clients without a user id too",
                false,
            ),
        },
        allow_user_limited_channels: reader.flag(
            "allow_user_limited_channels",
            "whether a channel's name may list its users, as dialog#42,43 does",
            false,
        ),
        subscribers_max: subscribers_max(reader),
        publish_rate: rates::of_publications(reader),
        data_format: data_format(reader),
        channel_names: channel_names(reader),
        deciders: backend.deciders(reader),
    };
    recovery::check(reader, &namespace);
    delivery::check(reader, &namespace);
    deltas::check(reader, &namespace);
    namespace
}

fn subscribers_max(reader: &mut Reader<'_>) -> Option<NonZeroU32> {
    let doc = "how many subscribers a channel may have on this node, those subscribed by the server included; 0 is any number";
    let most = reader.count("max_subscribers", doc, 0, 0..=u32::MAX as usize);
    NonZeroU32::new(most as u32)
}

fn data_format(reader: &mut Reader<'_>) -> DataFormat {
    let words = [
        ("", DataFormat::Any),
        ("json", DataFormat::Json),
        ("json_object", DataFormat::JsonObject),
        ("binary", DataFormat::Binary),
    ];
    let doc = "what may be published; \"\" is anything but nothing, \"binary\" is anything";
    reader.choice("publication_data_format", doc, DataFormat::Any, &words)
}

fn channel_names(reader: &mut Reader<'_>) -> ChannelNames {
    let expression = reader.read(
        "channel_regex",
        "what the part of a channel's name behind the colon must fit; without it any ASCII will do",
        "a regular expression in quotes",
        |value| match value.as_str()? {
            "" => Some(None),
            text => Regex::new(text).ok().map(Some),
        },
    );
    expression.flatten().map_or(ChannelNames::Ascii, ChannelNames::Matching)
}

fn history(reader: &mut Reader<'_>, meta_ttl: Duration) -> Option<HistoryOptions> {
    let size = reader.count("history_size", "how many publications a channel keeps", 0, 0..=HISTORY_SIZE_MAX);
    let ttl = reader.duration(
        "history_ttl",
        "how long after the last publication they are kept",
        Duration::ZERO,
        Duration::ZERO..=TTL_MAX,
    );
    let meta_ttl = reader.duration(
        "history_meta_ttl",
        "how long after its last use a channel's position is kept",
        meta_ttl,
        Duration::ZERO..=TTL_MAX,
    );
    match (size, ttl) {
        (0, Duration::ZERO) => None,
        (0, _) => {
            reader.conflict("history_ttl", "history_size must be set as well");
            None
        }
        (_, Duration::ZERO) => {
            reader.conflict("history_size", "history_ttl must be set as well");
            None
        }
        _ => {
            if meta_ttl < ttl {
                reader.conflict("history_meta_ttl", "must not be shorter than history_ttl");
            }
            Some(HistoryOptions { size, ttl, meta_ttl })
        }
    }
}
