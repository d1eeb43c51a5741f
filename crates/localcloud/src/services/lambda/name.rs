//! Names of functions, as clients write them: a name, a partial ARN or an ARN, with a qualifier or without.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::check::is_name;
use crate::clock::{self, millis};
use crate::options::ACCOUNT;
use crate::services::call::Call;
use crate::wire::error::{Fault, Violation};
use crate::world::World;
use crate::world::function::{Function, arn};
use crate::world::version::LATEST;

/// The pattern of a name of an existing function, as AWS's errors show it.
const REFERENCE: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";

/// The pattern of a name of a new function.
const NEW: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

/// The groups of region, account, name and qualifier in both patterns.
const GROUPS: [usize; 4] = [3, 9, 11, 13];

static REFERENCES: LazyLock<Regex> = LazyLock::new(|| anchored(REFERENCE));
static NEWS: LazyLock<Regex> = LazyLock::new(|| anchored(NEW));

/// A constant pattern that must match the whole text.
#[expect(clippy::unwrap_used, reason = "a constant pattern is one always or never")]
pub(super) fn anchored(pattern: &str) -> Regex {
    Regex::new(&format!("^(?:{pattern})$")).unwrap()
}

/// The rule for the `Qualifier` of an operation.
pub(super) struct Qualifiers {
    fits: fn(&str) -> bool,
    pattern: &'static str,
}

/// A version or an alias.
pub(super) const ANY: Qualifiers = Qualifiers {
    fits: |word| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_$".contains(c))
            || word == "$LATEST.PUBLISHED"
    },
    pattern: r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
};

/// An alias: a URL is never on a version.
pub(super) const ALIAS: Qualifiers =
    Qualifiers { fits: |word| is_name(word, usize::MAX) && !is_number(word), pattern: r"((?!^\d+$)^[0-9a-zA-Z-_]+$)" };

/// Whether a qualifier is a version's number.
pub(super) fn is_number(qualifier: &str) -> bool {
    !qualifier.is_empty() && qualifier.bytes().all(|byte| byte.is_ascii_digit())
}

/// The error of some operations for an alias or version that does not exist.
pub(super) fn missing_qualifier(arn: &str, qualifier: &str) -> Fault {
    let is_alias = is_name(qualifier, usize::MAX) && !is_number(qualifier);
    Fault::not_found(format!("{}: {arn}", if is_alias { "Cannot find alias arn" } else { "Function not found" }))
}

/// The function of a request, and the version or alias.
pub(super) struct Name {
    pub(super) function: String,
    /// From the name or the query; empty if there is none.
    pub(super) qualifier: String,
}

impl Name {
    /// The function that a path or ARN names, which must be of this region and account.
    pub(super) fn read(call: &Call, text: &str, qualifiers: &Qualifiers) -> Result<Self, Fault> {
        let asked = call.query("Qualifier").filter(|qualifier| !qualifier.is_empty());
        let mut violations = Vec::new();
        if let Some(asked) = &asked {
            if asked.len() > 128 {
                violations.push(Violation::length(asked, "qualifier", 128));
            }
            if !(qualifiers.fits)(asked) {
                violations.push(Violation::pattern(asked, "qualifier", qualifiers.pattern));
            }
        }
        let name = Self::parse(call, text, (&REFERENCES, REFERENCE), violations)?;
        match asked {
            Some(asked) if !name.qualifier.is_empty() && name.qualifier != asked => Err(Fault::parameter(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
            Some(asked) => Ok(Self { qualifier: asked, ..name }),
            None => Ok(name),
        }
    }

    /// The name of a new function.
    pub(super) fn read_new(call: &Call, text: &str) -> Result<Self, Fault> {
        let mut violations = Vec::new();
        if text.len() > 140 {
            violations.push(Violation::length(text, "functionName", 140));
        }
        let name = Self::parse(call, text, (&NEWS, NEW), violations)?;
        if name.function.len() > 64 {
            // This is the only length that is not a constraint of the API's model.
            let Fault { message, .. } = Fault::violated(&[Violation::length(&name.function, "functionName", 64)]);
            return Err(Fault::parameter(message));
        }
        Ok(name)
    }

    fn parse(
        call: &Call,
        text: &str,
        (regex, pattern): (&Regex, &'static str),
        mut violations: Vec<Violation>,
    ) -> Result<Self, Fault> {
        let Some(parts) = regex.captures(text).filter(|_| violations.is_empty()) else {
            if !regex.is_match(text) {
                violations.push(Violation::pattern(text, "functionName", pattern));
            }
            return Err(Fault::violated(&violations));
        };
        let [region, account, function, qualifier] =
            GROUPS.map(|group| parts.get(group).map(|part| part.as_str().trim_end_matches(':')));
        if let Some(region) = region.filter(|region| *region != call.region) {
            return Err(Fault::not_found(format!(
                "Functions from '{region}' are not reachable in this region ('{}')",
                call.region
            )));
        }
        if account.is_some_and(|account| account != ACCOUNT) {
            return Err(Fault::new(
                403,
                "AccessDeniedException",
                format!("User: {} is not authorized to perform this action on resource: {text}", call.caller.arn),
            ));
        }
        let owned = |part: Option<&str>| part.unwrap_or_default().to_owned();
        Ok(Self { function: owned(function), qualifier: owned(qualifier) })
    }

    /// The error for a function that does not exist, with a qualifier.
    pub(super) fn missing(&self, call: &Call, qualifier: &str) -> Fault {
        Fault::not_found(format!("Function not found: {}", arn(&call.region, &self.function, qualifier)))
    }

    /// The qualifier, or `$LATEST` if there is none.
    pub(super) fn or_latest(&self) -> &str {
        if self.qualifier.is_empty() { LATEST } else { &self.qualifier }
    }

    /// Finds the function.
    pub(super) fn find<'a>(&self, call: &Call, world: &'a World) -> Result<&'a Function, Fault> {
        let region = world.regions.get(&call.region);
        let found = region.and_then(|region| region.functions.get(&self.function));
        let found = found.filter(|function| is_visible(call, function));
        found.ok_or_else(|| self.missing(call, &self.qualifier))
    }

    /// Reads the function.
    pub(super) fn look<T>(&self, call: &Call, look: impl FnOnce(&Function) -> Result<T, Fault>) -> Result<T, Fault> {
        call.read(|world| look(self.find(call, world)?))
    }

    /// Changes the function.
    pub(super) fn change<T>(
        &self,
        call: &Call,
        change: impl FnOnce(&mut Function) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        call.change(|world| {
            self.find(call, world)?;
            let function = world.region(&call.region).functions.get_mut(&self.function);
            change(function.ok_or_else(|| self.missing(call, &self.qualifier))?)
        })
    }
}

/// Whether a function is old enough to be found.
pub(super) fn is_visible(call: &Call, function: &Function) -> bool {
    clock::now() >= function.created + millis(call.options().visibility_lag)
}

/// Checks that a qualifier can have a policy: the function itself, an alias, or a version with a number.
///
/// # Errors
/// AWS's own for `$LATEST`, and if there is none.
pub(super) fn policy_qualifier(function: &Function, qualifier: &str) -> Result<(), Fault> {
    if qualifier == LATEST {
        return Err(Fault::parameter("We currently do not support adding policies for $LATEST."));
    }
    function.found(qualifier).map(|_| ()).map_err(|_| missing_qualifier(&function.arn(qualifier), qualifier))
}
