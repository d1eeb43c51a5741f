//! The formats of stdout: each is one file, with its lines in [`Output`].

mod json;
mod pieces;
mod printed;
mod renderer;
mod stats;
mod status;
mod text;

pub(crate) use printed::Text;
pub(crate) use renderer::{Page, Renderer};

use clap::ValueEnum;
use json::Json;
use std::sync::Arc;
use text::Plain;

/// The values of `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

impl Output {
    pub(super) fn renderer(self) -> Arc<dyn Renderer> {
        match self {
            Output::Text => Arc::new(Plain),
            Output::Json => Arc::new(Json),
        }
    }
}
