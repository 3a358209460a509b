//! What subscribers are given that come back to a channel.

use spanwire_hub::namespace::{Namespace, RecoveryMode};

use super::reader::Reader;

/// Reads which recovery a namespace has.
pub(super) fn mode(reader: &mut Reader<'_>) -> RecoveryMode {
    let words =
        [("", RecoveryMode::Stream), ("stream", RecoveryMode::Stream), ("cache", RecoveryMode::Cache)];
    let doc = "what a subscriber that comes back is given: all that it missed (\"\" or \"stream\"), or the latest \
               publication only (\"cache\")";
    reader.choice("force_recovery_mode", doc, RecoveryMode::Stream, &words)
}

/// Reads whether it holds from the first time on.
pub(super) fn auto_cache(reader: &mut Reader<'_>) -> bool {
    let doc = "with force_recovery_mode \"cache\": whether who subscribes for the first time is given the latest \
               publication too";
    reader.flag("auto_cache_recover", doc, false)
}

/// Notes what does not fit together.
pub(super) fn check(reader: &mut Reader<'_>, namespace: &Namespace) {
    if namespace.auto_cache_recover && namespace.force_recovery_mode != RecoveryMode::Cache {
        reader.conflict("auto_cache_recover", "needs force_recovery_mode = \"cache\"");
    }
    if namespace.history.is_some() {
        return;
    }
    let wanting = [
        ("force_recovery", namespace.force_recovery),
        ("allow_recovery", namespace.allow_recovery),
        ("force_positioning", namespace.force_positioning),
        ("allow_positioning", namespace.allow_positioning),
        ("force_recovery_mode", namespace.force_recovery_mode == RecoveryMode::Cache),
    ];
    for (option, _) in wanting.into_iter().filter(|(_, is_set)| *is_set) {
        reader.conflict(option, "needs history_size and history_ttl");
    }
}
