//! Looks after the files of certificates: reads them again when they change, and warns before they end.

use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Certificates;
use crate::metrics::EdgeCounters;

/// How often files are looked at; that costs two system calls for each certificate. A change is acted on when two
/// looks in a row have seen the same, since a certificate and its key are rarely replaced in the same moment.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// How long before its end a certificate is worth a warning: half of the 30 days at which most renewals are due. One
/// that is good for less than twelve weeks is worth it in the last sixth of its time.
const WARN_BEFORE: Duration = Duration::from_secs(14 * DAY_SECONDS);

/// How often the warning is repeated.
const WARN_INTERVAL: Duration = Duration::from_secs(DAY_SECONDS);

const DAY_SECONDS: u64 = 24 * 3600;

/// What is known of the files of certificates.
#[derive(Debug)]
pub(crate) struct Watch {
    certificates: Arc<Certificates>,
    counters: Arc<EdgeCounters>,
    pairs: Vec<Pair>,
    warned: Option<SystemTime>,
}

/// A certificate's file and its key's, as they were when they were looked at.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// As they were when they were read, with or without success.
    read: Stamp,
    /// As they were at the last look.
    seen: Stamp,
}

/// What changes when a file does: `None` where there is none.
type Stamp = [Option<Identity>; 2];

/// A file's number, length, and time of change to the nanosecond.
type Identity = (u64, u64, i64, i64);

impl Watch {
    /// Watches the files from which these certificates have just been read.
    pub(crate) fn new(certificates: Arc<Certificates>, counters: Arc<EdgeCounters>) -> Self {
        let stamps = stamps(&certificates);
        let pairs = stamps.map(|stamp| Pair { read: stamp, seen: stamp }).collect();
        let watch = Self { certificates, counters, pairs, warned: None };
        watch.count_ends();
        watch
    }

    /// Looks at the files, and reads those that have changed and have come to rest.
    pub(crate) fn look(&mut self, now: SystemTime) {
        let stamps: Vec<_> = stamps(&self.certificates).collect();
        for (index, stamp) in stamps.into_iter().enumerate() {
            let pair = &mut self.pairs[index];
            let is_at_rest = pair.seen == stamp;
            pair.seen = stamp;
            if is_at_rest && pair.read != stamp {
                self.read(index, stamp, now);
            }
        }
        self.warn(now);
    }

    /// Reads all files now, whether they have changed or not.
    pub(crate) fn read_all(&mut self, now: SystemTime) {
        let stamps: Vec<_> = stamps(&self.certificates).collect();
        for (index, stamp) in stamps.into_iter().enumerate() {
            let is_yet_to_come = stamp == [None, None] && self.certificates.validities()[index].is_none();
            if !is_yet_to_come {
                self.read(index, stamp, now);
            }
        }
        self.warn(now);
    }

    fn read(&mut self, index: usize, stamp: Stamp, now: SystemTime) {
        self.pairs[index] = Pair { read: stamp, seen: stamp };
        let file = self.certificates.files()[index].certificate.display();
        match self.certificates.reload(index, now) {
            Ok(()) => {
                self.counters.certificate_read(true);
                self.count_ends();
                tracing::info!("the certificate in {file} is new, and shown from the next handshake on");
            }
            Err(error) => {
                self.counters.certificate_read(false);
                tracing::error!("{error}; the certificate that was read before goes on being shown");
            }
        }
    }

    /// Says once a day which certificates end soon.
    fn warn(&mut self, now: SystemTime) {
        if self.warned.is_some_and(|warned| now < warned + WARN_INTERVAL) {
            return;
        }
        for (files, validity) in self.certificates.files().iter().zip(self.certificates.validities()) {
            let Some(Range { start, end }) = validity else { continue };
            let file = files.certificate.display();
            let lifetime = end.duration_since(start).unwrap_or_default();
            match end.duration_since(now) {
                Ok(left) if left >= WARN_BEFORE.min(lifetime / 6) => continue,
                Ok(left) => {
                    let days = left.as_secs() / DAY_SECONDS;
                    tracing::warn!(
                        "the certificate in {file} expires in {days} days; renew it, and it is read by itself"
                    );
                }
                Err(_) => {
                    tracing::warn!(
                        "the certificate in {file} has expired, and clients refuse it; renew it, and it is read by itself"
                    );
                }
            }
            self.warned = Some(now);
        }
    }

