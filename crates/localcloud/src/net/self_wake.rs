//! Polls a future again at once if it has woken itself.
//!
//! hyper hands the chunks of a body to its reader one at a time, and wakes its own task for each. The scheduler would put
//! the task at the end of its queue and wake another thread to take it, which costs more than the chunk.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use tokio::task::coop::has_budget_remaining;

/// How often in a row: what the future has passed on waits for as long.
const MOST: usize = 32;

/// A wake goes to the task.
const IDLE: u8 = 0;
/// The future is being polled.
const POLLED: u8 = 1;
/// It has been woken since.
const WOKEN: u8 = 2;

/// A future that may wake itself often.
pub(crate) struct SelfWaking<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

#[derive(Default)]
struct Wakes {
    state: AtomicU8,
    task: AtomicWaker,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.compare_exchange(POLLED, WOKEN, Ordering::AcqRel, Ordering::Acquire) == Err(IDLE) {
            self.task.wake();
        }
    }
}

impl<F> SelfWaking<F> {
    pub(crate) fn new(future: F) -> Self {
        let wakes = Arc::new(Wakes::default());
        Self { future: Box::pin(future), waker: wakes.clone().into(), wakes }
    }
}

impl<F: Future> Future for SelfWaking<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.wakes.task.register(cx.waker());
        for _ in 0..MOST {
            this.wakes.state.store(POLLED, Ordering::Release);
            if let Poll::Ready(output) = this.future.as_mut().poll(&mut Context::from_waker(&this.waker)) {
                return Poll::Ready(output);
            }
            if this.wakes.state.compare_exchange(POLLED, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Poll::Pending;
            }
            // Without a budget, its next poll would only wake it again.
            if !has_budget_remaining() {
                break;
            }
        }
        this.wakes.state.store(IDLE, Ordering::Release);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;

    /// How often a future was polled, and its task.
    #[derive(Default)]
    struct Counts {
        future: AtomicUsize,
        task: AtomicUsize,
    }

    /// Polls a future that wakes itself `wakes` times.
    async fn polled(wakes: usize) -> (usize, usize) {
        let counts = Arc::new(Counts::default());
        let own = counts.clone();
        let mut future = SelfWaking::new(std::future::poll_fn(move |cx| {
            if own.future.fetch_add(1, Ordering::Relaxed) == wakes {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        std::future::poll_fn(|cx| {
            counts.task.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut future).poll(cx)
        })
        .await;
        (counts.future.load(Ordering::Relaxed), counts.task.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_future_that_wakes_itself_does_not_go_through_the_scheduler_each_time() {
        assert_eq!(polled(MOST - 1).await, (MOST, 1));
        assert_eq!(polled(10 * MOST).await, (10 * MOST + 1, 11));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_is_lost() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let reading = tokio::spawn(SelfWaking::new(async move {
            let mut sum = 0;
            while let Some(number) = receiver.recv().await {
                sum += number;
                if number % 3 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            sum
        }));
        let sent = async {
            for number in 0..2000_u64 {
                sender.send(number).await.expect("it reads");
            }
            drop(sender);
            reading.await
        };
        let sum = tokio::time::timeout(Duration::from_secs(60), sent).await.expect("it is woken");
        assert_eq!(sum.expect("it ends"), 1999 * 2000 / 2);
    }
}
