//! The boundary between what a backend answers and what is done for it.

use bytes::Bytes;
use serde_json::Value;
use spanwire::backend::{of_connect, of_matter};
use spanwire_hub::backend::{Matter, ProxyId, Renewal};
use spanwire_hub::channel::Channel;
use spanwire_hub::{Answer, Refusal};

/// The body of an answer, read as the answer to every question that there is.
///
/// What must hold: what is understood is an object of JSON, its codes are those that a backend may use, a
/// `disconnect` wins over an `error` and that over a `result`, and somebody is let in as whom a plain reader finds.
///
/// # Panics
///
/// When one of these does not hold.
pub fn proxy_answers(body: &[u8]) {
    let plain = serde_json::from_slice::<Value>(body).ok();
    let said = |key: &str| plain.as_ref().is_some_and(|plain| !plain[key].is_null());
    if let Ok(connect) = of_connect(body, true) {
        assert!(body.trim_ascii_start().starts_with(b"{"), "an object");
        match connect {
            Some(Ok(found)) => {
                assert!(!said("error") && !said("disconnect"), "nobody is let in against the backend's word");
                let user = plain.as_ref().and_then(|plain| plain["result"]["user"].as_str());
                assert!(plain.is_none() || user.unwrap_or_default() == found.user);
                assert_ne!(found.expire_at, Some(0), "0 is never");
            }
            Some(Err(refusal)) => check(&refusal, said("disconnect")),
            None => assert!(!said("result") && !said("error") && !said("disconnect")),
        }
    }
    for matter in matters() {
        match of_matter(&matter, body) {
            Ok(
                Answer::Grant(Err(refusal))
                | Answer::Approval(Err(refusal))
                | Answer::Rpc(Err(refusal))
                | Answer::Renewal(Renewal::Refused(refusal)),
            ) => check(&refusal, said("disconnect")),
            Ok(_) => {
                assert!(body.trim_ascii_start().starts_with(b"{"), "an object");
                assert!(!said("error") && !said("disconnect"), "{matter:?}");
            }
            Err(nonsense) => assert!(!nonsense.to_string().is_empty()),
        }
    }
}

fn matters() -> [Matter; 5] {
    let (proxy, channel) = (ProxyId(0), Channel::new("c"));
    [
        Matter::Refresh,
        Matter::Subscribe { proxy, channel: channel.clone(), data: Bytes::new() },
        Matter::SubRefresh { proxy, channel: channel.clone() },
        Matter::Publish { proxy, channel, data: Bytes::new() },
        Matter::Rpc { method: String::new(), data: Bytes::new() },
    ]
}

fn check(refusal: &Refusal, disconnects: bool) {
    match refusal {
        Refusal::Worded(error) => assert!((100..=1999).contains(&error.code) && !disconnects, "{error:?}"),
        Refusal::Ended(reason) => assert!((4000..=4999).contains(&reason.code()), "{reason:?}"),
        other => panic!("a backend cannot say {other:?}"),
    }
}
