//! The problems of a failure, each with its place, for programs that mark them in a file.

use super::{Failure, Message, Problem, What};
use crate::manifest::Diagnostic;

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub place: Option<Place>,
    /// What is wrong, its causes and its hints; each is text from elsewhere in part.
    pub lines: Vec<String>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path as lamstream found the file.
    pub file: String,
    /// From 1, the column in characters; `None` if something is missing altogether.
    pub line: Option<usize>,
    pub column: Option<usize>,
}

impl Message {
    /// One mark for each problem, in their order; never empty. `causes` and `hints` are those of a message without problems.
    pub fn marks(&self, causes: &[String], hints: &[String]) -> Vec<Mark> {
        match self {
            Message::Problems(problems) => problems.iter().flat_map(of_problem).collect(),
            Message::Line(_) => vec![Mark { place: None, lines: lines(self.to_string(), causes, hints) }],
        }
    }
}

impl Failure {
    /// One mark for each problem, in their order; never empty.
    pub fn marks(&self) -> Vec<Mark> {
        self.message.marks(&self.caused_by, &self.hints)
    }

    /// The place of the first problem in a file.
    pub fn place(&self) -> Option<Place> {
        self.marks().into_iter().find_map(|mark| mark.place)
    }
}

fn of_problem(problem: &Problem) -> Vec<Mark> {
    let of_diagnostic = |diagnostic: &Diagnostic| {
        let (line, column) = diagnostic.excerpt.as_ref().map(|excerpt| (excerpt.line, excerpt.column)).unzip();
        let place = Some(Place { file: diagnostic.file.clone(), line, column });
        Mark { place, lines: lines(diagnostic.message.clone(), &[], &problem.hints) }
    };
    match &problem.what {
        What::Manifest(diagnostics) => diagnostics.iter().map(of_diagnostic).collect(),
        What::Build { message, caused_by } => {
            vec![Mark { place: None, lines: lines(message.clone(), caused_by, &problem.hints) }]
        }
    }
}

/// The lines of a hint after the first are an example.
fn lines(message: String, causes: &[String], hints: &[String]) -> Vec<String> {
    let causes = causes.iter().map(|cause| format!("caused by: {cause}"));
    let hints = hints.iter().flat_map(|hint| hint.lines().next()).map(|hint| format!("hint: {hint}"));
    std::iter::once(message).chain(causes).chain(hints).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;
    use crate::manifest::Excerpt;

    #[test]
    fn each_problem_has_its_place_and_its_hints() {
        let excerpt = Excerpt { line: 12, column: 3, text: String::new(), underline: String::new() };
        let at = |excerpt| Diagnostic { file: "deploy.toml".to_owned(), excerpt, message: "wrong".to_owned() };
        let what = What::Manifest(vec![at(Some(excerpt)), at(None)]);
        let mistakes = Problem { what, hints: vec!["try\nmore".to_owned()] };
        let what = What::Build { message: "no cargo".to_owned(), caused_by: vec!["not found".to_owned()] };
        let build = Problem { what, hints: Vec::new() };
        let failure = Failure::of_problems(FailureKind::Manifest, vec![build, mistakes]);
        let marks = failure.marks();
        assert_eq!(marks[0], Mark { place: None, lines: vec!["no cargo".into(), "caused by: not found".into()] });
        let place = Place { file: "deploy.toml".to_owned(), line: Some(12), column: Some(3) };
        assert_eq!(marks[1], Mark { place: Some(place.clone()), lines: vec!["wrong".into(), "hint: try".into()] });
        assert_eq!(marks[2].place, Some(Place { line: None, column: None, ..place.clone() }));
        assert_eq!(failure.place(), Some(place));
    }
}
