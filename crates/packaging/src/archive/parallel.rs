//! Work that all processors share, and whose results are used in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::error::BuildError;

/// Does `work` for each item, as many at a time as there are processors, and then `take`s the results in order.
pub(super) fn in_order<'i, I: Sync, R: Send>(
    items: &'i [I],
    work: impl Fn(&I) -> R + Sync,
    mut take: impl FnMut(&'i I, R) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    // Nothing receives it after an error.
                    let Some(item) = items.get(at) else { break };
                    if sender.send((at, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (at, done) in receiver {
            early.insert(at, done);
            while let Some(done) = early.remove(&due) {
                take(&items[due], done)?;
                due += 1;
            }
        }
        Ok(())
    })
}
