//! No sequence of commands reaches a channel that its permissions deny, and none is denied that they allow: each command
//! of random clients in random namespaces, held against the oracle.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use spanwire_hub::capabilities::{Capabilities, Claim, MatchMode};
use spanwire_hub::limits::Limits;
use spanwire_hub::namespace::{Namespace, Namespaces, Permission};
use spanwire_hub::{Credentials, Grant, Right, Rights, SessionId};

use super::oracle::{Cap, Options, Oracle, Token};
use super::outcome;
use crate::support::{HISTORY, World};

const CHANNELS: [&str; 10] =
    ["x", "one:x", "one:y", "$one:x", "one:x#ann", "one:x#ann,bob", "one:x#", "two:x", "two:x#bob", "none:x"];
const CAPS: [&str; 7] = ["*", "one:*", "$one:x", "one:x", "one:x#ann", "two:x*", "none:*"];
const WORDS: [&str; 4] = ["sub", "pub", "hst", "prs"];
const THINGS: [&str; 4] = ["subscribe", "publish", "history", "presence"];
const WHOM: [&str; 3] = ["for_client", "for_subscriber", "for_anonymous"];

#[derive(Clone, Debug)]
enum Step {
    Subscribe(&'static str, Token),
    Unsubscribe(&'static str),
    Publish(&'static str),
    History(&'static str),
    Presence(&'static str),
    PresenceStats(&'static str),
}

fn options() -> impl Strategy<Value = Options> {
    let all: Vec<_> = THINGS.iter().flat_map(|thing| WHOM.map(|whom| (*thing, whom))).collect();
    // There is no subscriber before somebody has subscribed.
    let all: Vec<_> = all.into_iter().filter(|option| *option != ("subscribe", "for_subscriber")).collect();
    let count = all.len();
    (any::<bool>(), any::<bool>(), any::<bool>(), subsequence(all, 0..=count)).prop_map(
        |(presence, history, allow_user_limited_channels, allowed)| Options {
            presence,
            history,
            allow_user_limited_channels,
            allowed,
        },
    )
}

fn words() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(WORDS.to_vec(), 0..=WORDS.len())
}

fn caps() -> impl Strategy<Value = Vec<Cap>> {
    let cap = (select(CAPS.to_vec()), words()).prop_map(|(channel, allow)| Cap { channel, allow });
    proptest::collection::vec(cap, 0..3)
}

fn step() -> impl Strategy<Value = Step> {
    let channel = || select(CHANNELS.to_vec());
    let token = prop_oneof![
        6 => Just(Token::None),
        1 => Just(Token::Forged),
        2 => words().prop_map(Token::Good),
    ];
    prop_oneof![
        3 => (channel(), token).prop_map(|(channel, token)| Step::Subscribe(channel, token)),
        1 => channel().prop_map(Step::Unsubscribe),
        3 => channel().prop_map(Step::Publish),
        1 => channel().prop_map(Step::History),
        1 => channel().prop_map(Step::Presence),
        1 => channel().prop_map(Step::PresenceStats),
    ]
}

fn namespace(options: &Options) -> Namespace {
    let permission = |thing: &str| {
        let has = |whom: &str| options.allowed.contains(&(thing, whom));
        Permission {
            client: has("for_client"),
            subscriber: has("for_subscriber"),
            anonymous: has("for_anonymous"),
        }
    };
    Namespace {
        presence: options.presence,
        history: options.history.then_some(HISTORY),
        allow_user_limited_channels: options.allow_user_limited_channels,
        subscribe: permission("subscribe"),
        publish: permission("publish"),
        read_history: permission("history"),
        see_presence: permission("presence"),
        ..Namespace::default()
    }
}

fn rights(words: &[&str]) -> Rights {
    words.iter().filter_map(|word| Right::of_word(word)).collect()
}

fn claims(caps: &[Cap]) -> Vec<Claim> {
    let claim = |cap: &Cap| Claim {
        channels: vec![cap.channel.to_owned()],
        match_mode: MatchMode::Wildcard,
        rights: rights(&cap.allow),
    };
    caps.iter().map(claim).collect()
}

/// One who is subscribed to everything: what is published, it hears.
fn witness(world: &mut World) -> SessionId {
    world.grants.insert("witness", Ok(Grant::default()));
    let id = world.connect("witness");
    for channel in CHANNELS {
        outcome(world, id, &format!(r#""subscribe":{{"channel":"{channel}","token":"witness"}}"#));
    }
    id
}

fn command(world: &mut World, step: &Step) -> String {
    match step {
        Step::Subscribe(channel, token) => {
            let token = match token {
                Token::None => "",
                Token::Forged => "forged",
                Token::Good(allow) => {
                    let grant = Grant { rights: rights(allow), ..Grant::default() };
                    world.grants.insert("good", Ok(grant));
                    "good"
                }
            };
            format!(r#""subscribe":{{"channel":"{channel}","token":"{token}"}}"#)
        }
        Step::Unsubscribe(channel) => format!(r#""unsubscribe":{{"channel":"{channel}"}}"#),
        Step::Publish(channel) => format!(r#""publish":{{"channel":"{channel}","data":7}}"#),
        Step::History(channel) => format!(r#""history":{{"channel":"{channel}"}}"#),
        Step::Presence(channel) => format!(r#""presence":{{"channel":"{channel}"}}"#),
        Step::PresenceStats(channel) => format!(r#""presence_stats":{{"channel":"{channel}"}}"#),
    }
}

fn expected(oracle: &mut Oracle, step: &Step) -> u32 {
    match step {
        Step::Subscribe(channel, token) => oracle.subscribe(channel, token),
        Step::Unsubscribe(channel) => oracle.unsubscribe(channel),
        Step::Publish(channel) => oracle.publish(channel),
        Step::History(channel) => oracle.history(channel),
        Step::Presence(channel) | Step::PresenceStats(channel) => oracle.presence(channel),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_commands_reaches_what_is_denied_or_is_denied_what_is_allowed(
        (bare, one, two) in (options(), options(), options()),
        user in select(vec!["", "ann", "bob", "eve"]),
        caps in caps(),
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let namespaces = Namespaces {
            without_namespace: Arc::new(namespace(&bare)),
            named: [("one", &one), ("two", &two)].map(|(name, it)| (name.to_owned(), namespace(it).into())).into(),
            personal: None,
        };
        let mut world = World::with(Limits::default(), namespaces);
        let witness = witness(&mut world);
        let capabilities = Capabilities::read(claims(&caps)).unwrap();
        let credentials = Credentials { user: user.to_owned(), capabilities, ..Credentials::default() };
        world.tokens.insert("client", Ok(credentials));
        let client = world.connect("client");
        let namespaces = BTreeMap::from([("", bare), ("one", one), ("two", two)]);
        let mut oracle = Oracle { namespaces, user, caps, subscribed: BTreeMap::new() };
        for step in &steps {
            let command = command(&mut world, step);
            let may_hear: Vec<_> = oracle.subscribed.keys().copied().collect();
            world.denials.clear();
            world.send(client, &format!(r#"{{"id":9,{command}}}"#));
            let told = world.read(client);
            let code = expected(&mut oracle, step);
            let reply = told.iter().find(|line| line.starts_with(r#"{"id":9,"#)).expect("a reply");
            let error = format!(r#"{{"id":9,"error":{{"code":{code},"#);
            prop_assert!(reply.starts_with(&error) || (code == 0 && !reply.contains(r#""error":"#)), "{command}: {reply}, not {code}");
            // Whoever is denied something is told of in the log, and nobody else.
            let is_denial = matches!(code, 102 | 103 | 108);
            prop_assert_eq!(world.denials.len(), usize::from(is_denial), "{:?}", world.denials);
            // What was allowed is heard by those who are subscribed, and by nobody else.
            let published = matches!(step, Step::Publish(_)) && code == 0;
            prop_assert_eq!(world.heard(witness).len(), usize::from(published));
            let heard = told.iter().filter(|line| line.contains(r#""pub":"#)).count();
            let hears = matches!(step, Step::Publish(channel) if may_hear.contains(channel));
            prop_assert_eq!(heard, usize::from(published && hears));
        }
        world.end();
    }
}
