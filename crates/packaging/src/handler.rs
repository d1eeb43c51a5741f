//! Whether the file that holds a handler is in the package.

use std::collections::BTreeSet;

use crate::error::BuildError;
use crate::runtime::Family;

/// Endings of the files that a module may be in; a module may also be a directory.
const OF_NODE: [&str; 6] = ["", ".js", ".mjs", ".cjs", "/index.js", "/package.json"];
const OF_PYTHON: [&str; 3] = [".py", ".pyc", "/__init__.py"];

/// `names` are the files of the package.
///
/// # Errors
/// When no file matches, for the languages whose rules are known here.
pub(crate) fn refuse_without(
    names: &BTreeSet<&str>,
    family: Family,
    handler: &str,
    subject: &str,
) -> Result<(), BuildError> {
    let Some((module, ends)) = module(family, handler) else {
        return match names.is_empty() {
            false => Ok(()),
            true => Err(BuildError::new(format!("cannot use {subject}: it is empty")).at(&["package"])),
        };
    };
    let is_extension =
        |name: &&str| family == Family::Python && name.ends_with(".so") && name.starts_with(&format!("{module}."));
    let has = |end: &&str| names.contains(format!("{module}{end}").as_str());
    if ends.iter().any(has) || names.iter().any(is_extension) {
        return Ok(());
    }
    // Python also imports a directory without `__init__.py`, but a handler cannot be in one.
    let expected: Vec<String> =
        ends.iter().filter(|end| end.contains('.')).map(|end| format!("`{module}{end}`")).collect();
    let error = BuildError::new(format!("cannot use {subject}: it has no file for the handler `{handler}`"));
    Err(error
        .at(&["handler"])
        .hint(format!("expected one of {}; check that `exclude` does not match it", expected.join(", "))))
}

/// The name of the module, and the endings of its file.
fn module(family: Family, handler: &str) -> Option<(String, &'static [&'static str])> {
    let handler = handler.strip_prefix("./").unwrap_or(handler);
    // An absolute path is in a layer.
    if handler.starts_with('/') {
        return None;
    }
    match family {
        Family::Python => Some((handler.rsplit_once('.')?.0.replace('.', "/"), &OF_PYTHON)),
        Family::Node => {
            let (directory, last) =
                handler.rsplit_once('/').map_or(("", handler), |(directory, last)| (directory, last));
            let name = last.split_once('.')?.0;
            let slash = if directory.is_empty() { "" } else { "/" };
            Some((format!("{directory}{slash}{name}"), &OF_NODE))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(files: &[&str], family: Family, handler: &str) -> bool {
        refuse_without(&files.iter().copied().collect(), family, handler, "the directory `x`").is_err()
    }

    #[test]
    fn a_handler_is_in_a_file_of_the_package() {
        for (file, family, handler) in [
            ("main.py", Family::Python, "main.handler"),
            ("a/b.py", Family::Python, "a.b.handler"),
            ("a/b.py", Family::Python, "a/b.handler"),
            ("app/__init__.py", Family::Python, "app.handler"),
            ("main.cpython-313-x86_64-linux-gnu.so", Family::Python, "main.handler"),
            ("index.mjs", Family::Node, "index.handler"),
            ("src/index.js", Family::Node, "src/index.some.handler"),
            ("x", Family::Node, "/opt/x.handler"),
            ("x.jar", Family::Java, "com.example.Handler::handle"),
        ] {
            assert!(!refused(&[file], family, handler), "{handler}");
            assert!(refused(&[], family, handler), "{handler}");
        }
        assert!(refused(&["other.py"], Family::Python, "main.handler"));
        assert!(refused(&["index.ts"], Family::Node, "index.handler"));
    }
}
