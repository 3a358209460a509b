//! What opens, and what must not.

use super::*;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

fn sign(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn secret(secret: &[u8]) -> Verifier {
    Verifier::new(vec![Key::secret(secret)], Rules::default())
}

fn connect(claims: Value) -> Result<Credentials, TokenError> {
    secret(b"secret").connection(NOW, &sign(Algorithm::HS256, b"secret", &claims))
}

fn subscribe(claims: Value) -> Result<Option<Grant>, TokenError> {
    let token = sign(Algorithm::HS256, b"secret", &claims);
    secret(b"secret").subscription(NOW, &token, "$room", "ann")
}

#[test]
fn every_hmac_of_the_family_is_accepted_under_our_secret_and_no_other() {
    let key = secret(b"secret");
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let ours = sign(algorithm, b"secret", &json!({"sub": "ann"}));
        assert_eq!(key.connection(NOW, &ours).unwrap().user, "ann", "{algorithm:?}");
        let theirs = sign(algorithm, b"guess", &json!({"sub": "ann"}));
        assert_eq!(key.connection(NOW, &theirs).unwrap_err(), TokenError::Invalid, "{algorithm:?}");
    }
}

#[test]
fn a_token_cannot_choose_how_it_is_verified() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let good = sign(Algorithm::HS256, b"secret", &json!({"sub": "ann"}));
    let (_, claims, signature) = parts(&good);
    for algorithm in ["none", "None", "RS256", "ES256", "EdDSA", ""] {
        let header = BASE64.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
        for forged in [format!("{header}.{claims}."), format!("{header}.{claims}.{signature}")] {
            assert_eq!(
                secret(b"secret").connection(NOW, &forged).unwrap_err(),
                TokenError::Invalid,
                "{algorithm}"
            );
        }
    }
}

