//! How a proxy is asked now: by which line, and how much at a time.

use std::rc::Rc;
use std::time::Instant;

use super::admission::{Admission, Ended, Weigh};
use super::circuit::Change;
use super::line::Line;

/// The line to a proxy, and the admission of questions `T` that has learnt from its answers.
pub(super) struct Route<T> {
    line: Rc<Line>,
    pub(super) admission: Admission<T>,
}

impl<T: Weigh> Route<T> {
    pub(super) fn new(line: Line, seed: [u8; 32]) -> Self {
        let admission = Admission::new(line.settings().limits, seed);
        Self { line: Rc::new(line), admission }
    }

    pub(super) fn line(&self) -> &Rc<Line> {
        &self.line
    }

    /// Asks by this line from now on. Whoever mends a configuration must not wait until the circuit of the broken one is
    /// tried again.
    pub(super) fn reconnect(&mut self, line: Line) {
        self.line = Rc::new(line);
        self.admission.begin_anew();
    }

    /// A question that was asked by `line` since `begun` has ended. What came of it by another line than that of now gives
    /// its place back, and teaches nothing.
    pub(super) fn done(
        &mut self,
        line: &Rc<Line>,
        begun: Instant,
        now: Instant,
        ended: Ended,
    ) -> Option<Change> {
        if !Rc::ptr_eq(line, &self.line) {
            self.admission.let_go();
            return None;
        }
        self.admission.done(begun, now, ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backend::admission::AdmissionLimits;
    use crate::backend::circuit::Circuit;
    use crate::backend::headers::Wanted;
    use crate::backend::proxy::{ProxySettings, Respondent};
    use crate::http_client::{Service, Trust};

    struct Asked;

    impl Weigh for Asked {
        fn weight(&self) -> usize {
            64
        }
    }

    fn line() -> Line {
        let service = Service {
            endpoint: "http://127.0.0.1:9/".parse().unwrap(),
            static_headers: http::HeaderMap::new(),
            trust: Trust::default(),
        };
        let limits = AdmissionLimits {
            in_flight_max: 20,
            waiting_max: 100,
            waiting_bytes_max: 1 << 20,
            wait_max: Duration::from_secs(2),
        };
        let settings = ProxySettings {
            name: "connect".to_owned(),
            respondent: Respondent::Service(service),
            timeout: Duration::from_secs(1),
            headers: Wanted::default(),
            binary_encoding: false,
            include_connection_meta: false,
            transforms: Vec::new(),
            limits,
        };
        Line::new(settings).unwrap()
    }

    fn ask(route: &mut Route<Asked>, now: Instant) -> Rc<Line> {
        assert!(route.admission.offer(now, Asked).is_ok());
        assert!(route.admission.next(now).is_some());
        route.line().clone()
    }

    /// A route whose backend is away: its circuit is open, and as little is asked of it as can be.
    fn broken(now: Instant) -> Route<Asked> {
        let mut route = Route::new(line(), [3; 32]);
        for _ in 0..5 {
            let line = ask(&mut route, now);
            route.done(&line, now, now, Ended::Failed);
        }
        assert!(matches!(route.admission.state().circuit, Circuit::Open { .. }));
        route
    }

    #[test]
    fn a_new_line_is_asked_at_once_and_at_its_own_pace() {
        let now = Instant::now();
        let fresh = Route::<Asked>::new(line(), [3; 32]).admission.state();
        let mut route = broken(now);
        assert_ne!(route.admission.state(), fresh);
        route.reconnect(line());
        assert_eq!(route.admission.state(), fresh);
        ask(&mut route, now);
    }

    #[test]
    fn what_comes_by_the_line_before_gives_its_place_back_and_says_nothing_of_this_one() {
        let now = Instant::now();
        let mut route = Route::new(line(), [3; 32]);
        let before: Vec<_> = (0..4).map(|_| ask(&mut route, now)).collect();
        route.reconnect(line());
        assert_eq!(route.admission.state().in_flight, 4, "they are still under way");
        let reconnected = route.admission.state();
        for line in &before {
            assert_eq!(route.done(line, now, now, Ended::Failed), None);
        }
        assert_eq!(route.admission.state().in_flight, 0);
        assert_eq!(route.admission.state().circuit, reconnected.circuit);
        assert_eq!(route.admission.state().limit, reconnected.limit);
    }
}
