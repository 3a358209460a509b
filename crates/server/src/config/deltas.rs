//! Deltas: who may be told only what is different in a publication, and which publications are told so.

use spanwire_hub::namespace::{DeliveryProfile, Namespace};
use spanwire_wire::message::SubscribeRequest;

use super::reader::Reader;

/// Whether subscribers may take deltas: one kind of them is known, and there is no other.
pub(super) fn are_allowed(reader: &mut Reader<'_>) -> bool {
    let doc = "how subscribers with a position may be told what is different in a publication, instead of all of it; there is \"fossil\"";
    let known = |name: &str| (name == SubscribeRequest::DELTA_FOSSIL).then_some(());
    !reader.list("allowed_delta_types", doc, "[] or [\"fossil\"]", known).is_empty()
}

/// Whether publications are told by patches, as if each had been published with `delta`.
pub(super) fn are_published(reader: &mut Reader<'_>) -> bool {
    let doc = "whether all publications are told by patches to subscribers who take deltas; without it, those that the backend publishes with delta";
    reader.flag("delta_publish", doc, false)
}

/// Notes what would have no effect.
pub(super) fn check(reader: &mut Reader<'_>, namespace: &Namespace) {
    if namespace.delta_publish && !namespace.allow_delta {
        let trouble = "needs allowed_delta_types = [\"fossil\"]: without it nobody takes deltas";
        reader.conflict("delta_publish", trouble);
    }
    if namespace.allow_delta && namespace.history.is_none() {
        let trouble =
            "needs history_size = 1 at least, and history_ttl: a patch is made of a publication that is kept";
        reader.conflict("allowed_delta_types", trouble);
    }
    if namespace.allow_delta && namespace.delivery != DeliveryProfile::Disconnect {
        let trouble = "needs delivery = \"disconnect\": what is left out for a slow reader would be missing as the base of a \
                       patch";
        reader.conflict("allowed_delta_types", trouble);
    }
}
