//! What the lines of a function's log are: Lambda's own records with their figures, and what belongs to a request, a
//! version or an error. Pure.

mod errors;
mod histogram;
mod measurement;
mod record;
mod selection;
mod tally;
mod traffic;

pub use histogram::Percentiles;
pub use measurement::PATTERN;
pub use record::{Figures, figures, version_of};
pub use selection::{Selection, Selector, Since};
pub use tally::{Part, ReleaseFigures, Tally};
pub use traffic::{Counted, Traffic};
