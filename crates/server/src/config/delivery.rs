//! What becomes of subscribers who read more slowly than is published.

use spanwire_hub::namespace::{DeliveryProfile, Namespace};

use super::reader::Reader;

/// Reads the delivery profile of a namespace.
pub(super) fn profile(reader: &mut Reader<'_>) -> DeliveryProfile {
    const WORDS: [(&str, &str); 4] = [
        ("", "disconnect"),
        ("disconnect", "disconnect"),
        ("drop_oldest", "drop_oldest"),
        ("conflate", "conflate"),
    ];
    let doc = "what becomes of a subscriber who reads more slowly than is published: let go with 3008 (\"\" or \
               \"disconnect\"), or given the newest (\"drop_oldest\") or the latest of each key (\"conflate\") and word \
               of the gap";
    let word = reader.choice("delivery", doc, "disconnect", &WORDS);
    let doc =
        "with delivery \"conflate\": the tag whose value is the key; empty is one key for the whole channel";
    let tag = reader.text("conflate_by", doc, "");
    if !tag.is_empty() && word != "conflate" {
        reader.conflict("conflate_by", "needs delivery = \"conflate\"");
    }
    match word {
        "drop_oldest" => DeliveryProfile::DropOldest,
        "conflate" => DeliveryProfile::Conflate { by: (!tag.is_empty()).then(|| tag.into()) },
        _ => DeliveryProfile::Disconnect,
    }
}

/// Notes what does not fit together.
pub(super) fn check(reader: &mut Reader<'_>, namespace: &Namespace) {
    if namespace.delivery != DeliveryProfile::Disconnect && namespace.history.is_none() {
        let trouble = "needs history_size = 1 at least, and history_ttl: only publications that have offsets show that \
                       some were left out";
        reader.conflict("delivery", trouble);
    }
}
