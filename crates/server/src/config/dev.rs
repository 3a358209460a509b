//! The options of the dev profile.

use super::{Layer, Secret};

/// What the dev profile says where nobody else says anything.
pub(super) fn layer(api_key: &Secret, token_key: &Secret) -> Layer {
    let text = include_str!("dev.toml");
    let mut layer =
        Layer::from_toml("dev profile", text).expect("the text is part of the program, and tests read it");
    layer.set("http_api.key", api_key.reveal());
    layer.set("client.token.hmac_secret_key", token_key.reveal());
    layer
}
