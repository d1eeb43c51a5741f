//! Compiler flags that keep the checkout's paths out of the binary.

use std::path::Path;

/// `--remap-path-prefix` for each `(path, replacement)`. Of two nested paths, the inner one wins.
pub(super) fn flags(paths: &[(&Path, String)]) -> Vec<String> {
    let mut paths: Vec<_> = paths.iter().collect();
    // The compiler uses the last prefix that matches.
    paths.sort_by_key(|(path, _)| path.components().count());
    paths.iter().map(|(path, instead)| format!("--remap-path-prefix={}={instead}", path.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inner_of_two_paths_comes_last() {
        let flags = flags(&[(Path::new("/w/target"), "/target".into()), (Path::new("/w"), "/workspace".into())]);
        assert_eq!(flags, ["--remap-path-prefix=/w=/workspace", "--remap-path-prefix=/w/target=/target"]);
    }
}
