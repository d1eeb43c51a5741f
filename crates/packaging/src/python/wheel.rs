//! Wheels: what their names and tags mean.

use std::path::Path;

use super::requirement::normalised;
use crate::error::BuildError;
use crate::runtime::Platform;

/// The name and the version of a wheel or a source archive, by its file name.
pub fn of_file(file: &str) -> Option<(String, String)> {
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        return Some((normalised(parts.next()?), parts.next()?.to_owned()));
    }
    let stem = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz"].iter().find_map(|end| file.strip_suffix(end))?;
    let (name, version) = stem.rsplit_once('-')?;
    Some((normalised(name), version.to_owned()))
}

/// Refuses a wheel that was built on this machine and may contain machine code for it.
///
/// # Errors
/// With the package, and where it was built from.
pub fn refuse_compiled(name: &str, wheel: &Path, platform: &Platform, source: &str) -> Result<(), BuildError> {
    let file = wheel.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let tags: Vec<&str> = file.rsplitn(4, '-').take(3).collect();
    let tag = tags.iter().rev().copied().collect::<Vec<_>>().join("-");
    refuse_tags(name, &[tag], platform, source)
}

/// Refuses a built package if none of its tags matches the platform. No tags at all are accepted.
///
/// # Errors
/// With the package, its tags, and where it was built from.
pub fn refuse_tags(name: &str, tags: &[String], platform: &Platform, source: &str) -> Result<(), BuildError> {
    let (runtime, architecture) = (&platform.runtime, platform.architecture);
    let python = format!("cp{}", runtime.version().replace('.', ""));
    let fits = |tag: &String| {
        let parts: Vec<&str> = tag.split('-').collect();
        let [of, abi, machine] = parts[..] else { return true };
        let is_of_python = abi == "none" || abi == "abi3" || of.split('.').any(|of| of == python);
        machine == "any" || (is_of_python && machine.ends_with(architecture.cpu()))
    };
    if tags.is_empty() || tags.iter().any(fits) {
        return Ok(());
    }
    let message =
        format!("cannot install `{name}` for `{runtime}` on `{architecture}`: it was compiled for this machine");
    Err(BuildError::new(message)
        .because(format!("its wheel is for `{}`, built from {source}", tags.join("`, `")))
        .hint("build its wheel for the target elsewhere, and list the file: `vendor/NAME.whl`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_what_they_hold() {
        assert_eq!(of_file("My_Pkg-1.0-py3-none-any.whl"), Some(("my-pkg".into(), "1.0".into())));
        assert_eq!(of_file("my-pkg-1.0.tar.gz"), Some(("my-pkg".into(), "1.0".into())));
        assert_eq!(of_file("README.md"), None);
    }
}
