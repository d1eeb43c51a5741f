//! A cloud in memory, built on the model `Stack::after`; it can fail at any step.

use lamstream::apply::{Cloud, CloudError, Current, Delivery, Observer, Outputs, Reason, ReleaseSource};
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
}

impl Memory {
    pub(crate) fn with(stack: Stack) -> Memory {
        Memory {
            names: stack.names.clone(),
            stack: RefCell::new(stack),
            budget: Cell::new(None),
            loses_reply: Cell::new(false),
            carried_out: RefCell::default(),
        }
    }

    pub(crate) fn stack(&self) -> Stack {
        self.stack.borrow().clone()
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

impl Current for Held<'_> {
    fn stack(&self) -> &Stack {
        &self.stack
    }

    async fn publish(&mut self, _: &Release, _: &ReleaseSource, _: &Observer<'_>) -> Result<String, CloudError> {
        Ok("1".into())
    }

    async fn carry_out(&mut self, change: &Change, _: &Delivery<'_>, _: &Observer<'_>) -> Result<Outputs, CloudError> {
        let memory = self.memory;
        let is_over = memory.budget.get() == Some(0);
        let refused = || CloudError::new("go on", Reason::Refused, "the budget is used up");
        if is_over && !memory.loses_reply.get() {
            return Err(refused());
        }
        memory.budget.set(memory.budget.get().map(|left| left.saturating_sub(1)));
        let stack = memory.stack().after(change);
        *memory.stack.borrow_mut() = stack;
        memory.carried_out.borrow_mut().push(change.clone());
        if is_over { Err(refused()) } else { Ok(Outputs::default()) }
    }
}

/// Nothing listens, and nothing stops it.
pub(crate) fn no_one() -> Observer<'static> {
    Observer { listener: Box::new(|_| {}), stop: CancellationToken::new(), abandon: CancellationToken::new() }
}
