//! Whether the Python modules that a command line imports are in the package.

use std::collections::BTreeSet;

use crate::error::BuildError;

/// `names` are the files of the package. A module may be in any directory of it, because options and variables such as
/// `PYTHONPATH` add directories to those that Python searches.
///
/// # Errors
/// When no file of the package can be one of `modules`.
pub(crate) fn refuse_without(names: &BTreeSet<&str>, modules: &[String], subject: &str) -> Result<(), BuildError> {
    let Some(missing) = modules.iter().find(|module| !names.iter().any(|name| may_be(name, module))) else {
        return Ok(());
    };
    let error =
        BuildError::new(format!("cannot use {subject}: `run` imports `{missing}`, which is not in the package"));
    Err(error.at(&["run"]).hint(format!(
        "correct `run`, add `{missing}` to the app's dependencies, or check that `exclude` does not match it"
    )))
}

/// Whether a file is a module of this name, or part of one: `a/NAME.py`, `a/NAME/b.py`, `NAME.cpython-313-….so`.
fn may_be(file: &str, module: &str) -> bool {
    file.split('/').any(|part| part.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_a_file_or_a_directory_anywhere() {
        let names = ["main.py", "src/shop/api.py", "fast.cpython-313-x86_64-linux-gnu.so", "uvicorn/__init__.py"];
        let names = names.into_iter().collect();
        let refused = |module: &str| refuse_without(&names, &[module.to_owned()], "the directory `x`").is_err();
        for there in ["main", "shop", "fast", "uvicorn", "api"] {
            assert!(!refused(there), "{there}");
        }
        for missing in ["mai", "nope", "uvicor", "py"] {
            assert!(refused(missing), "{missing}");
        }
    }
}
