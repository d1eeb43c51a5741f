//! What runs a function's code: one of Lambda's runtimes, on a processor.

use super::architecture::Architecture;
use super::machine::{Machine, OperatingSystem};
use std::fmt;

/// A runtime by its name at AWS, such as `python3.13` or `provided.al2023`. The existing versions are not known here:
/// AWS adds and retires them, and reports an unknown one itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Runtime {
    family: Family,
    name: String,
}

/// The language that a runtime provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// None: the package includes a `bootstrap`.
    Provided,
    Python,
    Node,
    Java,
    Dotnet,
    Ruby,
}

/// The text before and after the version in the names of a family.
const FAMILIES: [(&str, &str, Family); 5] = [
    ("python", "", Family::Python),
    ("nodejs", ".x", Family::Node),
    ("java", "", Family::Java),
    ("dotnet", "", Family::Dotnet),
    ("ruby", "", Family::Ruby),
];

const PROVIDED: [&str; 2] = ["provided.al2023", "provided.al2"];
/// The operating systems in the names of Java's runtimes. Amazon's Linux of a version's first runtime is not in its name.
const SYSTEMS: [&str; 2] = [".al2023", ".al2"];

impl Runtime {
    /// The default runtime for binaries.
    pub fn provided() -> Runtime {
        Runtime { family: Family::Provided, name: PROVIDED[0].to_owned() }
    }

    pub fn parse(name: &str) -> Option<Runtime> {
        let of = |family| Some(Runtime { family, name: name.to_owned() });
        if PROVIDED.contains(&name) {
            return of(Family::Provided);
        }
        let is_version = |text: &str| {
            let text = SYSTEMS.iter().find_map(|system| text.strip_suffix(system)).unwrap_or(text);
            text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let found = FAMILIES.iter().find(|(before, behind, _)| {
            let version = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
            version.is_some_and(is_version)
        });
        found.and_then(|(_, _, family)| of(*family))
    }

    /// The same language with another version, such as `3.11`.
    pub fn with_version(&self, version: &str) -> Runtime {
        let (before, behind) = FAMILIES
            .iter()
            .find(|(_, _, family)| *family == self.family)
            .map_or(("provided.", ""), |(before, behind, _)| (*before, *behind));
        Runtime { family: self.family, name: format!("{before}{version}{behind}") }
    }

    pub fn as_str(&self) -> &str {
        &self.name
    }

    pub fn family(&self) -> Family {
        self.family
    }

    /// Its version, such as `3.13` of Python and `22` of Node.
    pub fn version(&self) -> &str {
        let name = self.name.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        name.strip_suffix(".x").unwrap_or(name)
    }

    /// Whether Lambda runs wrapper scripts (`AWS_LAMBDA_EXEC_WRAPPER`) in it: runtimes without a language do not.
    pub fn is_managed(&self) -> bool {
        self.family != Family::Provided
    }

    /// The newest glibc that a binary may need: Amazon Linux 2023 has 2.34, Amazon Linux 2 has 2.26.
    pub fn glibc(&self) -> (u32, u32) {
        let number = |text: &str| text.split('.').next_back().and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        let on_al2 = match self.family {
            Family::Provided => self.name == "provided.al2",
            Family::Python => number(self.version()) < 12,
            Family::Node => number(self.version()) < 20,
            Family::Java => !self.name.ends_with(".al2023") && number(self.version().trim_end_matches(".al2")) < 21,
            Family::Dotnet => number(self.version()) < 8,
            Family::Ruby => self.version() == "3.2",
        };
        if on_al2 { (2, 26) } else { (2, 34) }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// What code has to be built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    pub runtime: Runtime,
    pub architecture: Architecture,
    /// Lambda's is Linux; the local cloud's is this machine's.
    pub system: OperatingSystem,
}

impl Platform {
    /// A runtime on Lambda.
    pub fn on_lambda(runtime: Runtime, architecture: Architecture) -> Platform {
        Platform { runtime, architecture, system: OperatingSystem::Linux }
    }

    /// The machine that runs the code.
    pub fn machine(&self) -> Machine {
        Machine { system: self.system, architecture: self.architecture }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_known_by_their_families() {
        for (name, family, version, managed) in [
            ("python3.13", Family::Python, "3.13", true),
            ("nodejs22.x", Family::Node, "22", true),
            ("java8.al2", Family::Java, "8.al2", true),
            ("java17.al2023", Family::Java, "17.al2023", true),
            ("dotnet8", Family::Dotnet, "8", true),
            ("ruby3.4", Family::Ruby, "3.4", true),
            ("provided.al2023", Family::Provided, ".al2023", false),
        ] {
            let runtime = Runtime::parse(name).unwrap();
            assert_eq!(
                (runtime.family(), runtime.version(), runtime.is_managed()),
                (family, version, managed),
                "{name}"
            );
        }
        for name in [
            "python",
            "python3.x",
            "nodejs22",
            "node22.x",
            "provided",
            "go1.x",
            "",
            "python3.",
            "java17.al",
            "java.al2023",
        ] {
            assert_eq!(Runtime::parse(name), None, "{name}");
        }
    }

    #[test]
    fn another_version_keeps_the_family() {
        assert_eq!(Runtime::parse("python3.13").unwrap().with_version("3.11").as_str(), "python3.11");
        assert_eq!(Runtime::parse("nodejs22.x").unwrap().with_version("20").as_str(), "nodejs20.x");
    }

    #[test]
    fn older_runtimes_have_an_older_glibc() {
        let glibc = |name| Runtime::parse(name).unwrap().glibc();
        assert_eq!((glibc("python3.11"), glibc("python3.12")), ((2, 26), (2, 34)));
        assert_eq!((glibc("provided.al2"), glibc("provided.al2023")), ((2, 26), (2, 34)));
        assert_eq!((glibc("java17"), glibc("java8.al2"), glibc("java17.al2023")), ((2, 26), (2, 26), (2, 34)));
        assert_eq!((glibc("java21"), glibc("java8.al2023")), ((2, 34), (2, 34)));
    }
}
