//! The names of runtimes.

use crate::wire::error::Fault;

/// The runtimes in AWS's error message; there may be others.
const RUNTIMES: [&str; 25] = [
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];

/// Runtimes that AWS no longer supports.
const RETIRED: [&str; 20] = [
    "dotnet5.0",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.7",
];

/// Refuses the name of a runtime that does not exist, or is no longer supported.
pub(super) fn check(name: &str) -> Result<(), Fault> {
    if RETIRED.contains(&name) {
        return Err(Fault::parameter(format!(
            "The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions. \
             We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    if !is_runtime(name) {
        return Err(Fault::parameter(format!(
            "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a valid ARN",
            RUNTIMES.join(", ")
        )));
    }
    Ok(())
}

/// Whether a name may be a runtime's. The versions are not checked, since AWS adds and removes them.
fn is_runtime(name: &str) -> bool {
    let numbered = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let families = ["python", "nodejs", "java", "dotnet", "ruby"];
    matches!(name, "provided.al2023" | "provided.al2")
        || families.iter().any(|family| name.strip_prefix(family).is_some_and(numbered))
}

/// Whether a runtime can start from a snapshot: Python 3.12, Java 11, .NET 8, and later ones.
pub(super) fn has_snap_start(name: &str) -> bool {
    let number = |family: &str| {
        let version = name.strip_prefix(family)?.trim_end_matches(".al2023").trim_end_matches(".al2");
        version.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()
    };
    let least: [(&str, &[u32]); 3] = [("python", &[3, 12]), ("java", &[11]), ("dotnet", &[8])];
    least.iter().any(|(family, least)| number(family).is_some_and(|version| version.as_slice() >= *least))
}

#[cfg(test)]
mod tests {
    use super::has_snap_start;

    #[test]
    fn old_runtimes_and_those_without_a_language_have_no_snap_start() {
        for name in ["python3.12", "python3.14", "java11", "java17", "java17.al2023", "java25", "dotnet8", "dotnet10"] {
            assert!(has_snap_start(name), "{name}");
        }
        for name in ["python3.11", "java8.al2", "java8.al2023", "dotnet6", "nodejs22.x", "provided.al2023"] {
            assert!(!has_snap_start(name), "{name}");
        }
    }
}
