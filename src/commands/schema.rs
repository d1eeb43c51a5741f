//! `lamstream schema`.

use crate::manifest;
use crate::report::{Answer, Extra};

pub(super) fn schema() -> Answer {
    Extra::Schema(Some(manifest::schema())).into()
}
