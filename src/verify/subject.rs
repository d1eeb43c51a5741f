//! The function that was asked, as far as hints depend on it.

use super::cause::Kind;
use super::signs;
use crate::manifest::{Function, Web};
use packaging::Family;

/// A function whose answers are judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'f> {
    /// Its name in the manifest.
    pub name: &'f str,
    pub kind: Kind,
    /// The language that its runtime provides.
    pub language: Family,
    /// The command line that starts it, if it is a web app with one.
    pub command: Option<&'f str>,
}

impl<'f> Subject<'f> {
    pub fn of(function: &'f Function) -> Subject<'f> {
        let command = function.web.as_ref().and_then(Web::line);
        Subject { name: &function.name, kind: Kind::of(function), language: function.runtime.family(), command }
    }

    /// What to do about a program that was not found. Its name in the log may be a secret: it is used only if the
    /// manifest has it, too.
    pub(super) fn hints_for_a_program(&self, log: &[String]) -> Vec<String> {
        let is_written =
            |name: &&str| self.command.is_some_and(|line| line.split_whitespace().any(|word| word == *name));
        let name = signs::missing_program(log).filter(is_written);
        let it = name.map_or("the program".to_owned(), |name| format!("`{name}`"));
        let otherwise = format!(
            "put {it} into the package, such as into `bin`, by hand or with `build.command`: Lambda's runtime does not have \
             it, and lamstream packages no programs of this machine"
        );
        let of_package = match self.language {
            Family::Python => format!(
                "if a Python package has {it}, add that package to the dependencies, or start a module of it with `python -m \
                 MODULE`; development dependencies and the project's own scripts are not installed"
            ),
            Family::Node => format!(
                "if a package of npm has {it}, add that package to the dependencies, and start it with `npx {}`; \
                 development dependencies are not installed",
                name.unwrap_or("NAME")
            ),
            Family::Java | Family::Dotnet | Family::Ruby if name == own_program(self.language) => {
                return vec![format!(
                    "install {it} on this machine: Lambda's runtime has it, but the local cloud uses this machine's"
                )];
            }
            Family::Provided | Family::Java | Family::Dotnet | Family::Ruby => return vec![otherwise],
        };
        vec![of_package, format!("otherwise {otherwise}")]
    }
}

/// The program that runs a language, which Lambda's runtime has and the local cloud does not provide.
fn own_program(language: Family) -> Option<&'static str> {
    match language {
        Family::Java => Some("java"),
        Family::Dotnet => Some("dotnet"),
        Family::Ruby => Some("ruby"),
        Family::Provided | Family::Python | Family::Node => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_speaks_of_the_program_that_was_not_found() {
        let hints = |language, command, found| {
            let log = [format!("/var/task/bootstrap: line 4: exec: {found}: not found")];
            Subject { name: "site", kind: Kind::Web, language, command: Some(command) }.hints_for_a_program(&log)
        };
        let php = hints(Family::Provided, "php -S 127.0.0.1:$PORT", "php");
        assert!(php.len() == 1 && php[0].starts_with("put `php` into the package"), "{php:?}");
        let java = hints(Family::Java, "java -jar app.jar", "java");
        assert!(java.len() == 1 && java[0].starts_with("install `java` on this machine"), "{java:?}");
        let php = hints(Family::Ruby, "php -S 127.0.0.1:$PORT", "php");
        assert!(php.len() == 1 && php[0].starts_with("put `php` into the package"), "{php:?}");
        for (language, first) in [(Family::Python, "`python -m MODULE`"), (Family::Node, "`npx serve`")] {
            let serve = hints(language, "serve --port $PORT", "serve");
            assert!(serve[0].contains(" has `serve`, ") && serve[0].contains(first), "{serve:?}");
            assert!(serve[1].starts_with("otherwise put `serve` into the package"), "{serve:?}");
        }
        for found in ["hunter2", ""] {
            let hidden = hints(Family::Provided, "$SERVER --port $PORT", found);
            assert!(hidden[0].starts_with("put the program into the package"), "{hidden:?}");
        }
    }
}
