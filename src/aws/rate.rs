//! AWS's rate limits: how many calls of one kind an account may make per second. Once AWS throttles a call, all calls of
//! its kind wait for their turn, at the rate that AWS allows. `turn.rs` makes them wait.

use super::api::{APIS, Api, Rate};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// All classes: the calls that AWS counts together, each with its service. A rate only decides how fast the first calls go
/// after AWS has throttled one.
fn classes() -> impl Iterator<Item = (&'static Api, &'static Rate)> {
    APIS.iter().flat_map(|service| service.rates.iter().map(|rate| (*service, rate)))
}

/// The number of the class of a call; `None` also if AWS's refusals mean something else.
pub(super) fn class_of(service: &str, operation: &str) -> Option<usize> {
    let has = |rate: &Rate| rate.operations.is_empty() || rate.operations.contains(&operation);
    let (class, (_, rate)) = classes().enumerate().find(|(_, (of, rate))| of.id == service && has(rate))?;
    rate.per_second.map(|_| class)
}

/// The known rate of a class.
fn known(class: usize) -> f64 {
    classes().nth(class).and_then(|(_, rate)| rate.per_second).unwrap_or(SLOWEST)
}

/// AWS adds to what an account may call while the account calls less. It is given this long to do so after it throttled
/// the first call, because calls do not arrive in step.
const RESERVE: Duration = Duration::from_millis(300);
/// For how long unused turns can be used later.
const CREDIT: Duration = Duration::from_secs(1);
/// The rate rises only if AWS has throttled nothing for this long.
const CALM: Duration = Duration::from_secs(2);
/// When AWS throttles a call that was sent in its turn, the new rate is a little less than the rate at which AWS has
/// answered recently. It is at least and at most this part of the old one.
const CUT: [f64; 2] = [0.8, 0.97];
/// The same, as long as the rate at which AWS answers is not known.
const FIRST_CUT: f64 = 0.9;
/// Calls that were sent so shortly after the rate was lowered say nothing about the new one.
const SETTLING: Duration = Duration::from_secs(1);
/// By how much each answer raises the rate, up to the known one and beyond it. It is worth 10 % and 1 % per second.
const RISE: [f64; 2] = [0.1, 0.01];
/// The time over which answers are counted.
const RECENT: Duration = Duration::from_secs(3);
/// The slowest rate, in calls per second.
const SLOWEST: f64 = 0.5;
/// Waits that are shorter are not reported.
const SHORT: Duration = Duration::from_millis(500);

/// The turns of one class, since AWS throttled it.
#[derive(Debug)]
struct Pace {
    /// Calls per second.
    rate: f64,
    /// The next turn that no call has.
    next: Instant,
    /// When the rate was last lowered.
    lowered: Instant,
    /// When AWS last answered a call without throttling it.
    answered: Instant,
    /// Since when answers are counted, and how many there were.
    counted: (Instant, u32),
    /// How many calls per second AWS answered while they were last counted.
    recent: f64,
}

impl Pace {
    /// The pace after AWS has throttled the first call.
    fn first(rate: f64, now: Instant) -> Pace {
        Pace { rate, next: now + RESERVE, lowered: now, answered: now, counted: (now, 0), recent: 0.0 }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }

    /// Lowers the rate, because AWS throttled a call that was sent then.
    fn lower(&mut self, sent: Instant, now: Instant) {
        if sent <= self.lowered + SETTLING {
            return;
        }
        let [least, most] = CUT.map(|part| part * self.rate);
        let lowered = match self.answers_per_second(now) {
            0.0 => self.rate * FIRST_CUT,
            answers => (answers * CUT[1]).clamp(least, most),
        };
        (self.rate, self.lowered) = (lowered.max(SLOWEST), now);
    }

    /// Counts an answer, and raises the rate up to `known` and beyond it.
    fn rise(&mut self, known: f64, now: Instant) {
        self.answered = now;
        self.counted.1 += 1;
        let (since, count) = self.counted;
        let seconds = now.saturating_duration_since(since).as_secs_f64();
        if seconds > RECENT.as_secs_f64() {
            (self.recent, self.counted) = (f64::from(count) / seconds, (now, 0));
        }
        if now.saturating_duration_since(self.lowered) > CALM {
            self.rate += RISE[usize::from(self.rate >= known)];
        }
    }

    /// How many calls AWS has answered per second lately; 0 if that is not known yet.
    fn answers_per_second(&self, now: Instant) -> f64 {
        let (since, count) = self.counted;
        let seconds = now.saturating_duration_since(since).as_secs_f64();
        if seconds < 1.0 { self.recent } else { self.recent.max(f64::from(count) / seconds) }
    }

    fn take(&mut self, now: Instant) -> Instant {
        self.next = self.next.max(now.checked_sub(CREDIT).unwrap_or(now));
        let due = self.next.max(now);
        self.next += self.interval();
        due
    }
}

/// Receives the name of a service, and for how long a call to it waits.
type Listener = Arc<dyn Fn(&'static str, Duration) + Send + Sync>;

/// The rates of one account. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Rates {
    paces: Arc<Mutex<HashMap<usize, Pace>>>,
    listener: Arc<Mutex<Option<Listener>>>,
}

