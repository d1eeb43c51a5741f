//! Words of a command line.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// Quotes a word for a shell in such a way that terminals can show it. A word with characters that a terminal would
/// interpret, or with invalid UTF-8, becomes `$'…'` with escapes, which bash, zsh, ksh and POSIX since 2024 understand.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    match word.to_str() {
        // A tab is harmless but is easily lost when the line is copied.
        Some(text) if super::line(text) == text && !text.contains('\t') => {
            shlex::try_quote(text).map_or_else(|_| escaped(word), |quoted| quoted.into_owned())
        }
        _ => escaped(word),
    }
}

fn escaped(word: &OsStr) -> String {
    let escaped = word.as_bytes().iter().fold(String::new(), |mut escaped, byte| {
        let _ = match byte {
            b'\'' | b'\\' => write!(escaped, "\\{}", char::from(*byte)),
            b' '..=b'~' if !b":#".contains(byte) => write!(escaped, "{}", char::from(*byte)),
            byte => write!(escaped, "\\x{byte:02x}"),
        };
        escaped
    });
    format!("$'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_the_same_word() {
        let words: [&[u8]; 10] = [
            b"deploy.toml",
            b"my app/deploy.toml",
            b"it's",
            b"",
            b"$HOME `id` \"x\" \\ ! * ~ #",
            b"a\nb\x1b]0;t\x07",
            b"\xff\xfe",
            "é \u{202e} 漢".as_bytes(),
            b"::error::x ##[y]",
            b"--x=1;rm",
        ];
        for word in words {
            let word = OsStr::from_bytes(word);
            let quoted = quoted(word);
            assert_eq!(crate::text::line(&quoted), quoted);
            let output = Command::new("bash").args(["-c", &format!("printf %s {quoted}")]).output().unwrap();
            assert_eq!(OsStr::from_bytes(&output.stdout), word, "{quoted}");
        }
        assert_eq!(quoted("deploy.toml"), "deploy.toml");
        assert_eq!(quoted("my app"), "'my app'");
    }
}
