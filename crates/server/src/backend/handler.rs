//! A function of the application that this server is a part of, which answers where a service would be asked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use spanwire_hub::Answer;
use tokio::runtime;
use tokio::task::JoinHandle;

use super::answer::failed;
use super::line::Failure;
use super::question::{Question, What};
use crate::auth::ConnectionInfo;
use crate::engine::Transport;

/// Answers questions, each in a task of its own on the application's runtime. Cheap to clone.
#[derive(Clone)]
pub struct Handler {
    runtime: runtime::Handle,
    answers: Arc<Answers>,
}

type Answers = dyn Fn(Asked) -> BoxFuture<'static, Said> + Send + Sync;

/// A question as a handler is asked it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is asked.
    pub what: What,
    /// How the client is connected.
    pub transport: Transport,
    /// What its transport knows of it.
    pub connection: ConnectionInfo,
}

/// What a handler says.
#[derive(Debug)]
pub struct Said {
    /// The answer.
    pub answer: Answer,
    /// What went wrong on the way to it, for the operator's eyes only.
    pub trouble: Option<String>,
}

impl Handler {
    /// A handler whose tasks run on this runtime.
    pub fn new(
        runtime: runtime::Handle,
        answers: impl Fn(Asked) -> BoxFuture<'static, Said> + Send + Sync + 'static,
    ) -> Self {
        Self { runtime, answers: Arc::new(answers) }
    }

    /// Asks without a desk, for a stage, on which nobody has to wait. What comes to nothing is answered as a desk would.
    pub(crate) async fn ask_alone(&self, asked: Asked, patience: Duration) -> Answer {
        let failed = failed(&asked.what);
        match tokio::time::timeout(patience, self.ask(asked)).await {
            Ok(Ok(Said { answer, trouble })) => {
                if let Some(trouble) = trouble {
                    tracing::warn!("a handler fails: {trouble}");
                }
                answer
            }
            Ok(Err(_)) | Err(_) => failed,
        }
    }

    /// Asks. Dropped before there is an answer, the task is stopped where it waits next.
    pub(super) async fn ask(&self, asked: Asked) -> Result<Said, Failure> {
        let answers = self.answers.clone();
        // The function itself is called within the task: a panic of it must not end the thread that asks for all.
        let mut task = Task(self.runtime.spawn(async move { answers(asked).await }));
        (&mut task.0).await.map_err(|error| match error.is_panic() {
            true => Failure::Panicked,
            false => Failure::Broken("the application's runtime has ended".to_owned()),
        })
    }
}

/// A task that is stopped when nobody waits for it any more.
struct Task(JoinHandle<Said>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl From<&Question> for Asked {
    fn from(question: &Question) -> Self {
        Self {
            what: question.what.clone(),
            transport: question.transport,
            connection: question.connection.clone(),
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}
