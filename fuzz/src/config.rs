//! The boundary between a file that somebody wrote and a running server.

use spanwire::Profile;
use spanwire::config::{Layer, LayerError, Settings};

/// What is under every key that is a secret. It is in the seeds too, where mutations break the lines around it.
const SECRET: &str = "open-sesame-5e63";
/// The keys whose values nobody is told.
const SECRETS: [&str; 3] =
    ["http_api.key", "client.token.hmac_secret_key", "client.subscription_token.hmac_secret_key"];

/// A file of TOML.
///
/// What must hold: it is read, or every mistake in it is told with the file and the key that has it; and no error
/// tells a secret, of the right kind or not, in a file that is TOML or in one that is broken.
///
/// # Panics
///
/// When one of these does not hold.
pub fn config_toml(input: &[u8]) {
    if let Some(told) = config(input, Layer::from_toml) {
        assert!(!told.contains(SECRET), "a broken file is told with its secret: {told}");
    }
}

/// A file of JSON. What must hold is the same as for [`config_toml`].
///
/// # Panics
///
/// When one of these does not hold.
pub fn config_json(input: &[u8]) {
    if let Some(told) = config(input, Layer::from_json) {
        assert!(!told.contains(SECRET), "a broken file is told with its secret: {told}");
    }
}

/// Reads a file, and says what is told of it if it is broken.
fn config(input: &[u8], parse: impl Fn(&str, &str) -> Result<Layer, LayerError>) -> Option<String> {
    let text = std::str::from_utf8(input).ok()?;
    let layer = match parse("the file", text) {
        Ok(layer) => layer,
        Err(error) => {
            let told = error.to_string();
            assert!(told.starts_with("the file: "), "{told}");
            return Some(told);
        }
    };
    for profile in [Profile::Secure, Profile::Dev] {
        check_problems(profile, &layer);
    }
    if !text.contains(SECRET) {
        keeps_secrets(layer);
    }
    None
}

/// Every mistake has a place, and what was accepted once is accepted again.
fn check_problems(profile: Profile, layer: &Layer) {
    let first = Settings::read(profile, std::slice::from_ref(layer));
    let Err(error) = first else {
        let beneath_nothing = [Layer::new("nothing"), layer.clone()];
        assert!(Settings::read(profile, &beneath_nothing).is_ok(), "an empty layer above changes nothing");
        return;
    };
    assert!(!error.problems.is_empty(), "a refusal has a reason");
    for problem in error.problems {
        // An empty name is a key that a file can have, and no option that we have.
        let named = !problem.setting.is_empty() || problem.trouble.starts_with("no such option");
        assert!(named && problem.layer == "the file" && !problem.trouble.is_empty(), "{problem:?}");
    }
}

/// Secrets of the right kind and of wrong ones, with the other mistakes of the file around them.
fn keeps_secrets(layer: Layer) {
    let right = serde_json::json!(SECRET);
    let wrong = [serde_json::json!([SECRET]), serde_json::json!([{ "key": SECRET }])];
    for value in std::iter::once(right).chain(wrong) {
        let mut layer = layer.clone();
        SECRETS.iter().for_each(|key| layer.set(key, value.clone()));
        match Settings::read(Profile::Secure, &[layer]) {
            Ok(settings) => assert!(!format!("{settings:?}").contains(SECRET), "settings show a secret"),
            Err(error) => {
                assert!(!error.to_string().contains(SECRET), "an error tells a secret: {error}");
                assert!(value.is_string() || SECRETS.iter().all(|key| error.to_string().contains(key)));
            }
        }
    }
}
