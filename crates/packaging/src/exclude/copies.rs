//! The names that editors, merges and people give to copies of a file.

/// What is added to a name, in lower case. A number may follow all of them except the first.
const ENDS: [&str; 18] = [
    "~",
    ".bak",
    ".backup",
    ".bkp",
    ".bck",
    ".old",
    ".orig",
    ".original",
    ".save",
    ".saved",
    ".prev",
    ".previous",
    ".copy",
    ".tmp",
    ".temp",
    ".rej",
    ".disabled",
    "_backup",
];
/// The ends of Vim's files, whose names begin with a point, too.
const OF_VIM: [&str; 3] = [".swp", ".swo", ".swn"];

/// The names of the files that one of this name may be a copy of, the nearest first: `a` and `a.bak` for `a.bak~`.
pub(crate) fn originals(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(original(name), |name| original(name))
}

/// The name, then those of the files that it may be a copy of.
pub(crate) fn with_originals(name: &str) -> impl Iterator<Item = &str> {
    std::iter::once(name).chain(originals(name))
}

fn original(name: &str) -> Option<&str> {
    // Emacs saves `a` as `#a#`, locks it with `.#a`, and numbers copies as `a.~1~`.
    let of_emacs = name.strip_prefix('#').and_then(|rest| rest.strip_suffix('#')).or_else(|| name.strip_prefix(".#"));
    let of_vim = || name.strip_prefix('.').and_then(|rest| OF_VIM.iter().find_map(|end| rest.strip_suffix(end)));
    let numbered = || numberless(name.strip_suffix('~')?).strip_suffix(".~");
    let found = of_emacs.or_else(of_vim).or_else(numbered).or_else(|| {
        let [whole, short] = [name, numberless(name)];
        ENDS.iter().find_map(|end| without(whole, end).or_else(|| without(short, end).filter(|_| *end != ENDS[0])))
    });
    found.filter(|found| !found.is_empty() && *found != ".")
}

/// The name without a number or a date at its end.
fn numberless(name: &str) -> &str {
    name.trim_end_matches(|letter: char| letter.is_ascii_digit() || "._-".contains(letter))
}

fn without<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(end.len())?;
    name.is_char_boundary(at)
        .then(|| name.split_at(at))
        .filter(|(_, last)| last.eq_ignore_ascii_case(end))
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_known_by_what_was_added_to_the_name() {
        for name in [
            "deploy.toml.bak",
            "deploy.toml.BAK",
            "deploy.toml~",
            "#deploy.toml#",
            ".#deploy.toml",
            ".deploy.toml.swp",
            "deploy.toml.orig",
            "deploy.toml.bak2",
            "deploy.toml.bak.2026-11-30",
            "deploy.toml.~3~",
            "deploy.toml.old.bak~",
        ] {
            assert!(
                originals(name).any(|name| name == "deploy.toml"),
                "{name}: {:?}",
                originals(name).collect::<Vec<_>>()
            );
        }
        for name in ["deploy.toml", "main.py", ".swp", "~", "#", "a#", ".bak", "1", "é~é"] {
            assert_eq!(originals(name).next(), None, "{name}");
        }
    }
}