impl fmt::Debug for Rates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rates").finish_non_exhaustive()
    }
}

impl Rates {
    /// From now on, reports waits to `listener`.
    pub(super) fn report_to(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// When a call may be sent.
    pub(super) fn turn(&self, class: usize, now: Instant) -> Instant {
        let due = self.with(|paces| paces.get_mut(&class).map_or(now, |pace| pace.take(now)));
        self.report(class, due, now);
        due
    }

    /// When a throttled call may be sent again, and for how long AWS has throttled all calls of its class.
    pub(super) fn throttled(
        &self,
        class: usize,
        sent: Instant,
        now: Instant,
        retry_after: Duration,
    ) -> (Instant, Duration) {
        let (due, silent) = self.with(|paces| {
            let pace = paces.entry(class).or_insert_with(|| Pace::first(known(class), now));
            pace.lower(sent, now);
            // Nothing is left of what AWS allowed.
            pace.next = pace.next.max(now);
            let due = pace.take(now).max(now + retry_after);
            // Jitter, because other processes may use the same account.
            (due + pace.interval().mul_f64(fastrand::f64()), now.saturating_duration_since(pace.answered))
        });
        self.report(class, due, now);
        (due, silent)
    }

    pub(super) fn answered(&self, class: usize, now: Instant) {
        self.with(|paces| paces.get_mut(&class).into_iter().for_each(|pace| pace.rise(known(class), now)));
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<usize, Pace>) -> T) -> T {
        change(&mut self.paces.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn report(&self, class: usize, due: Instant, now: Instant) {
        let wait = due.saturating_duration_since(now);
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((listener, (service, _))) = listener.filter(|_| wait >= SHORT).zip(classes().nth(class)) {
            listener(service.id, wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bucket of AWS's, filled at a rate, which holds the calls of one second.
    struct Bucket {
        rate: f64,
        tokens: f64,
        at: Instant,
    }

    impl Bucket {
        fn accepts(&mut self, now: Instant) -> bool {
            let since = now.saturating_duration_since(self.at).as_secs_f64();
            (self.tokens, self.at) = ((self.tokens + since * self.rate).min(self.rate), self.at.max(now));
            let accepts = self.tokens >= 1.0;
            self.tokens -= f64::from(u8::from(accepts));
            accepts
        }
    }

    /// How many seconds it takes until AWS has accepted all of `calls`, of which `at_once` wait side by side, and how
    /// many it throttled. AWS allows `rate` calls per second.
    fn simulate(calls: usize, at_once: usize, rate: f64) -> (f64, usize) {
        let class = class_of("IAM", "GetRole").expect("a class");
        let (rates, start) = (Rates::default(), Instant::now());
        let mut bucket = Bucket { rate, tokens: rate, at: start };
        let (mut waiting, mut left, mut throttled, mut now) = (Vec::new(), calls, 0, start);
        while left > 0 || !waiting.is_empty() {
            while waiting.len() < at_once && left > 0 {
                waiting.push(rates.turn(class, now));
                left -= 1;
            }
            waiting.sort_unstable_by(|one, other| other.cmp(one));
            let Some(due) = waiting.pop() else { break };
            now = now.max(due);
            // A call arrives a little later than it was sent.
            if bucket.accepts(now + Duration::from_millis(fastrand::u64(0..30))) {
                rates.answered(class, now);
            } else {
                throttled += 1;
                waiting.push(rates.throttled(class, now, now, Duration::ZERO).0);
            }
        }
        (now.duration_since(start).as_secs_f64(), throttled)
    }

    #[test]
    fn calls_go_as_fast_as_aws_allows_whatever_is_known_of_its_rate() {
        for (calls, at_once, rate) in
            [(400, 64, 10.0), (400, 400, 10.0), (400, 16, 7.0), (400, 16, 20.0), (100, 100, 3.0)]
        {
            let (seconds, throttled) = simulate(calls, at_once, rate);
            let bound = calls as f64 / rate;
            let limit = if rate > 10.0 { 2.0 } else { 1.25 };
            assert!(
                seconds < limit * bound,
                "{calls} calls at {rate} per second: {seconds:.1} s, {throttled} throttled"
            );
            assert!(throttled < calls / 4 + 2 * at_once, "{throttled} of {calls} calls were throttled");
        }
    }

    #[test]
    fn nothing_waits_unless_aws_throttles() {
        let rates = Rates::default();
        let now = Instant::now();
        assert!((0..1000).all(|_| rates.turn(0, now) == now));
    }

    #[test]
    fn each_service_has_its_own_pace_and_invocations_have_none() {
        assert_ne!(class_of("Lambda", "GetFunction"), class_of("Lambda", "GetAlias"));
        assert_ne!(class_of("CloudWatch Logs", "CreateLogGroup"), class_of("CloudWatch Logs", "DeleteLogGroup"));
        assert_eq!(class_of("IAM", "GetRole"), class_of("IAM", "DeleteRole"));
        assert_eq!(class_of("Lambda", "InvokeWithResponseStream"), None);
    }
}
