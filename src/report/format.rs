//! The formats of stdout.

use super::json::Json;
use super::renderer::Renderer;
use super::text::Plain;
use crate::cli::Output;
use std::sync::Arc;

pub(super) fn of(format: Output) -> Arc<dyn Renderer> {
    match format {
        Output::Text => Arc::new(Plain),
        Output::Json => Arc::new(Json),
    }
}
