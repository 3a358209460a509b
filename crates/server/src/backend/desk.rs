//! The desk: the one task that admits questions, asks proxies and sends the answers back.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use http::StatusCode;
use spanwire_hub::{Answer, Refusal};
use tokio::sync::mpsc::UnboundedReceiver;

use super::admission::{Ended, SentAway};
use super::answer::{self, Nonsense};
use super::circuit::Change;
use super::complaints::Complaints;
use super::handler::Said;
use super::line::{Failure, Line, Outcome};
use super::question::{Question, What};
use super::route::Route;
use super::stats::ProxyStats;
use super::{Errand, Lines, Register};
use crate::auth::Authorize;

/// Most questions that are taken in before those that may be are asked.
const TAKEN_AT_ONCE: usize = 256;

/// All proxies, and what is under way to them.
pub(super) struct Desk {
    windows: Vec<Window>,
    register: Arc<Register>,
    /// What the connections that a backend lets in are told of their expiry.
    renewed_by_backend: bool,
    under_way: FuturesUnordered<LocalBoxFuture<'static, Returned>>,
}

/// One proxy.
struct Window {
    route: Route<Question>,
    register: Arc<Register>,
    place: usize,
    complaints: Complaints,
}

/// A question that has been asked, and what came of it.
struct Returned {
    window: usize,
    /// By which it was asked; there may be another one by now.
    line: Rc<Line>,
    question: Question,
    begun: Instant,
    outcome: Outcome,
}

impl Desk {
    pub(super) fn new(Lines(lines): Lines, register: &Arc<Register>, seed: [u8; 32]) -> Self {
        let window = |(place, line): (usize, Line)| Window {
            route: Route::new(line, seed_of(place, seed)),
            register: register.clone(),
            place,
            complaints: Complaints::default(),
        };
        Self {
            windows: lines.into_iter().enumerate().map(window).collect(),
            register: register.clone(),
            renewed_by_backend: register.settings.refresh.is_some(),
            under_way: FuturesUnordered::new(),
        }
    }

    /// Works until nobody is left who could ask.
    pub(super) async fn work(mut self, mut inbox: UnboundedReceiver<Errand>) {
        let mut errands = Vec::with_capacity(TAKEN_AT_ONCE);
        loop {
            self.see_to_all(Instant::now());
            let now = Instant::now();
            let deadlines =
                self.windows.iter().filter_map(|window| window.route.admission.next_deadline(now));
            let deadline = deadlines.min();
            tokio::select! {
                taken = inbox.recv_many(&mut errands, TAKEN_AT_ONCE) => {
                    if taken == 0 {
                        return;
                    }
                    let now = Instant::now();
                    for errand in errands.drain(..) {
                        match errand {
                            Errand::Ask { proxy, question } => self.take(now, usize::from(proxy.0), question),
                            Errand::Reconnect(lines) => self.reconnect(lines),
                        }
                    }
                }
                Some(returned) = self.under_way.next(), if !self.under_way.is_empty() => self.close(returned),
                () = until(deadline), if deadline.is_some() => {}
            }
        }
    }

    fn take(&mut self, now: Instant, place: usize, question: Question) {
        // Ids come from the same settings as the windows.
        let Some(window) = self.windows.get_mut(place) else { return };
        if let Err(sent_away) = window.route.admission.offer(now, question) {
            window.send_away(sent_away);
        }
    }

    fn reconnect(&mut self, Lines(lines): Lines) {
        for (window, line) in self.windows.iter_mut().zip(lines) {
            window.route.reconnect(line);
        }
    }

    /// Sends away who has waited for too long, and asks what may be asked.
    fn see_to_all(&mut self, now: Instant) {
        for window in &mut self.windows {
            while let Some(sent_away) = window.route.admission.overdue(now) {
                window.send_away(sent_away);
            }
            while let Some(question) = window.route.admission.next(now) {
                self.under_way.push(Box::pin(ask(window.route.line().clone(), window.place, question)));
            }
            window.stats().is(window.route.admission.state());
        }
    }

    fn close(&mut self, returned: Returned) {
        let Returned { window, line, question, begun, outcome } = returned;
        let Some(window) = self.windows.get_mut(window) else { return };
        window.settle(&line, begun, Instant::now(), &outcome);
        let authorize = self.register.authorize();
        let answer = window.interpret(&line, &question, outcome, &*authorize, self.renewed_by_backend);
        question.asker.answer(answer);
    }
}

impl Window {
    fn stats(&self) -> &ProxyStats {
        &self.register.stats[self.place]
    }

    fn name(&self) -> &str {
        &self.route.line().settings().name
    }

