//! What every command uses: the global options, the console, and signals to stop.

use super::descendants::end_descendants;
use super::stop::Stop;
use crate::apply::{Event, Observer};
use crate::cli::Global;
use crate::failure::Failure;
use crate::report::{Console, Line};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// One run of one command. A process may have several, in sequence or in parallel.
pub struct Session {
    pub global: Global,
    pub console: Console,
    pub stop: Stop,
    /// How long the user took to answer questions.
    asked: Mutex<Duration>,
    /// The notes that are printed once.
    noted: Mutex<BTreeSet<String>>,
}

impl Session {
    pub fn new(global: Global, console: Console, stop: Stop) -> Session {
        Session { global, console, stop, asked: Mutex::default(), noted: Mutex::default() }
    }

    /// Prints a note, unless it was printed before: `dev` deploys many times.
    pub fn note_once(&self, note: &str) {
        let is_new = self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert(note.to_owned());
        if is_new {
            self.console.note(note);
        }
    }

    /// Runs `work` until the first signal. Use it for work that only reads, or that can be dropped at any point.
    pub async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let stopped = async {
            let signal = self.stop.wait().await;
            // Must come before `work` is dropped, which only kills its direct children.
            end_descendants();
            signal
        };
        tokio::select! {
            biased;
            signal = stopped => Err(Failure::interrupted(signal)),
            done = work => Ok(done),
        }
    }

    /// Runs `work` until the second signal. Use it for work that the first signal must not interrupt.
    pub async fn until_second_signal<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            signal = self.stop.wait_for_second() => Err(Failure::interrupted(signal)),
            done = work => Ok(done),
        }
    }

    /// Shows what is being read while `work` reads it, until the first signal.
    pub async fn read<T>(&self, what: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
        self.console.tell(&Event::Reading { what });
        let done = self.until_stopped(work).await;
        self.console.tell(&Event::Read { what });
        done
    }

    /// Whether no confirmation is needed, because of `--yes` or `--local`.
    ///
    /// # Errors
    /// When lamstream has to ask and cannot.
    pub fn has_consent(&self, yes: bool, command: &str) -> Result<bool, Failure> {
        let agreed = yes || self.global.local;
        match self.console.why_not_ask() {
            Some(why) if !agreed => Err(Failure::needs_yes(command, why)),
            _ => Ok(agreed),
        }
    }

    /// Shows the planned changes and asks for confirmation.
    pub async fn ask(&self, lines: &[Line], question: &str) -> Result<(), Failure> {
        let began = Instant::now();
        let answer = self.until_stopped(self.console.ask(lines, question)).await;
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) += began.elapsed();
        match answer? {
            true => Ok(()),
            false => Err(Failure::declined()),
        }
    }

    /// Asks for one line.
    pub async fn choose(&self, lines: &[Line], question: &str) -> Result<String, Failure> {
        let began = Instant::now();
        let answer = self.until_stopped(self.console.answer(lines, question)).await;
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) += began.elapsed();
        answer
    }

    /// The time since `began`, without the time that the user took to answer questions.
    pub fn took(&self, began: Instant) -> Duration {
        began.elapsed().saturating_sub(*self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An observer that shows events on the console and stops at the first signal.
    pub fn observer(&self) -> Observer<'_> {
        self.observer_until(&self.stop.first)
    }

    /// Runs `work` to completion; only the second signal ends it, immediately.
    pub async fn to_the_end<T>(&self, work: impl AsyncFnOnce(&Observer<'_>) -> T) -> Result<T, Failure> {
        self.until_second_signal(work(&self.observer_until(&self.stop.second))).await
    }

    fn observer_until(&self, stop: &CancellationToken) -> Observer<'_> {
        let listener = Box::new(|event: &Event| self.console.tell(event));
        Observer { listener, stop: stop.clone(), abandon: self.stop.second.clone() }
    }
}
