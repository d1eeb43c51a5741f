//! The formats of stdout: one file each, and its line in [`of`].

mod json;
mod renderer;
mod text;

pub(crate) use renderer::Renderer;

use crate::cli::Output;
use json::Json;
use std::sync::Arc;
use text::Plain;

/// The renderer of a format that `--output` names.
pub(super) fn of(format: Output) -> Arc<dyn Renderer> {
    match format {
        Output::Text => Arc::new(Plain),
        Output::Json => Arc::new(Json),
    }
}