    fn count_ends(&self) {
        let files = self.certificates.files().iter().map(|files| files.certificate.display().to_string());
        let ends = files.zip(self.certificates.validities());
        let ends = ends.filter_map(|(file, validity)| Some((file, validity?.end)));
        self.counters.certificates_end(ends.collect());
    }
}

fn stamps(certificates: &Certificates) -> impl Iterator<Item = Stamp> + '_ {
    certificates.files().iter().map(|files| [identity(&files.certificate), identity(&files.key)])
}

/// Follows links, so that a directory which is swapped as a whole is a change too.
fn identity(path: &Path) -> Option<Identity> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Folder, issue};
    use std::fs;

    struct Scene {
        folder: Folder,
        certificates: Arc<Certificates>,
        counters: Arc<EdgeCounters>,
        watch: Watch,
        now: SystemTime,
    }

    impl Scene {
        fn new(name: &str) -> Self {
            let (folder, now) = (Folder::new(name), SystemTime::now());
            let files = folder.pair("pair", &issue(&["a.test"]));
            let certificates = Arc::new(Certificates::load(&[files]).unwrap());
            let counters = Arc::new(EdgeCounters::new(now));
            let watch = Watch::new(certificates.clone(), counters.clone());
            Self { folder, certificates, counters, watch, now }
        }

        /// How many times files were read with success, and without.
        fn reads(&self) -> (u64, u64) {
            let reads = self.counters.certificate_reads();
            (reads.get("read").copied().unwrap_or(0), reads.get("refused").copied().unwrap_or(0))
        }
    }

    #[test]
    fn files_are_read_again_when_they_have_changed_and_come_to_rest() {
        let mut scene = Scene::new("watch-rest");
        scene.watch.look(scene.now);
        scene.watch.look(scene.now);
        assert_eq!(scene.reads(), (0, 0), "nothing has changed");
        let pair = issue(&["b.test"]);
        let files = scene.certificates.files()[0].clone();
        fs::write(&files.certificate, pair.cert.pem()).unwrap();
        scene.watch.look(scene.now);
        fs::write(&files.key, pair.signing_key.serialize_pem()).unwrap();
        scene.watch.look(scene.now);
        assert_eq!(scene.reads(), (0, 0), "the files are still on their way");
        scene.watch.look(scene.now);
        scene.watch.look(scene.now);
        assert_eq!(scene.reads(), (1, 0));
    }

    #[test]
    fn a_bad_file_is_refused_once_and_the_next_good_one_is_read() {
        let mut scene = Scene::new("watch-bad");
        fs::write(&scene.certificates.files()[0].certificate, "rubbish").unwrap();
        for _ in 0..4 {
            scene.watch.look(scene.now);
        }
        assert_eq!(scene.reads(), (0, 1));
        scene.folder.pair("pair", &issue(&["a.test"]));
        scene.watch.look(scene.now);
        scene.watch.look(scene.now);
        assert_eq!(scene.reads(), (1, 1));
    }

    #[test]
    fn whoever_is_told_to_read_does_not_wait_for_a_change() {
        let mut scene = Scene::new("watch-told");
        scene.watch.read_all(scene.now);
        assert_eq!(scene.reads(), (1, 0));
    }

    #[test]
    fn a_certificate_is_worth_a_warning_once_a_day_from_two_weeks_before_its_end() {
        let mut scene = Scene::new("watch-end");
        let (end, day) =
            (scene.certificates.validities()[0].as_ref().unwrap().end, Duration::from_secs(DAY_SECONDS));
        for (now, warned) in [
            (end - 15 * day, None),
            (end - 13 * day, Some(end - 13 * day)),
            (end - 13 * day + day / 2, Some(end - 13 * day)),
            (end - 12 * day, Some(end - 12 * day)),
            (end + day, Some(end + day)),
        ] {
            scene.watch.look(now);
            assert_eq!(scene.watch.warned, warned);
        }
    }
}
