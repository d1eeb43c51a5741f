//! Names for apps and functions, made from the names of directories and packages.

/// A function's full name on AWS has at most 64 characters, of which the app gets this many.
const LONGEST: usize = 40;

/// The name with only the characters that a manifest accepts; `or` if none is left.
pub fn valid_name(text: &str, or: &str) -> String {
    let mut name = String::new();
    for letter in text.trim_start_matches('@').chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            name.push(letter);
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_matches(['-', '_']);
    if name.is_empty() { or.to_owned() } else { name.to_owned() }
}

/// The name of a crate or a package of Node.js: lower case, and not a digit first.
pub(super) fn package_name(app: &str) -> String {
    let name = app.to_lowercase();
    if name.starts_with(|letter: char| letter.is_ascii_digit()) { format!("app-{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid() {
        for (text, expected) in [
            ("my app", "my-app"),
            ("Déjà vu!", "D-j-vu"),
            ("@shop/api", "shop-api"),
            ("..", "app"),
            ("a.b_c", "a-b_c"),
            ("-x-", "x"),
            ("", "app"),
        ] {
            assert_eq!(valid_name(text, "app"), expected, "{text}");
        }
        assert_eq!(valid_name(&"a".repeat(90), "app").len(), LONGEST);
        assert_eq!(package_name("3D-Chat"), "app-3d-chat");
    }
}
