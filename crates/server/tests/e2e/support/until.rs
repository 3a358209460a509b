//! Waiting for a state, never for a time.

use std::time::Duration;

/// How long a scene waits for anything before it calls it missing.
///
/// It is no part of any expectation: everything awaited here takes milliseconds. It only has to be longer than the
/// worst pause of a small machine that builds something else at the same time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How often [`until`] looks at a state which cannot announce its own changes, such as a figure in `/proc`.
const GLANCE: Duration = Duration::from_millis(10);

/// Waits for a future, and says what was missing when it does not come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

/// Looks at a state until it gives an answer. Only for what cannot be awaited.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(answer) = look().await {
                return answer;
            }
            tokio::time::sleep(GLANCE).await;
        }
    })
    .await
}
