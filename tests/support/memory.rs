//! A cloud in memory, built on the model `Stack::after`; it can fail at any step.

use lamstream::apply::{Apart, Cloud, CloudError, Current, Delivery, Exists, Observer, Outputs, Reason, ReleaseSource};
use lamstream::plan::Change;
use lamstream::stack::{Names, Release, Stack};
use std::cell::{Cell, RefCell};
use tokio_util::sync::CancellationToken;

pub(crate) struct Memory {
    names: Names,
    stack: RefCell<Stack>,
    /// How many more changes succeed; `None` for all.
    pub budget: Cell<Option<usize>>,
    /// Whether the change that fails is carried out anyway, and only its reply is lost.
    pub loses_reply: Cell<bool>,
    /// Every change that was carried out.
    pub carried_out: RefCell<Vec<Change>>,
    /// Whether the next call that another may overtake is the slower one.
    is_slow: Cell<bool>,
}

impl Memory {
    pub(crate) fn with(stack: Stack) -> Memory {
        Memory {
            names: stack.names.clone(),
            stack: RefCell::new(stack),
            budget: Cell::new(None),
            loses_reply: Cell::new(false),
            carried_out: RefCell::default(),
            is_slow: Cell::new(true),
        }
    }

    pub(crate) fn stack(&self) -> Stack {
        self.stack.borrow().clone()
    }

    /// Makes changes that are one call: all of them, or none.
    fn change(&self, changes: &[Change]) -> Result<(), CloudError> {
        let is_over = self.budget.get().is_some_and(|left| left < changes.len());
        let refused = || CloudError::new("go on", Reason::Refused, "the budget is used up");
        if is_over && !self.loses_reply.get() {
            return Err(refused());
        }
        self.budget.set(self.budget.get().map(|left| left.saturating_sub(changes.len())));
        let stack = changes.iter().fold(self.stack(), Stack::after);
        *self.stack.borrow_mut() = stack;
        self.carried_out.borrow_mut().extend(changes.iter().cloned());
        if is_over { Err(refused()) } else { Ok(()) }
    }

    pub(crate) fn current(&self) -> Held<'_> {
        Held { memory: self, stack: self.stack() }
    }
}

/// What was observed of a cloud in memory.
pub(crate) struct Held<'a> {
    memory: &'a Memory,
    stack: Stack,
}

impl Cloud for Memory {
    type Current<'a> = Held<'a>;

    fn names(&self) -> &Names {
        &self.names
    }

    async fn observe(&self) -> Result<Held<'_>, CloudError> {
        Ok(self.current())
    }
}

impl<'a> Current for Held<'a> {
    type Apart = &'a Memory;

    fn stack(&self) -> &Stack {
        &self.stack
    }

    async fn publish(&mut self, _: &Release, _: &ReleaseSource, _: &Observer<'_>) -> Result<String, CloudError> {
        Ok("1".into())
    }

    async fn carry_out(
        &mut self,
        change: &Change,
        _: &Delivery<'_>,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError> {
        self.memory.carry_out(change, &Exists::unheard(), observer).await
    }

    fn apart(&self) -> &'a Memory {
        self.memory
    }

    async fn delete_all(&mut self, parts: &[Change], function: &Change, _: &Observer<'_>) -> Result<(), CloudError> {
        self.memory.change(&[parts, std::slice::from_ref(function)].concat())
    }
}

impl Apart for &Memory {
    async fn carry_out(&self, change: &Change, exists: &Exists, _: &Observer<'_>) -> Result<Outputs, CloudError> {
        if self.is_slow.replace(!self.is_slow.get()) {
            tokio::task::yield_now().await;
        }
        if !matches!(change, Change::Role(_)) {
            return self.change(std::slice::from_ref(change)).map(|()| Outputs::default());
        }
        // A role takes longer than whatever else is carried out at the same time.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.change(std::slice::from_ref(change))?;
        exists.say();
        Ok(Outputs::default())
    }
}

/// Nothing listens, and nothing stops it.
pub(crate) fn no_one() -> Observer<'static> {
    Observer { listener: Box::new(|_| {}), stop: CancellationToken::new(), abandon: CancellationToken::new() }
}
