//! A cloud in memory, built on the model `Stack::after`; it can fail at any step.

use lamstream::apply::{Cloud, CloudError, Delivery, Observed, Observer, Outputs, Reason};
use lamstream::plan::Change;
use lamstream::stack::{Names, Stack};
use std::cell::{Cell, RefCell};

pub struct Memory {
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
    pub fn with(stack: Stack) -> Memory {
        Memory {
            names: stack.names.clone(),
            stack: RefCell::new(stack),
            budget: Cell::new(None),
            loses_reply: Cell::new(false),
            carried_out: RefCell::default(),
        }
    }

    pub fn stack(&self) -> Stack {
        self.stack.borrow().clone()
    }
}

impl Cloud for Memory {
    fn names(&self) -> &Names {
        &self.names
    }

    async fn observe(&self) -> Result<Observed, CloudError> {
        Ok(Observed { stack: self.stack(), outputs: Outputs::default() })
    }

    async fn carry_out(&self, change: &Change, _: &Delivery<'_>, _: &Observer<'_>) -> Result<Outputs, CloudError> {
        let is_over = self.budget.get() == Some(0);
        let refused = || CloudError::new("go on", Reason::Refused, "the budget is used up");
        if is_over && !self.loses_reply.get() {
            return Err(refused());
        }
        self.budget.set(self.budget.get().map(|left| left.saturating_sub(1)));
        let stack = self.stack().after(change);
        *self.stack.borrow_mut() = stack;
        self.carried_out.borrow_mut().push(change.clone());
        if is_over { Err(refused()) } else { Ok(Outputs::default()) }
    }
}

/// Nobody listens, and nobody stops anything.
pub fn nobody() -> Observer<'static> {
    Observer { tell: &|_| {}, stopped: &|| false, insisted: &|| Box::pin(std::future::pending()) }
}