    /// Notes that a question has ended, with one line in the log for each time that the backend goes or comes back.
    fn settle(&mut self, line: &Rc<Line>, begun: Instant, now: Instant, outcome: &Outcome) {
        self.stats().took(now.saturating_duration_since(begun));
        let failure = match outcome {
            Outcome::Asked(Err(failure)) | Outcome::Said(Err(failure)) => Some(failure),
            _ => None,
        };
        let failed = failure.is_some_and(Failure::is_the_backends);
        let ended = if failed { Ended::Failed } else { Ended::Answered };
        match self.route.done(line, begun, now, ended) {
            Some(Change::Opened) => {
                let trouble = failure.map(Failure::to_string).unwrap_or_default();
                tracing::error!(
                    "proxy {}: the backend does not answer ({trouble}); clients are told to come back, \
                     and it is tried again from time to time",
                    self.name()
                );
            }
            Some(Change::Closed) => tracing::info!("proxy {}: the backend answers again", self.name()),
            None => {}
        }
    }

    fn send_away(&self, SentAway { what: question, wait }: SentAway<Question>) {
        self.stats().ended("sent_away");
        let answer = match &question.what {
            What::Connect(_) => Answer::Credentials(Err(Refusal::Later(wait))),
            What::Petition(petition) => answer::refusal_of(&petition.matter, answer::unavailable()),
        };
        question.asker.answer(answer);
    }

    fn interpret(
        &mut self,
        line: &Line,
        question: &Question,
        outcome: Outcome,
        authorize: &dyn Authorize,
        renewed_by_backend: bool,
    ) -> Answer {
        let (name, refusal) = match outcome {
            Outcome::NotJson => ("not_json", Refusal::Error(spanwire_wire::ErrorCode::BadRequest)),
            Outcome::Asked(Ok(body)) => match read(question, &body, authorize, renewed_by_backend) {
                Ok(answer) => {
                    self.stats().ended("answered");
                    return answer;
                }
                Err(nonsense) => {
                    self.complain(&nonsense.to_string());
                    ("nonsense", answer::unavailable())
                }
            },
            Outcome::Said(Ok(Said { answer, trouble: None })) => {
                self.stats().ended("answered");
                return answer;
            }
            Outcome::Said(Ok(Said { answer, trouble: Some(trouble) })) => {
                self.complain(&trouble);
                self.stats().ended("failed");
                return answer;
            }
            Outcome::Asked(Err(failure)) | Outcome::Said(Err(failure)) => {
                (failure.name(), self.meaning(line, &failure))
            }
        };
        self.stats().ended(name);
        match &question.what {
            What::Connect(_) => Answer::Credentials(Err(refusal)),
            What::Petition(petition) => answer::refusal_of(&petition.matter, refusal),
        }
    }

    /// What a failure means to the client, in the words of those settings by which the backend was asked.
    fn meaning(&mut self, line: &Line, failure: &Failure) -> Refusal {
        let meant = failure.status().and_then(|status| line.settings().meaning_of(status));
        meant.unwrap_or_else(|| {
            self.complain(&failure.to_string());
            answer::unavailable()
        })
    }

    fn complain(&mut self, trouble: &str) {
        if let Some(unsaid) = self.complaints.say(Instant::now()) {
            let name = self.name();
            tracing::warn!(unsaid, "proxy {name}: no answer that could be used: {trouble}");
        }
    }
}

impl Failure {
    fn name(&self) -> &'static str {
        match self {
            Self::Silence(_) => "silence",
            Self::Untrusted(_) => "untrusted",
            Self::Status(_) => "status",
            Self::Broken(_) => "broken",
            Self::Panicked => "panicked",
        }
    }

    fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status(status) => Some(*status),
            _ => None,
        }
    }

    /// Whether the backend is unwell, and should be spared. A 4xx is an answer: the backend thinks little of us.
    fn is_the_backends(&self) -> bool {
        match self {
            Self::Silence(_) | Self::Untrusted(_) | Self::Broken(_) => true,
            // One client's question must not shut the door for all others.
            Self::Panicked => false,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silence(why) | Self::Untrusted(why) | Self::Broken(why) => f.write_str(why),
            Self::Status(status) => write!(f, "status {status}, and 200 is wanted"),
            Self::Panicked => f.write_str("the handler panicked"),
        }
    }
}

async fn ask(line: Rc<Line>, window: usize, question: Question) -> Returned {
    let begun = Instant::now();
    let outcome = line.ask(&question).await;
    Returned { window, line, question, begun, outcome }
}

fn read(
    question: &Question,
    body: &[u8],
    authorize: &dyn Authorize,
    renewed_by_backend: bool,
) -> Result<Answer, Nonsense> {
    match &question.what {
        What::Connect(request) => {
            Ok(Answer::Credentials(match answer::of_connect(body, renewed_by_backend)? {
                Some(said) => said,
                // The backend does not know it: then it is a stranger, for whom there is one rule.
                None => authorize.authenticate(unix_now(), request, &question.connection),
            }))
        }
        What::Petition(petition) => answer::of_matter(&petition.matter, body),
    }
}

async fn until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline.into()).await;
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Proxies draw from one seed, each its own.
fn seed_of(place: usize, mut seed: [u8; 32]) -> [u8; 32] {
    for (byte, own) in seed.iter_mut().zip((place as u64).to_le_bytes()) {
        *byte ^= own;
    }
    seed
}
