//! What the lines of a function's log are: Lambda's own records, and what belongs to a request, a version or an error.
//! Pure.

mod errors;
mod record;
mod selection;
mod traffic;

pub use record::version_of;
pub use selection::{Selection, Selector, Since};
pub use traffic::{Counted, Traffic};
