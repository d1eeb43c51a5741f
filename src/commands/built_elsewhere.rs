//! Zips that were built elsewhere, or by a command.

use super::prepared::Code;
use crate::manifest::{FilePatterns, Function};
use crate::stack::Platform;
use packaging::{BuildError, Package};
use std::path::Path;

/// Reads a zip that was built elsewhere.
pub(super) fn zip(
    path: &Path,
    files: &FilePatterns,
    function: &Function,
    platform: &Platform,
) -> Result<Code, Vec<BuildError>> {
    let mut wrong = Vec::new();
    if !path.exists() {
        let message = format!("cannot use the package `{}`: it does not exist", path.display());
        return Err(vec![BuildError::new(message).at(&["package"])]);
    }
    if *files != FilePatterns::default() {
        let message = format!("`{}` is a zip: `include` and `exclude` need a directory", path.display());
        let error = BuildError::new(message).at(&["include", "exclude"]);
        wrong.push(error.hint("choose the files when you make the zip"));
    }
    match read(path, function, platform) {
        Ok(package) if wrong.is_empty() => return Ok(Code::Zip(package)),
        Ok(_) => {}
        Err(error) => wrong.push(error.or_at(&["package"])),
    }
    Err(wrong)
}

/// Reads a zip, and checks its content as far as possible.
///
/// # Errors
/// When the zip cannot be read or started, or lacks the handler's file and the function has no layer that may include
/// it.
pub(super) fn read(path: &Path, function: &Function, platform: &Platform) -> Result<Package, BuildError> {
    let package = Package::read(path, platform.machine(), function.executed(&platform.runtime))?;
    if let Some(handler) = function.handler.as_ref().filter(|_| function.layers.is_empty()) {
        package.refuse_without(platform.runtime.family(), handler, path)?;
    }
    Ok(package)
}
