//! Ends a run when its work is done, or by force if it hangs after an interrupt.

use super::descendants::end_descendants;
use super::session::Session;
use super::stop::Stop;
use crate::apply::UNANSWERED;
use crate::cli::{Global, TypedCommand};
use crate::failure::Failure;
use crate::report::{Answer, Console};
use std::fs::File;
use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

/// How long a run may take after the second signal to report its progress.
const REPORT_TIME: Duration = Duration::from_millis(300);
/// How long after that a hanging run is ended from outside.
const HANG_TIME: Duration = Duration::from_millis(500);
/// The delay between the first signal and the note about what the run is waiting for.
const NOTE_DELAY: Duration = Duration::from_millis(40);
/// A run that waits for nothing usually ends within this time, and then needs no note.
const PROMPT_END: Duration = Duration::from_millis(200);
/// How many files a run opens at once at least.
const DESCRIPTORS: usize = 16;
/// The stack of the thread that runs a command: without optimisation, futures of several hundred kilobytes are copied on it.
const STACK: usize = 64 * 1024 * 1024;
/// The exit code of a Rust program that panics.
const PANICKED: u8 = 101;

/// Runs `work` on another thread, so that the main thread can return while a read of stdin or a full pipe blocks. `threads` is
/// how many threads its tasks have, if not one for each core.
pub(super) fn watched(
    global: Global,
    again: TypedCommand,
    nothing: Answer,
    threads: Option<usize>,
    work: impl AsyncFnOnce(&Session) -> ExitCode + Send + 'static,
) -> ExitCode {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    let runtime = match needed_descriptors().and_then(|()| builder.enable_all().build()) {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::not_begun(&error);
            // It is reported on stderr if stdout cannot be written, either.
            let _ = Console::unstarted(global.output, !global.no_github, again).finish(&nothing, Some(&failure));
            return failure.kind.exit_code();
        }
    };
    let session = {
        let _inside = runtime.enter();
        let console = Console::new(global.output, global.quiet, !global.no_github, again);
        Session::new(global, console, Stop::listen())
    };
    let (sender, ended) = mpsc::channel();
    runtime.spawn(note_what_is_in_progress(session.stop.clone(), session.console.clone()));
    runtime.spawn(end_a_hanging_run(session.stop.clone(), session.console.clone(), nothing, sender.clone()));
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let code = runtime.block_on(work(&session));
        let _ = sender.send(code);
        // The runtime's tasks hold the other sender.
        runtime.shutdown_background();
    });
    match worker {
        Ok(worker) => {
            // Dropping the handle of a thread that is about to end would detach it, and glibc then may read the thread's stack
            // after it is gone. It ends with the process.
            std::mem::forget(worker);
            ended.recv().unwrap_or(ExitCode::from(PANICKED))
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// Makes sure that files can be opened: some libraries panic if they cannot.
///
/// # Errors
/// If the process may not have that many files open.
fn needed_descriptors() -> io::Result<()> {
    let opened: io::Result<Vec<File>> = (0..DESCRIPTORS).map(|_| File::open("/dev/null")).collect();
    opened.map(drop)
}

async fn note_what_is_in_progress(stop: Stop, console: Console) {
    let signal = stop.wait().await;
    tokio::time::sleep(NOTE_DELAY).await;
    if console.waits_for().is_empty() {
        tokio::time::sleep(PROMPT_END).await;
    }
    let waits_for = console.waits_for();
    // The signal has ended the question, and nothing else is in progress.
    if waits_for.is_empty() && console.is_asking() {
        return;
    }
    let what = if waits_for.is_empty() { String::new() } else { format!(": {}", waits_for.join(", ")) };
    let again = if signal == 2 { "press Ctrl-C again" } else { "send the signal again" };
    console.note(&format!("finishing what is in progress{what}; {again} to stop now"));
}

async fn end_a_hanging_run(stop: Stop, console: Console, nothing: Answer, ended: mpsc::Sender<ExitCode>) {
    let signal = stop.wait_for_second().await;
    tokio::time::sleep(REPORT_TIME + HANG_TIME).await;
    end_descendants();
    let failure = interrupted(&console, signal);
    let code = failure.kind.exit_code();
    // The hanging run may hold the pipe that this writes to.
    let said = tokio::task::spawn_blocking(move || console.finish(&nothing, Some(&failure)));
    let _ = tokio::time::timeout(HANG_TIME, said).await;
    let _ = ended.send(code);
}

/// The failure of a run that could not report its own progress.
fn interrupted(console: &Console, signal: u8) -> Failure {
    let (done, left) = (console.done(), console.in_progress());
    let unknown = left.iter().map(|step| format!("{step} was {UNANSWERED}"));
    Failure { caused_by: unknown.collect(), done, left, ..Failure::interrupted(signal) }.resumable()
}

impl Session {
    /// Runs `work` until the second signal, and drops it then, even in the middle of a call.
    pub(super) async fn until_aborted<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let aborted = async {
            let signal = self.stop.wait_for_second().await;
            tokio::time::sleep(REPORT_TIME).await;
            end_descendants();
            signal
        };
        tokio::select! {
            biased;
            done = work => done,
            signal = aborted => Err(interrupted(&self.console, signal)),
        }
    }
}
