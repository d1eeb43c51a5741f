//! Who takes part, and in what.

/// A tool in its fastest fair setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contestant {
    Lamstream,
    CargoLambda,
    Sam,
    /// The same, asking CloudFormation more often than by default.
    FastSam,
    /// `sam sync --code`, which does not touch the stack.
    SamSync,
}

pub(crate) const CONTESTANTS: [Contestant; 5] =
    [Contestant::Lamstream, Contestant::CargoLambda, Contestant::Sam, Contestant::FastSam, Contestant::SamSync];

pub(crate) const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2\n";
pub(crate) const SAM: &str = "aws-sam-cli==1.170.0\n";
pub(crate) const MOTO: &str = "moto[server]==5.2.5\n";

impl Contestant {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Contestant::Lamstream => "lamstream",
            Contestant::CargoLambda => "cargo-lambda",
            Contestant::Sam => "sam deploy",
            Contestant::FastSam => "sam deploy, polling every 0.5 s",
            Contestant::SamSync => "sam sync --code",
        }
    }

    pub(crate) fn is_sam(self) -> bool {
        matches!(self, Contestant::Sam | Contestant::FastSam | Contestant::SamSync)
    }

    /// Whether a case is measured for the tool.
    pub(crate) fn is_asked(self, case: Case) -> bool {
        case != Case::Throttled || self == Contestant::Lamstream
    }

    /// moto accepts every role at once.
    pub(crate) fn meets_propagation(self) -> bool {
        !self.is_sam()
    }

    /// Why a case has no figures.
    pub(crate) fn absence(self, case: Case) -> &'static str {
        match case {
            Case::Late if self.is_sam() => "not on moto",
            _ if !self.is_asked(case) => "not measured",
            _ => "cannot",
        }
    }

    /// Whether the tool can do it at all.
    pub(crate) fn can(self, case: Case) -> bool {
        match self {
            Contestant::Lamstream => true,
            // Its `--dry` compares nothing with what is deployed, and no command deletes a function.
            Contestant::CargoLambda => !matches!(case, Case::Plan | Case::Destroy | Case::Throttled),
            Contestant::Sam | Contestant::FastSam => !matches!(case, Case::Late | Case::Throttled),
            Contestant::SamSync => case == Case::Code,
        }
    }
}

/// What is to be done, each starting from the end of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    First,
    NoOp,
    Code,
    Configuration,
    Plan,
    Both,
    Destroy,
    /// The same as `NoOp`, but one call is throttled, and may be repeated after a second.
    Throttled,
    /// A first deploy in an account where a new role takes seconds to be known.
    Late,
}

impl Case {
    /// Those that follow one another.
    pub(crate) const ALL: [Case; 8] = [
        Case::First,
        Case::NoOp,
        Case::Throttled,
        Case::Code,
        Case::Configuration,
        Case::Plan,
        Case::Both,
        Case::Destroy,
    ];
    /// All of them, as they are shown.
    pub(crate) const SHOWN: [Case; 8] =
        [Case::First, Case::Late, Case::NoOp, Case::Code, Case::Configuration, Case::Both, Case::Plan, Case::Destroy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Case::First => "first deploy",
            Case::Late => "first deploy, role after 8 s",
            Case::NoOp => "nothing changed",
            Case::Throttled => "nothing changed, one 429",
            Case::Code => "code",
            Case::Configuration => "configuration",
            Case::Plan => "plan",
            Case::Both => "code and configuration",
            Case::Destroy => "destroy",
        }
    }

    /// Which code the case is about, and how much memory the function has from then on.
    pub(crate) fn wanted(self) -> (usize, u32) {
        match self {
            Case::First | Case::Late | Case::NoOp | Case::Throttled => (0, 128),
            Case::Code => (1, 128),
            Case::Configuration => (1, 256),
            Case::Plan | Case::Both | Case::Destroy => (0, 512),
        }
    }
}
