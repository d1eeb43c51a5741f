//! Where a version comes from, which its description stores: `commit 3f2a9c1d4e5f dirty by assumed-role/Deploy/alice`.

use super::caller::Caller;

/// The longest description that AWS accepts, in characters.
const LIMIT: usize = 256;
const BY: &str = " by ";

/// Where a version comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source of its code, such as a commit.
    pub code: Option<String>,
    /// The caller that published it; `None` if an older lamstream or another tool did.
    pub by: Option<Caller>,
}

impl Origin {
    pub fn read(description: &str) -> Origin {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        // A description without a commit begins with the caller.
        let padded = format!(" {description}");
        match padded.rsplit_once(BY).and_then(|(code, by)| Some((code, Caller::read(by)?))) {
            Some((code, by)) => Origin { code: text(code.trim_start()), by: Some(by) },
            None => Origin { code: text(description), by: None },
        }
    }

    /// The description; `None` if nothing is known. A caller that is too long for it is left out.
    pub fn write(&self) -> Option<String> {
        let code = self.code.as_deref().unwrap_or_default();
        let with_caller = self.by.as_ref().map(|by| format!("{code}{BY}{}", by.as_str()).trim_start().to_owned());
        let fits = |text: &String| text.chars().count() <= LIMIT;
        with_caller.filter(fits).or_else(|| self.code.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_it_is_written() {
        let origin = |code: Option<&str>, by: Option<&str>| Origin {
            code: code.map(str::to_owned),
            by: by.map(|by| Caller::read(by).unwrap()),
        };
        for (description, expected) in [
            ("commit 3f2a dirty by user/bob", origin(Some("commit 3f2a dirty"), Some("user/bob"))),
            ("by user/bob", origin(None, Some("user/bob"))),
            ("commit 3f2a", origin(Some("commit 3f2a"), None)),
            ("written by hand", origin(Some("written by hand"), None)),
            ("stand by by root", origin(Some("stand by"), Some("root"))),
        ] {
            assert_eq!(Origin::read(description), expected, "{description}");
            assert_eq!(expected.write().as_deref(), Some(description));
        }
        assert_eq!((Origin::read(""), Origin::default().write()), (Origin::default(), None));
        let long = origin(Some("commit 3f2a"), Some(&format!("user/{}", "x".repeat(240))));
        assert_eq!(long.write().as_deref(), Some("commit 3f2a"));
    }
}
