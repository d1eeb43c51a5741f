//! URLs of indexes, registries and repositories, and what may be shown of them.

use std::borrow::Cow;

/// A text with the user names and passwords of its URLs masked: `https://user:secret@host/` becomes
/// `https://****@host/`.
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let (mut shown, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let authority = &after[..end_of_authority(after)];
        rest = match authority.rsplit_once('@') {
            // The user of SSH, as in `ssh://git@host`, is not a secret.
            Some((user, _)) if !user.contains(':') && before.ends_with("ssh") => after,
            Some((user, _)) => {
                shown.push_str("****");
                &after[user.len()..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Whether a text has a URL with a password or token. A reference to a variable, such as `${TOKEN}`, does not count.
pub(crate) fn holds_credentials(text: &str) -> bool {
    text.split("://").skip(1).any(|after| {
        let authority = &after[..end_of_authority(after)];
        let user = authority.rsplit_once('@').map(|(user, _)| user).unwrap_or_default();
        let secret = user.split_once(':').map_or(user, |(_, password)| password);
        !secret.is_empty() && !["git", "ssh", "hg", "svn"].contains(&user) && !secret.contains("${")
    })
}

/// A URL with its `${NAME}` variables expanded, as pip and uv do in a list.
pub(super) fn with_variables(address: &str) -> String {
    let mut whole = String::new();
    let mut rest = address;
    while let Some((before, (name, after))) =
        rest.split_once("${").and_then(|(it, after)| Some((it, after.split_once('}')?)))
    {
        whole.push_str(before);
        whole.push_str(&std::env::var(name).unwrap_or_else(|_| format!("${{{name}}}")));
        rest = after;
    }
    whole + rest
}

/// Whether two URLs are of the same index: users, a trailing slash and the case of the host are ignored.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

/// The hosts of the public registries of Python and Node, as the labels of their names.
pub(super) const PUBLIC: [&[&str]; 4] =
    [&["pypi", "org"], &["pypi", "python", "org"], &["registry", "npmjs", "org"], &["registry", "yarnpkg", "com"]];

/// Whether a URL is of a public registry.
pub(crate) fn is_public(address: &str) -> bool {
    host(address).is_some_and(|host| PUBLIC.iter().any(|labels| host.split('.').eq(labels.iter().copied())))
}

/// `host:port` of a URL, in lower case.
pub(crate) fn host(address: &str) -> Option<String> {
    let (_, after) = address.split_once("://")?;
    let authority = &after[..end_of_authority(after)];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn key(address: &str) -> String {
    let Some((scheme, after)) = address.split_once("://") else { return address.trim_end_matches('/').to_owned() };
    let end = end_of_authority(after);
    let authority = &after[..end];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}").to_ascii_lowercase() + after[end..].trim_end_matches('/')
}

fn end_of_authority(after: &str) -> usize {
    after.find(|letter: char| "/?#\"'`<>()[],".contains(letter) || letter.is_whitespace()).unwrap_or(after.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let shown = |text| without_credentials(text).into_owned();
        assert_eq!(shown("a https://u:p@host/simple, http://t@b"), "a https://****@host/simple, http://****@b");
        assert_eq!(shown("https://u:p@ss@host/x@1"), "https://****@host/x@1");
        assert_eq!(
            shown("git+ssh://git@host/x and https://host/@corp/six"),
            "git+ssh://git@host/x and https://host/@corp/six"
        );
        assert_eq!(shown("six @ ./x"), "six @ ./x");
    }

    #[test]
    fn a_password_in_an_address_is_seen_and_a_variable_is_none() {
        for text in ["--index-url https://u:p@host/simple\n", "url = \"http://token@host\""] {
            assert!(holds_credentials(text), "{text}");
        }
        for text in ["https://host/@corp", "https://${USER}:${PASS}@host", "git+ssh://git@host/x", "https://u:@host"] {
            assert!(!holds_credentials(text), "{text}");
        }
    }

    #[test]
    fn the_same_index_is_the_same() {
        assert!(is_same("https://u:p@Host/simple/", "https://host/simple"));
        assert!(!is_same("https://host/simple", "https://host/other"));
        assert_eq!(host("https://u:p@Host:81/x").as_deref(), Some("host:81"));
    }
}
