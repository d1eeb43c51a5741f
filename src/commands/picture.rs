//! The file of `invoke --report`.

use crate::failure::{Failure, FailureKind};
use crate::report::{PictureFormat, Timeline};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A new file, which is removed again unless a picture is written to it.
pub(super) struct PictureFile {
    path: PathBuf,
    format: PictureFormat,
    file: Option<File>,
}

impl PictureFile {
    /// Creates the file, so that a request is not sent in vain.
    ///
    /// # Errors
    /// If its name has no known extension, if it exists, or if it cannot be created.
    pub(super) fn create(path: &Path) -> Result<PictureFile, Failure> {
        let shown = path.display();
        let format = PictureFormat::of(path).ok_or_else(|| {
            Failure::usage(format!("`--report {shown}` is neither an SVG nor an HTML file"))
                .hint("choose a name that ends in `.svg` or `.html`")
        })?;
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(PictureFile { path: path.to_owned(), format, file: Some(file) }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Failure::usage(format!("`{shown}` exists and will not be overwritten"))
                    .hint("choose another file with `--report`, or remove this one"))
            }
            Err(error) => Err(Failure::usage(format!("cannot create `{shown}`: {error}"))),
        }
    }

    /// # Errors
    /// If the disk is full, for example.
    pub(super) fn write(mut self, timeline: &Timeline) -> Result<(), Failure> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.write_all(self.format.draw(timeline).as_bytes()).and_then(|()| file.sync_data()).map_err(|error| {
            let _ = std::fs::remove_file(&self.path);
            Failure::new(FailureKind::Cloud, format!("cannot write `{}`: {error}", self.path.display()))
        })
    }
}

impl Drop for PictureFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