fn parts(token: &str) -> (&str, &str, &str) {
    let mut parts = token.split('.');
    (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn a_token_with_any_byte_changed_is_refused() {
    let good = sign(Algorithm::HS256, b"secret", &json!({"sub": "ann"}));
    for at in 0..good.len() {
        let mut forged = good.clone().into_bytes();
        // Changing the case moves the base64 value by 26, which shows in every bit but the lowest.
        forged[at] = match forged[at] {
            b'.' => b'A',
            b'A'..=b'Z' => forged[at].to_ascii_lowercase(),
            b'a'..=b'z' => forged[at].to_ascii_uppercase(),
            _ => b'.',
        };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(secret(b"secret").connection(NOW, &forged).unwrap_err(), TokenError::Invalid, "byte {at}");
    }
}

#[test]
fn times_are_judged_by_the_clock_passed_in() {
    let table = [
        (json!({}), Ok(None)),
        (json!({"exp": NOW + 1}), Ok(Some(NOW + 1))),
        (json!({"exp": NOW as f64 + 1.5}), Ok(Some(NOW + 1))),
        (json!({"exp": NOW}), Err(TokenError::Expired)),
        (json!({"exp": -1}), Err(TokenError::Expired)),
        (json!({"exp": "soon"}), Err(TokenError::Invalid)),
        (json!({"nbf": NOW + 60}), Ok(None)),
        (json!({"nbf": NOW + 60 + 1}), Err(TokenError::Invalid)),
        (json!({"exp": NOW + 1, "expire_at": NOW + 9}), Ok(Some(NOW + 9))),
        (json!({"exp": NOW + 1, "expire_at": 0}), Ok(None)),
    ];
    for (claims, expected) in table {
        assert_eq!(connect(claims.clone()).map(|found| found.expire_at), expected, "{claims}");
    }
}

#[test]
fn a_connection_token_says_who_it_is_and_where_it_is_subscribed() {
    let named = connect(json!({"sub": "ann", "info": {"name": "Ann"}, "channels": ["a", "b"]})).unwrap();
    assert_eq!((named.user.as_str(), &named.info[..]), ("ann", br#"{"name":"Ann"}"#.as_slice()));
    assert_eq!(named.channels.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);

    let subs = json!({"a": {"data": 7, "override": {"presence": {"value": false}}}});
    let detailed = connect(json!({"subs": subs, "channels": ["ignored"], "b64info": "AAE="})).unwrap();
    let (name, grant) = &detailed.channels[0];
    assert_eq!((detailed.user.as_str(), &detailed.info[..]), ("", [0, 1].as_slice()));
    assert_eq!((name.as_str(), &grant.data[..], detailed.channels.len()), ("a", b"7".as_slice(), 1));
    assert_eq!((grant.options.presence, grant.options.join_leave), (Some(false), None));
}

#[test]
fn what_the_backend_wants_to_be_told_again_and_what_a_token_is_revoked_by_are_kept() {
    let kept = connect(json!({"sub": "ann", "meta": {"plan": "free"}, "jti": "t1", "iat": NOW - 5})).unwrap();
    assert_eq!(&kept.meta[..], br#"{"plan":"free"}"#);
    let mark = kept.token.unwrap();
    assert_eq!((&*mark.id, mark.issued_at), ("t1", Some(NOW - 5)));
    let bare = connect(json!({"sub": "ann", "jti": "x".repeat(256)})).unwrap();
    assert_eq!((bare.meta.len(), bare.token.unwrap()), (0, spanwire_hub::TokenMark::default()));
    let claims = json!({"sub": "ann", "channel": "$room", "jti": "s1", "iat": NOW, "expire_at": NOW + 9});
    let grant = subscribe(claims).unwrap().unwrap();
    let mark = grant.token.unwrap();
    assert_eq!((&*mark.id, mark.issued_at, grant.expire_at), ("s1", Some(NOW), Some(NOW + 9)));
}

#[test]
fn claims_of_the_wrong_shape_are_refused() {
    let table = [
        json!({"channel": "$room"}),
        json!({"sub": 42}),
        json!({"jti": 42}),
        json!({"meta": "not an object"}),
        json!({"iat": "yesterday"}),
        json!({"channels": "a"}),
        json!({"b64info": "%%"}),
        json!({"subs": {"a": {"override": {"presence": true}}}}),
        json!("ann"),
        json!(null),
    ];
    for claims in table {
        assert_eq!(connect(claims.clone()).unwrap_err(), TokenError::Invalid, "{claims}");
    }
}

#[test]
fn a_subscription_token_opens_its_channel_to_its_user_alone() {
    let grant = subscribe(json!({"sub": "ann", "channel": "$room", "info": 1, "exp": NOW + 5}));
    let grant = grant.unwrap().unwrap();
    assert_eq!((&grant.info[..], grant.expire_at), (b"1".as_slice(), Some(NOW + 5)));

    assert_eq!(subscribe(json!({"sub": "bob", "channel": "$room"})), Ok(None));
    assert_eq!(subscribe(json!({"channel": "$room"})), Ok(None));
    assert_eq!(subscribe(json!({"sub": "ann", "channel": "$other"})), Ok(None));
    assert_eq!(subscribe(json!({"sub": "ann", "channel": "$room", "client": "c1"})), Ok(None));
    assert_eq!(subscribe(json!({"sub": "ann"})), Err(TokenError::Invalid));
    assert_eq!(subscribe(json!({"sub": "bob", "channel": "$room", "exp": 1})), Err(TokenError::Expired));
}

#[test]
fn a_key_does_not_print_its_secret() {
    let printed = format!("{:?}", secret(b"secret"));
    assert!(!printed.contains("115, 101") && !printed.contains("secret\""), "{printed}");
}

/// Tokens of every algorithm and the keys that verify them, made by PyJWT and OpenSSL, good until [`NOW`] + 60.
fn signed_elsewhere() -> Vec<Value> {
    serde_json::from_str(include_str!("testdata/signed.json")).unwrap()
}

/// The ways in which the key of a sample may be told.
fn keys_of(sample: &Value) -> Vec<Key> {
    if let Some(secret) = sample["secret"].as_str() {
        return vec![Key::secret(secret.as_bytes())];
    }
    let set = json!({"keys": [sample["jwk"]]}).to_string();
    let mut keys = jwk::keys_of_set(set.as_bytes()).unwrap();
    assert_eq!(keys.len(), 1, "{sample}");
    let key = Key::from_pem(sample["pem"].as_str().unwrap()).unwrap();
    let alone = key.clone().only(sample["alg"].as_str().unwrap()).unwrap();
    keys.extend([key, alone]);
    keys
}

fn verifies(keys: Vec<Key>, rules: Rules, token: &str) -> Result<String, TokenError> {
    Verifier::new(keys, rules).connection(NOW, token).map(|found| found.user)
}

#[test]
fn tokens_of_every_algorithm_are_verified_by_their_key_in_each_of_its_forms() {
    let samples = signed_elsewhere();
    assert_eq!(samples.len(), 13);
    for sample in &samples {
        let token = sample["token"].as_str().unwrap();
        for key in keys_of(sample) {
            assert_eq!(verifies(vec![key], Rules::default(), token), Ok("ann".to_owned()), "{sample}");
        }
    }
}

#[test]
fn a_key_verifies_nothing_that_another_kind_of_key_has_signed() {
    let samples = signed_elsewhere();
    for signer in &samples {
        for stranger in &samples {
            let is_same_key = signer["pem"] == stranger["pem"] && signer["secret"] == stranger["secret"];
            // RSA keys are named by their algorithm in the set, and by nothing in PEM.
            let keys = keys_of(stranger).into_iter().map(|key| key.named(None));
            for key in keys.filter(|_| !is_same_key) {
                let found = verifies(vec![key], Rules::default(), signer["token"].as_str().unwrap());
                assert_eq!(found, Err(TokenError::Invalid), "{} by {}", signer["alg"], stranger["alg"]);
            }
        }
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    for sample in signed_elsewhere().iter().filter(|sample| sample["pem"].is_string()) {
        let pem = sample["pem"].as_str().unwrap();
        let forged = sign(Algorithm::HS256, pem.as_bytes(), &json!({"sub": "ann"}));
        assert_eq!(verifies(keys_of(sample), Rules::default(), &forged), Err(TokenError::Invalid));
    }
}

#[test]
fn a_token_that_names_its_key_is_tried_with_no_other() {
    let token = |kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &json!({"sub": "ann"}), &EncodingKey::from_secret(b"new")).unwrap()
    };
    let named = |kid: &str| vec![Key::secret(b"old"), Key::secret(b"new").named(Some(kid.to_owned()))];
    for (kid, accepted) in [(None, true), (Some("b"), true), (Some("a"), false)] {
        let found = verifies(named("b"), Rules::default(), &token(kid));
        assert_eq!(found.is_ok(), accepted, "{kid:?}");
    }
    let nameless = vec![Key::secret(b"old"), Key::secret(b"new")];
    assert!(verifies(nameless, Rules::default(), &token(Some("a"))).is_ok());
}

#[test]
fn the_old_key_of_a_rotation_ends_on_its_day() {
    let token = sign(Algorithm::HS256, b"old", &json!({"sub": "ann"}));
    for (until, accepted) in [(None, true), (Some(NOW + 1), true), (Some(NOW), false)] {
        let keys = vec![Key::secret(b"new"), Key::secret(b"old").until(until)];
        assert_eq!(verifies(keys, Rules::default(), &token).is_ok(), accepted, "{until:?}");
    }
}

#[test]
fn the_issuer_and_the_audience_must_be_the_expected_ones() {
    let exactly = |text: &str| Some(Expected::Exactly(text.to_owned()));
    let matching = |text: &str| Some(Expected::Matching(regex_lite::Regex::new(text).unwrap()));
    let token = |claims: &Value| sign(Algorithm::HS256, b"secret", claims);
    let both = json!({"iss": "https://id.example.org", "aud": ["games", "chat"]});
    let one = json!({"iss": "https://id.example.org", "aud": "chat"});
    let table = [
        (Rules { issuer: exactly("https://id.example.org"), ..Rules::default() }, &both, true),
        (Rules { issuer: exactly("https://id.example"), ..Rules::default() }, &both, false),
        (Rules { issuer: matching(r"^https://(id|login)\.example\.org$"), ..Rules::default() }, &both, true),
        (Rules { audience: exactly("chat"), ..Rules::default() }, &both, true),
        (Rules { audience: exactly("chat"), ..Rules::default() }, &one, true),
        (Rules { audience: exactly("mail"), ..Rules::default() }, &both, false),
        (Rules { audience: matching("^ch"), ..Rules::default() }, &both, true),
        (Rules { audience: exactly("chat"), ..Rules::default() }, &json!({}), false),
        (Rules { issuer: exactly(""), ..Rules::default() }, &json!({}), false),
    ];
    for (rules, claims, accepted) in table {
        let found = verifies(vec![Key::secret(b"secret")], rules.clone(), &token(claims));
        assert_eq!(found.is_ok(), accepted, "{rules:?} {claims}");
    }
}

#[test]
fn another_claim_may_name_the_user_of_connections_and_of_subscriptions() {
    let rules = Rules { user_claim: Some("uid".to_owned()), ..Rules::default() };
    let verifier = Verifier::new(vec![Key::secret(b"secret")], rules);
    let claims = json!({"sub": "ann", "uid": "u-7"});
    let token = sign(Algorithm::HS256, b"secret", &claims);
    assert_eq!(verifier.connection(NOW, &token).unwrap().user, "u-7");
    let claims = json!({"sub": "ann", "uid": "u-7", "channel": "$room"});
    let token = sign(Algorithm::HS256, b"secret", &claims);
    assert!(verifier.subscription(NOW, &token, "$room", "u-7").unwrap().is_some());
    assert_eq!(verifier.subscription(NOW, &token, "$room", "ann"), Ok(None));
}

#[test]
fn a_leeway_forgives_a_clock_in_both_directions() {
    let rules = Rules { leeway_seconds: 90, ..Rules::default() };
    let found = |claims: Value| {
        verifies(vec![Key::secret(b"secret")], rules.clone(), &sign(Algorithm::HS256, b"secret", &claims))
    };
    assert!(found(json!({"exp": NOW - 89})).is_ok());
    assert_eq!(found(json!({"exp": NOW - 90})), Err(TokenError::Expired));
    assert!(found(json!({"nbf": NOW + 90})).is_ok());
    assert_eq!(found(json!({"nbf": NOW + 91})), Err(TokenError::Invalid));
}

#[test]
fn extensions_that_must_be_understood_are_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let header = BASE64.encode(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#);
    let message = format!("{header}.{}", BASE64.encode(r#"{"sub":"ann"}"#));
    let signature = jsonwebtoken::crypto::sign(
        message.as_bytes(),
        &EncodingKey::from_secret(b"secret"),
        Algorithm::HS256,
    )
    .unwrap();
    let token = format!("{message}.{signature}");
    assert_eq!(verifies(vec![Key::secret(b"secret")], Rules::default(), &token), Err(TokenError::Invalid));
}

#[test]
fn what_is_no_public_key_is_told_so() {
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAA\n-----END PRIVATE KEY-----\n";
    let x25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    let table =
        [("", PemError::NotAPublicKey), (private, PemError::NotAPublicKey), (x25519, PemError::UnknownKind)];
    for (pem, expected) in table {
        assert_eq!(Key::from_pem(pem).unwrap_err(), expected, "{pem}");
    }
}

#[test]
fn keys_of_a_set_that_verify_no_tokens_are_passed_over() {
    let table = [
        r#"{"kty":"oct","k":"c2VjcmV0"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        r#"{"kty":"RSA","n":"AQAB"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA","use":"enc"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA","alg":"ES256"}"#,
        r#"{"kty":7}"#,
        "null",
    ];
    let set = format!(r#"{{"keys":[{}]}}"#, table.join(","));
    assert_eq!(jwk::keys_of_set(set.as_bytes()), Some(Vec::new()));
    assert_eq!(jwk::keys_of_set(b"[]"), None);
}
