//! Keeps a binary within what every processor that Lambda may use can execute.

use std::collections::BTreeSet;

use super::configuration::Environment;
use super::flags::codegen;
use super::toolchain::Toolchain;
use crate::architecture::Architecture;
use crate::error::{BuildError, list};
use crate::machine::{Machine, OperatingSystem};

/// Not an instruction set.
const STATIC: &str = "crt-static";

/// What AWS promises for an architecture. Source: docs/aws.md, "Processors".
struct Baseline {
    /// As the compiler names it.
    cpu: &'static str,
    /// A processor whose instructions all of Lambda's have.
    least: &'static str,
    /// Instructions that they also have.
    more: &'static [&'static str],
    /// The same for C compilers.
    for_c: &'static str,
}

impl Baseline {
    fn of(architecture: Architecture) -> Baseline {
        match architecture {
            Architecture::X86_64 => {
                Baseline { cpu: "x86-64-v3", least: "haswell", more: &["aes"], for_c: "-march=x86-64-v3" }
            }
            Architecture::Arm64 => {
                Baseline { cpu: "neoverse-n1", least: "neoverse-n1", more: &[], for_c: "-mcpu=neoverse-n1" }
            }
        }
    }
}

/// Flags to append, because the last one counts, and a sentence about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) flags: Vec<String>,
    pub(super) note: String,
}

/// Whether Lambda may run what is built for a machine. What a Mac builds for itself stays there.
fn is_of_lambda(machine: Machine) -> bool {
    machine.system == OperatingSystem::Linux
}

/// `None` if the user's flags ask for nothing that may be missing on Lambda.
///
/// # Errors
/// When the compiler cannot be asked.
pub(super) async fn limit(
    toolchain: &Toolchain,
    triple: &str,
    machine: Machine,
    theirs: &[String],
) -> Result<Option<Limit>, BuildError> {
    let (cpu, features) = (codegen(theirs, "target-cpu").pop(), codegen(theirs, "target-feature"));
    if !is_of_lambda(machine) || (cpu.is_none() && features.is_empty()) {
        return Ok(None);
    }
    let baseline = Baseline::of(machine.architecture);
    let of_cpu = |cpu: &str| vec![format!("-Ctarget-cpu={cpu}")];
    let mut allowed = toolchain.features(triple, &of_cpu(baseline.least)).await?;
    allowed.extend(baseline.more.iter().chain([&STATIC]).map(|feature| (*feature).to_owned()));
    let exceeding = async |flags: Vec<String>| -> Result<BTreeSet<String>, BuildError> {
        Ok(toolchain.features(triple, &flags).await?.difference(&allowed).cloned().collect())
    };
    // What `native` means depends on the machine.
    let above = match cpu {
        Some("native") => true,
        Some(cpu) => !exceeding(of_cpu(cpu)).await?.is_empty(),
        None => false,
    };
    let mut flags = if above { of_cpu(baseline.cpu) } else { cpu.map(of_cpu).unwrap_or_default() };
    flags.extend(features.iter().map(|list| format!("-Ctarget-feature={list}")));
    let off = exceeding(flags).await?;
    Ok(told(&baseline, cpu.filter(|_| above), &off))
}

/// The user's variables that have C code compiled for this machine's processor, with flags for Lambda's instead, and a
/// sentence about them.
pub(super) fn limit_c(variables: &Environment, machine: Machine) -> (Vec<(String, String)>, Option<String>) {
    if !is_of_lambda(machine) {
        return (Vec::new(), None);
    }
    let baseline = Baseline::of(machine.architecture);
    let is_native = |flag: &&str| ["-march=native", "-mcpu=native"].contains(flag);
    let is_of_c = |name: &str| {
        let name = name.strip_prefix("TARGET_").unwrap_or(name);
        name.starts_with("CFLAGS") || name.starts_with("CXXFLAGS")
    };
    let asking =
        variables.iter().filter(|(name, flags)| is_of_c(name) && flags.split_whitespace().any(|it| is_native(&it)));
    let limited: Vec<(String, String)> = asking
        .map(|(name, flags)| {
            let flags = flags.split_whitespace().map(|flag| if is_native(&flag) { baseline.for_c } else { flag });
            (name.clone(), flags.collect::<Vec<_>>().join(" "))
        })
        .collect();
    let names = list(limited.iter().map(|(name, _)| name.as_str()));
    let note =
        format!("C code is built with `{}`, not for this machine's processor as {names} asks for", baseline.for_c);
    let note = (!limited.is_empty()).then_some(note);
    (limited, note)
}

fn told(baseline: &Baseline, cpu: Option<&str>, off: &BTreeSet<String>) -> Option<Limit> {
    let mut flags = Vec::new();
    let mut not = Vec::new();
    if let Some(cpu) = cpu {
        flags.push(format!("-Ctarget-cpu={}", baseline.cpu));
        not.push(format!("`target-cpu={cpu}`"));
    }
    if !off.is_empty() {
        let list = |sign: &str| off.iter().map(|feature| format!("{sign}{feature}")).collect::<Vec<_>>().join(",");
        flags.push(format!("-Ctarget-feature={}", list("-")));
        not.push(format!("`target-feature={}`", list("+")));
    }
    let note = format!(
        "not built with {}, which your settings ask for: Lambda's processors are only known to have `{}`",
        not.join(" and "),
        baseline.cpu
    );
    (!flags.is_empty()).then_some(Limit { flags, note })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_code_is_not_built_for_this_machines_processor() {
        let variables = [
            ("CFLAGS", "-O2 -march=native"),
            ("TARGET_CXXFLAGS", "-mcpu=native"),
            ("CFLAGS_x86_64_unknown_linux_gnu", "-O2"),
            ("MY_CFLAGS", "-march=native"),
        ];
        let variables = variables.map(|(name, flags)| (name.to_owned(), flags.to_owned())).into();
        let (limited, note) = limit_c(&variables, Architecture::X86_64.into());
        let expected = [("CFLAGS", "-O2 -march=x86-64-v3"), ("TARGET_CXXFLAGS", "-march=x86-64-v3")];
        assert_eq!(limited, expected.map(|(name, flags)| (name.to_owned(), flags.to_owned())));
        assert!(note.unwrap().contains("as `CFLAGS` and `TARGET_CXXFLAGS` asks for"));
        assert_eq!(limit_c(&Environment::new(), Architecture::Arm64.into()), (Vec::new(), None));
        let mac = Machine { system: OperatingSystem::Macos, architecture: Architecture::X86_64 };
        assert_eq!(limit_c(&variables, mac), (Vec::new(), None));
    }
}
