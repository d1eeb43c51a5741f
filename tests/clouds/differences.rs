//! What moto 5.2.5 gets wrong, and AWS documents otherwise. Everything else must agree.

use lamstream::stack::{InvokeMode, Stack};

/// Makes what moto cannot get right equal on both sides.
pub(crate) fn forgive_moto(stack: &mut Stack) {
    // GetPolicy shows the two URL conditions as keys of the statement, not under `Condition`.
    stack.permissions.clear();
    if let Some(url) = &mut stack.url {
        // UpdateFunctionUrlConfig ignores InvokeMode.
        url.mode = InvokeMode::ResponseStream;
    }
}
